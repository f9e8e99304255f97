"""Mosaics: many tiles as one lazy image."""
