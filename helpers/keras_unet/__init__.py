"""Lesson 08: the same task in Keras 3, on TensorFlow."""
