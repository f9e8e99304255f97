"""Sessions: the whole window as a project: gathered, saved, and opened again."""
