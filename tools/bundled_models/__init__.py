"""Train and freeze the bundled networks."""
