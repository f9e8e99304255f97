"""Floor 3 too: people judging. No torch, no Qt."""
