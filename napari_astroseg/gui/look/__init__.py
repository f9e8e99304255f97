"""Look: stretch, limits and colours of the layers."""
