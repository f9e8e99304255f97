"""Measure, and write the table into docs/performance.md between its markers."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from napari_astroseg.bench.plan import Plan
from napari_astroseg.bench.record import machine, markdown_table
from napari_astroseg.bench.run import measurements
from napari_astroseg.cli.display import has_display

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- BEGIN TABLE: written by benchmarks/make_table.py -->", "<!-- END TABLE -->"


def with_table(page: str, table: str) -> str:
    """The page with what lies between its markers replaced."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"error: {PAGE.name} has lost its markers; put {BEGIN} and {END} back")
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--model", default="filaments", help="whose network is timed")
    options = parser.parse_args()
    plan = Plan.quick() if options.quick else Plan()
    done = []
    for measurement in measurements(plan, options.model, has_display()):
        print(f"{measurement.name}: {measurement.value:.2f}", flush=True)
        done.append(measurement)
    told = f"{machine()}. Network of the model `{options.model}`."
    table = f"{told}\n\n{markdown_table(done)}"
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), table), encoding="utf-8")


if __name__ == "__main__":
    main()
