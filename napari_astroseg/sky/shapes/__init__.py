"""Shapes in sky units: what they are, where their outlines lie, in and out of files."""
