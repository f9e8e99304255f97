"""Packed: files compressed as a whole or tile by tile."""
