"""What people judged: list it, write it as a catalogue, bring it together, learn from it.

STORE is a file, or postgresql://USER@HOST/DATABASE. Verdicts are given in the window, or written
into a table and brought in with `import`.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from napari_astroseg.cli.vetqueue import import_list, rescore
from napari_astroseg.cli.vetstore import number_meant, opened
from napari_astroseg.cli.vetwords import declare
from napari_astroseg.errors import VettingError

if TYPE_CHECKING:
    from napari_astroseg.review.outcome import Outcome

HELP = "verdicts of people: import, list, export, report, merge, harvest, rescore, agreement"


def add(verb: argparse.ArgumentParser) -> None:
    """Declare the verb's words."""
    does = {
        "import": import_list, "list": _list, "export": _export, "merge": _merge,
        "report": _report, "harvest": _harvest, "rescore": rescore, "agreement": _agreement,
        "store": _store,
    }  # fmt: skip
    declare(verb, does)


def run(options: argparse.Namespace) -> int:
    """Do what was asked for."""
    for name in ("quiet", "debug", "json"):
        setattr(options, name, getattr(options, name, False))
    status: int = options.act(options)
    return status


def _outcome(options: argparse.Namespace) -> Outcome:
    from napari_astroseg.review.outcome import Outcome

    store = opened(options.store)
    try:
        return Outcome.of(store, number_meant(store, options), options.rule)
    finally:
        store.close()


def _store(options: argparse.Namespace) -> int:
    from napari_astroseg.review.keeping import Keeping

    store = opened(options.store)
    try:
        found = 0
        for listed in store.lists():
            keeping = Keeping(store, listed.number, listed.digest)
            found += keeping.recover()
            keeping.close()
    finally:
        store.close()
    if options.json:
        print(json.dumps({"stored": found}))
    else:
        print(f"{found:,} verdict{'s' * (found != 1)} stored" if found else "nothing waits")
    return 0


def _list(options: argparse.Namespace) -> int:
    store = opened(options.store)
    lists = store.lists()
    store.close()
    if options.json:
        print(json.dumps([asdict(each) for each in lists], indent=2))
        return 0
    for each in lists:
        print(
            f"{each.number}: {each.source or 'detections'}, "
            f"{each.detections:,} detection{'s' * (each.detections != 1)}, "
            f"{each.entries:,} {'entry' if each.entries == 1 else 'entries'} by "
            f"{each.vetters} vetter{'s' * (each.vetters != 1)}, added {each.added[:10]}"
        )
    if not lists:
        print("no list yet")
    return 0


def _export(options: argparse.Namespace) -> int:
    from napari_astroseg.review.outcome import catalogue_of, write_outcome
    from napari_astroseg.review.reading import open_detections
    from napari_astroseg.review.samp import send_table

    outcome = _outcome(options)
    catalogue = catalogue_of(
        outcome,
        options.only,
        prefix=options.prefix,
        reference=open_detections(options.match) if options.match else None,
        within_arcsec=options.within,
    )
    if options.send and options.out.suffix.lower() not in (".vot", ".xml"):
        raise VettingError(
            f"{options.out.name} is no VOTable, which is what is sent; end it in .vot"
        )
    path = write_outcome(options.out, outcome, catalogue, options.only)
    takers = send_table(path, path.stem) if options.send else []
    if options.json:
        print(json.dumps({"rows": len(catalogue), "file": str(path), "sent_to": takers}))
    else:
        print(f"wrote {path}: {len(catalogue):,} of {len(outcome.detections):,} detections")
        if takers:
            print(f"sent to {', '.join(takers)}")
    return 0


