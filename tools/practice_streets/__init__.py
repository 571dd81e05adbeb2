"""Practice streets: a world drawn from a seed (numpy alone), rendered with exact labels (Blender)."""
