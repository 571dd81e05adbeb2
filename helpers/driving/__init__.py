"""Lesson 02: driving video, frame by frame; may use `helpers.deeplab`."""
