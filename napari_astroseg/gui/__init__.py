"""The window: the only floor that knows napari and Qt."""
