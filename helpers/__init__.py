"""Shared code of the segmentation notebooks: one package that every notebook imports."""

__version__ = "0.1.0"
