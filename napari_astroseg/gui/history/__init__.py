"""What was done in the window, step by step, taken back and done again."""
