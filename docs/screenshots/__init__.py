"""The pictures of the documentation, made from the real window."""
