"""Clusters: crops that look alike, told apart so that people can drop whole classes of them."""
