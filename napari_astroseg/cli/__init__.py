"""The command line: one module per verb, each with `add(verbs)` and a `run(options)`."""
