"""Shared code of the segmentation notebooks: one package that every notebook imports."""

import warnings

# tqdm's advice to install widgets: without them its bars are drawn as text, which serves as well.
warnings.filterwarnings("ignore", message="IProgress not found")

__version__ = "0.1.0"
