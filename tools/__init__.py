"""Makes what the repository carries: practice pictures, bundled networks, executed notebooks. Not installed."""
