"""Pieces for lessons that train: augmentation, losses, schedules, checkpoints (torch).

Importing the package loads no framework; its modules do.
"""
