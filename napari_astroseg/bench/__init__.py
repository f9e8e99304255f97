"""Stopwatches: what is reached over what is possible, both taken side by side in one run."""
