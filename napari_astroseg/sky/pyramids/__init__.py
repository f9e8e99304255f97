"""Pyramids: an image at halved and halved-again resolution, from sampled values to block means."""
