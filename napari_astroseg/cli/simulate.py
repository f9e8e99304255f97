"""Write simulated skies with known truth, in the layout of the real data."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_astroseg.errors import DataError

HELP = "write simulated skies with known truth"

KINDS = ("filaments",)
MIN_SIZE = 64


def add(verb: argparse.ArgumentParser) -> None:
    """Declare the verb's words."""
    verb.add_argument("kind", choices=KINDS, metavar="KIND", help=", ".join(KINDS))
    verb.add_argument("--out", required=True, type=Path, metavar="D", help="folder for the skies")
    verb.add_argument("--n", type=int, default=8, help="how many (8)")
    verb.add_argument("--size", type=int, default=512, help="side in pixels (512)")
    verb.add_argument("--seed", type=int, default=0, help="the same seed gives the same skies (0)")


def run(options: argparse.Namespace) -> int:
    """Write the skies one by one."""
    from napari_astroseg.cli.progress import Teller
    from napari_astroseg.sky.simulate.filaments import iter_filaments

    if options.n < 1 or options.size < MIN_SIZE:
        raise DataError(f"simulate at least 1 sky of at least {MIN_SIZE} pixels")
    if options.seed < 0:
        raise DataError(f"a seed of {options.seed} seeds nothing; give 0 or more")
    teller = Teller(options.quiet)
    for path in iter_filaments(options.out, options.n, options.size, options.seed):
        teller.live(f"  {path.name}")
    teller.line(
        f"{options.n} skies in {options.out}; now: "
        f"astroseg train {options.kind}_small --data {options.out} --out RUN"
    )
    return 0
