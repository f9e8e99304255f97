"""FITS files: what a place holds, how its bytes are read, how ours are written."""
