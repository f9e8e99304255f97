"""Make an answer again from its provenance, and say whether it is the same.

PROVENANCE is the provenance.json that `astroseg predict` left, or its folder. The answer of now
goes to a folder of its own and is held against that of then: every pixel of the maps, every value
of the catalogue. Files that have moved are named with --image and --model.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from napari_astroseg.errors import OutputError

if TYPE_CHECKING:
    from napari_astroseg.engine.rerun import Command

HELP = "make an answer again, and compare"


def add(verb: argparse.ArgumentParser) -> None:
    """Declare the verb's words."""
    verb.add_argument("provenance", type=Path, metavar="PROVENANCE", help="a file or its folder")
    verb.add_argument(
        "--out", type=Path, metavar="D", help="folder for the answer of now (beside that of then)"
    )
    verb.add_argument("--image", nargs="+", help="where the image lies now, or its bands")
    verb.add_argument("--model", help="where the model lies now")
    verb.add_argument("--device", help="auto, cpu, cuda or mps (as then)")
    verb.add_argument("--json", action="store_true", help="print the comparison as JSON")


def run(options: argparse.Namespace) -> int:
    """Predict again, compare, and say so; the exit status is 0 whether or not it is the same."""
    from napari_astroseg.cli.main import parsed
    from napari_astroseg.cli.predict import answers
    from napari_astroseg.engine.rerun import Provenance, differences

    told = Provenance.read(options.provenance)
    then = options.provenance if options.provenance.is_dir() else options.provenance.parent
    out = options.out or _beside(then)
    if out.resolve() == then.resolve():
        raise OutputError(f"{out} holds the answer of then; name another folder with --out")
    changes = [*told.changed_inputs(), *told.changed_versions()]
    for change in () if options.quiet or options.json else changes:
        print(f"note: {change}", file=sys.stderr)
    asked = parsed(words(told.command, options, out))
    asked.quiet = options.quiet
    answers(asked)
    apart = differences(then, out, told.outputs)
    if options.json:
        found = [{"file": each.file, "how": each.how} for each in apart]
        same = {"same": not apart, "differences": found, "changed": changes, "out": str(out)}
        print(json.dumps(same, indent=2))
        return 0
    for each in apart:
        print(f"{each.file}: {each.how}")
    print(f"The answer {'differs' if apart else 'is the same'}; see {out}")
    return 0


def words(command: Command, options: argparse.Namespace, out: Path) -> list[str]:
    """The words of `astroseg predict` that a provenance stands for.

    Values are tied to their names, and images come last: none of them can pass for an option.
    """
    images = options.image or command.bands or [command.image]
    named = {
        "--model": options.model or command.model,
        "--out": out,
        "--device": options.device or command.device,
        "--window": command.window,
        "--sky": command.sky,
        "--hdu": None if command.bands or any("[" in name for name in images) else command.hdu,
        "--plane": command.plane,
        "--samples": command.samples,
        "--ensemble": command.ensemble,
        "--threshold": command.threshold,
        "--known": command.known,
        "--known-share": command.known_share,
        "--known-within": command.known_within,
    }
    found = [f"{name}={value}" for name, value in named.items() if value is not None]
    found += [f"--model={name}" for name in command.others or ()]
    found += ["--entropy"] * command.entropy
    found += ["--bands"] * bool(command.bands) + ["--force"] * command.force
    return ["predict", *found, "--", *images]


def _beside(then: Path) -> Path:
    """A folder that is not there yet."""
    base = then.resolve()
    number = 1
    while (found := base.with_name(f"{base.name}-rerun{number}")).exists():
        number += 1
    return found
