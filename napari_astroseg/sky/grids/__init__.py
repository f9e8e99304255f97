"""Grids: pixels laid on the sky, and one image on the pixels of another."""
