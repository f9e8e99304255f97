"""One sky beside another: what a second image says of structures found in a first."""
