"""Coordinates: read from headers, from words, from names; and the lines that show them."""
