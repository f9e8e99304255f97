"""Vetwords: the words of `astroseg vet`, action by action."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

Does = Callable[[argparse.Namespace], int]

_STORE = "file or postgresql:// address of the verdicts"
_WHICH = "number of the list, where there are several"


def declare(verb: argparse.ArgumentParser, does: Mapping[str, Does]) -> None:
    """Declare the words of every action; `does` names what it calls."""
    shared = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    shared.add_argument("--quiet", action="store_true", help="say nothing but errors and results")
    shared.add_argument("--debug", action="store_true", help="show the traceback of an error")
    shared.add_argument("--json", action="store_true", help="print what was found as JSON")
    actions = verb.add_subparsers(title="actions", metavar="ACTION", required=True)

    def action(name: str, words: str) -> argparse.ArgumentParser:
        parser = actions.add_parser(name, help=words, description=words, parents=[shared])
        parser.add_argument("store", metavar="STORE", help=_STORE)
        parser.set_defaults(act=does[name])
        return parser

    brought = action("import", "a list to judge, and what somebody wrote beside it")
    brought.add_argument(
        "detections", metavar="CATALOGUE",
        help="a catalogue, a region file, or the folder of a prediction",
    )  # fmt: skip
    brought.add_argument(
        "--vetter", metavar="NAME",
        help="whose the verdicts in its column `verdict` are: real, not, unsure, or empty",
    )  # fmt: skip
    brought.add_argument(
        "--list", type=int, metavar="N",
        help="take them for this list of the store, by its names; no list is added",
    )  # fmt: skip
    action("list", "the lists in a store, and how far they are")
    export = action("export", "a catalogue of what was judged")
    _add_list(export)
    export.add_argument(
        "--out", required=True, type=Path, metavar="F",
        help="ECSV, CSV, FITS, VOTable, or DS9 regions (.reg), by its ending",
    )  # fmt: skip
    export.add_argument(
        "--only", default="judged", choices=["all", "judged", "accepted", "rejected", "unsure"],
        help="which detections (judged)",
    )  # fmt: skip
    export.add_argument("--prefix", default="", metavar="NAME", help="before names by position")
    export.add_argument(
        "--match", metavar="F", help="catalogue of what is known, for columns cross_id, cross_sep"
    )
    export.add_argument(
        "--within", type=float, default=60.0, metavar="ARCSEC", help="how near is the same (60)"
    )
    merge = action("merge", "the verdicts of people who worked apart, in one store")
    merge.add_argument("sources", nargs="+", metavar="FROM", help="stores to bring into it")
    export.add_argument(
        "--send", action="store_true",
        help="also hand it to TOPCAT, Aladin or DS9 by SAMP (a VOTable)",
    )  # fmt: skip
    report = action("report", "a page to read or print: tables, agreement, stamps")
    _add_list(report)
    report.add_argument(
        "--out", required=True, type=Path, metavar="F", help="HTML page to write, or .pdf"
    )
    report.add_argument("--image", metavar="IMAGE", help="what they lie on, for stamps")
    report.add_argument(
        "--max", type=int, default=200, metavar="N", help="stamps of each answer (200)"
    )
    harvest = action("harvest", "a folder to learn from: truth and hard negatives")
    _add_list(harvest)
    harvest.add_argument(
        "--data", required=True, type=Path, metavar="D",
        help="folder of Spitzer tiles with their catalogue of bubbles",
    )  # fmt: skip
    harvest.add_argument("--out", required=True, type=Path, metavar="D", help="folder to make")
    harvest.add_argument(
        "--negatives", type=int, default=2000, metavar="N",
        help="crops without bubbles drawn anywhere (2000)",
    )  # fmt: skip
    harvest.add_argument(
        "--weight", type=float, default=1.0, metavar="W",
        help="how often a rejected one is shown for each of those (1)",
    )  # fmt: skip
    harvest.add_argument(
        "--seed", type=int, default=0, metavar="S", help="another draws others (0)"
    )
    ranked = action("rescore", "who comes next, by the scores that a newer model gives")
    ranked.add_argument(
        "fresh", metavar="CATALOGUE", help="what it finds: a catalogue, or a prediction's folder"
    )
    ranked.add_argument("--vetter", metavar="NAME", help="whose queue (the only vetter's)")
    ranked.add_argument("--list", type=int, metavar="N", help=_WHICH)
    ranked.add_argument("--out", type=Path, metavar="F", help="also write the queue as a catalogue")
    _add_list(action("agreement", "how alike vetters judge, and how each does"))
    action("store", "store verdicts that wait on this machine, as the store refused them")


def _add_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--list", type=int, metavar="N", help=_WHICH)
    parser.add_argument(
        "--rule", default="majority", choices=["majority", "weighted"],
        help="how several vetters come to one answer: by majority, or by what each is worth",
    )  # fmt: skip
