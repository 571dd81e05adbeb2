"""Run, normalise, lint, publish and hand out the notebooks."""
