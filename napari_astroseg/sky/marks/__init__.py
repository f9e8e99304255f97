"""What people draw on an image: labels and shapes, undoable without limit, on disk at once."""
