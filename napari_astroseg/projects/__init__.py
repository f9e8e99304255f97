"""Projects: what was open in a window and how it was looked at, written down and read again."""
