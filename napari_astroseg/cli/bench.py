"""Measure this machine: ratios of what is reached to what is possible, side by side."""

HELP = "measure this machine against its limits"


def add(verb):
    pass


def run(options):
    return 0
