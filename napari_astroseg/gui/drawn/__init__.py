"""Drawn: what napari is given to draw, and how it is kept from waiting."""
