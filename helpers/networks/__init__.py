"""Networks that the lessons and the bundled models are made of (torch)."""
