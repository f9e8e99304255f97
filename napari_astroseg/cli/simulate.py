"""Write simulated skies with known truth, in the layout of the real data."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from napari_astroseg.sky.simulate.kinds import KINDS

HELP = "write simulated skies with known truth"


def add(verb: argparse.ArgumentParser) -> None:
    """Declare the verb's words."""
    told = (f"{each.name}: {each.title} ({each.n} of {each.size_px} px)" for each in KINDS.values())
    cores = os.cpu_count() or 1
    verb.add_argument("kind", choices=list(KINDS), metavar="KIND", help="; ".join(told))
    verb.add_argument("--out", required=True, type=Path, metavar="D", help="folder for the skies")
    verb.add_argument("--n", type=int, help="how many (what is enough to try the kind)")
    verb.add_argument("--size", type=int, help="side in pixels (what is usual for the kind)")
    verb.add_argument("--seed", type=int, default=0, help="the same seed gives the same skies (0)")
    verb.add_argument("--workers", type=int, default=cores, help=f"processes ({cores})")


def run(options: argparse.Namespace) -> int:
    """Write the skies, and say what to do with them."""
    from napari_astroseg.cli.progress import Teller
    from napari_astroseg.sky.simulate.making import iter_simulated

    kind = KINDS[options.kind]
    n = kind.n if options.n is None else options.n
    teller = Teller(options.quiet)
    for path in iter_simulated(
        kind.name, options.out, n, options.size, options.seed, options.workers
    ):
        teller.live(f"  {path.relative_to(options.out)}")
    then = kind.then.format(out=options.out)
    teller.line(f"{kind.name}: {n} in {options.out}; now: {then}")
    return 0
