"""Comparing: the same sky in other eyes, brought onto one image, seen and measured."""
