"""Aids: what helps to read a picture of the sky, drawn above it and never part of the data."""
