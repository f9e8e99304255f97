"""Measure this machine: ratios of what is reached to what is possible, taken side by side.

The network is the built-in one unless --model names another. Exit status 0 whether or not the
targets are met: `holds` says that, and a busy machine can miss one. *restart*, *workers* and
*monai* take longer and run only when they are named; *monai* needs that package.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace

from napari_astroseg.errors import SetupError

NAMES = (
    "click", "tiles", "first-pixels", "pyramid", "compare", "votes", "pictures", "training",
    "patches", "samples", "vetting", "start", "restart", "workers", "monai",
)  # fmt: skip
HELP = "measure this machine against its limits"


def add(verb: argparse.ArgumentParser) -> None:
    """Declare the verb's words."""
    verb.add_argument("--quick", action="store_true", help="fewer repeats, under a minute or so")
    verb.add_argument("--only", choices=NAMES, metavar="NAME", help=f"one of {', '.join(NAMES)}")
    verb.add_argument("--maps", type=int, metavar="N", help="maps of votes (2000; 0.28 MB each)")
    verb.add_argument("--model", default="filaments", help="whose network is timed (filaments)")
    verb.add_argument("--json", action="store_true", help="print a JSON list")


def run(options: argparse.Namespace) -> int:
    """Print the table, or the list."""
    from napari_astroseg.bench.plan import Plan
    from napari_astroseg.bench.record import machine, text_table
    from napari_astroseg.bench.run import measurements
    from napari_astroseg.cli.display import has_display
    from napari_astroseg.cli.progress import Teller

    teller = Teller(options.quiet)
    plan = Plan.quick() if options.quick else Plan()
    if options.maps is not None:
        if options.maps < 1:
            raise SetupError(f"{options.maps} maps of votes cannot be timed; ask for one at least")
        plan = replace(plan, vote_maps=options.maps)
    teller.line(machine())
    done = []
    for measurement in measurements(plan, options.model, has_display(), options.only):
        teller.line(f"{measurement.name}: {measurement.value:.2f}")
        done.append(measurement)
    if options.json:
        print(json.dumps([each.described() for each in done], indent=2))
    else:
        print(text_table(done))
    return 0
