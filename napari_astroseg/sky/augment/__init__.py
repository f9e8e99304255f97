"""Augmenting: an image, its masks and its boxes, changed together."""
