"""Far: files behind a network, read by ranges."""
