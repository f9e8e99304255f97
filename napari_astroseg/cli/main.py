"""From words on a command line to a verb, and from errors to one line and an exit status.

Exit status: 0 done, 1 a stated error, 2 bad usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from napari_astroseg import __version__
from napari_astroseg.errors import AstroSegError
from napari_astroseg.sky.files.address import is_url, spoken_with_hdu

VERBS = (
    *(
        "demo",
        "info",
        "models",
        "mosaic",
        "align",
        "hips",
        "predict",
        "rerun",
        "methods",
        "compare",
    ),
    *("crowd", "dataset", "train", "sweep", "evaluate", "simulate"),
    *("vet", "bench", "doctor", "window"),
)

_INTRODUCTION = """\
Find, judge and catalogue structures in big sky maps.

astroseg                  opens the window
astroseg IMAGE [IMAGE…]   opens the window with FITS images
astroseg NAME.astroseg.json   opens a project
"""


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit status is the answer."""
    words = list(sys.argv[1:] if argv is None else argv)
    _spell_out()
    options = parsed(_with_verb(words))
    try:
        status: int = options.run(options)
        return status
    except KeyboardInterrupt:
        print("\ninterrupted: what was done is kept", _resume_hint(options), file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output (head, less) has seen enough; keep Python from complaining.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except AstroSegError as error:
        if options.debug:
            raise
        print(f"error: {error}", file=sys.stderr)
        return 1
    except Exception as error:
        # Nobody foresaw it: still one line, and where to look.
        if options.debug:
            raise
        reason = " ".join(str(error).split())[:200]
        print(
            f"error: unexpected {type(error).__name__}: {reason}; run the same command with "
            "--debug to see where, and report it",
            file=sys.stderr,
        )
        return 1


def _spell_out() -> None:
    """Let characters that a pipe or terminal cannot take (Windows: → β) be spelt, not fatal."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def parsed(words: list[str]) -> argparse.Namespace:
    """The words of one command, verb first, as options that can `run`.

    Raises
    ------
    SystemExit
        With status 2, and usage on standard error, when they are no command.
    """
    options = _parser().parse_args(words)
    options.command = shlex.join(["astroseg", *map(spoken_with_hdu, words)])  # it may be kept
    return options


def _with_verb(words: list[str]) -> list[str]:
    """No verb means the window; so does a first word that can be a file."""
    if not words:
        return ["window"]
    first = words[0]
    if first in VERBS or first in {"-h", "--help", "--version"}:
        return words
    is_place = Path(first).exists() or bool(Path(first).suffix)
    if is_place or is_url(first) or first.endswith("]") or first.startswith("-"):
        return ["window", *words]
    return words  # a mistyped verb: usage, status 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "astroseg", description=_INTRODUCTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"astroseg {__version__}")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--quiet", action="store_true", help="say nothing but errors and results")
    shared.add_argument("--debug", action="store_true", help="show the traceback of an error")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for name in VERBS:
        module = import_module(f"napari_astroseg.cli.{name}")
        verb = verbs.add_parser(
            name,
            help=module.HELP,
            description=module.__doc__,
            parents=[shared],
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add(verb)
        verb.set_defaults(run=module.run)
    return parser


def _resume_hint(options: Any) -> str:
    return "(run the same command with --resume to go on)" if hasattr(options, "resume") else ""
