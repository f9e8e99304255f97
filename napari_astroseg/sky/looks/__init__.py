"""Looks: from raw values to what the eye is shown."""
