"""Results: what the Results dock is made of."""
