"""Lesson 06: thirteen classes of road surface, some of them in one pixel of ten thousand."""
