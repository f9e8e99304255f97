"""What networks learn from: folders in their authors' own layouts, opened lazily and checked."""
