"""Pieces for lessons that train: augmentation, losses, schedules, checkpoints (torch), and the bundled DeepLab.

Importing the package loads no framework; its modules do.
"""
