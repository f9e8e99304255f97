"""Datasets: what the Data dock is made of."""
