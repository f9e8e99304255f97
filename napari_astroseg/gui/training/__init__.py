"""Training: what the Train dock is made of."""
