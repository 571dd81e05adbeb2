"""Lesson 00: what segmentation is, what a mask is, how it is scored."""
