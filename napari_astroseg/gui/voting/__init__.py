"""Voting: what the Votes dock is made of."""