def _report(options: argparse.Namespace) -> int:
    from napari_astroseg.cli.progress import steps_told
    from napari_astroseg.review.report import write_report
    from napari_astroseg.review.reportpdf import write_pdf
    from napari_astroseg.sky.opening import open_image

    outcome = _outcome(options)
    with steps_told(options.quiet) as progress:
        image = open_image(options.image, progress=progress) if options.image else None
        write = write_pdf if options.out.suffix.lower() == ".pdf" else write_report
        path = write(options.out, outcome, image, most=max(0, options.max), progress=progress)
    print(json.dumps({"file": str(path)}) if options.json else f"wrote {path}")
    return 0


def _harvest(options: argparse.Namespace) -> int:
    from napari_astroseg.cli.progress import steps_told
    from napari_astroseg.review.harvest import harvest

    outcome = _outcome(options)
    with steps_told(options.quiet) as progress:
        made = harvest(
            outcome, options.data, options.out, count=options.negatives, weight=options.weight,
            seed=options.seed, progress=progress,
        )  # fmt: skip
    if options.json:
        print(json.dumps(asdict(made) | {"folder": str(made.folder)}, indent=2))
        return 0
    print(
        f"{made.folder}: {made.bubbles:,} bubbles ({made.added:,} added, "
        f"{made.replaced:,} revised, {made.removed:,} removed), {made.negatives:,} hard negatives"
    )
    for note in made.notes:
        print(f"  {note}")
    print(
        f"learn from it: astroseg train bubbles_small --data {made.folder} --out RUN "
        "--from bubbles_small --set schedule.epochs=2 schedule.stage_epochs=[2] "
        "schedule.stage_rates=[4e-4] schedule.head_stages=1"
    )
    return 0


def _merge(options: argparse.Namespace) -> int:
    from napari_astroseg.cli.progress import steps_told
    from napari_astroseg.review.merging import merge

    store = opened(options.store, new=True)
    try:
        with steps_told(options.quiet) as progress:
            merged = merge(store, options.sources, progress)
    finally:
        store.close()
    if options.json:
        print(json.dumps([asdict(each) for each in merged], indent=2))
        return 0
    for each in merged:
        print(f"{each.source}: {each.lists} new lists, {each.entries:,} new entries")
    return 0


def _agreement(options: argparse.Namespace) -> int:
    from napari_astroseg.review.agreement import fleiss_kappa, habits, pairs

    outcome = _outcome(options)
    disagreements = outcome.answers.disagreements
    told = {
        "vetters": [
            {
                "vetter": each.vetter,
                "judged": each.judged,
                **each.counts,
                "seconds": _figure(each.seconds),
                "completeness": _figure(each.skill.completeness),
                "false_alarms": _figure(each.skill.false_alarms),
            }
            for each in habits(outcome.standing, outcome.names, outcome.known)
        ],
        "fleiss": _figure(fleiss_kappa(outcome.answers.counts)),
        "pairs": [
            {**asdict(each), "kappa": _figure(each.kappa)} for each in pairs(outcome.answers)
        ],
        "disagreements": [outcome.detections.names[row] for row in disagreements],
    }
    print(json.dumps(told, indent=2) if options.json else "\n".join(_words(told)))
    return 0


def _words(told: dict[str, Any]) -> list[str]:
    lines = [
        f"{each['vetter']}: {each['judged']:,} judged, {each['real']:,} real, {each['not']:,} not, "
        f"{each['unsure']:,} unsure, {each['duplicate']:,} duplicates; "
        f"of planted ones completeness {_spoken(each['completeness'])}, "
        f"false alarms {_spoken(each['false_alarms'])}"
        for each in told["vetters"]
    ]
    lines += [
        f"{each['first']} and {each['second']}: {each['both']:,} in common, "
        f"{each['alike']:.1%} alike, kappa {_spoken(each['kappa'])}"
        for each in told["pairs"]
    ]
    lines.append(f"Fleiss' kappa {_spoken(told['fleiss'])}")
    lines.append(f"{len(told['disagreements']):,} disagreements")
    return lines + [f"  {name}" for name in told["disagreements"][:20]]


def _figure(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _spoken(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
