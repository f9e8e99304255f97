"""Predicting: what the Predict dock is made of."""
