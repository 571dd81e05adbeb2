"""Rendered portraits with exact alpha (Blender): persons of any kind, to practise on and to train with."""
