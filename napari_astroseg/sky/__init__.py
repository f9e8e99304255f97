"""Floor 1: the sky as data. Arrays that know where they are; no torch, no Qt."""
