"""Floor 2: intent, written down. Frozen, validated, with a YAML face; no torch, no Qt."""
