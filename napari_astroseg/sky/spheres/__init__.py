"""Spheres: skies kept as HEALPix pixels, as flat lazy images."""
