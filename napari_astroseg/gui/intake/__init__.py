"""Intake: from what is dropped or named to layers, without holding the window up."""
