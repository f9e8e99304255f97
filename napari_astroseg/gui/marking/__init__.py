"""Marking: what the Draw dock is made of."""
