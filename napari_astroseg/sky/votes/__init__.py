"""What a crowd marked on the sky: counts per pixel, and the drawings they were counted from."""
