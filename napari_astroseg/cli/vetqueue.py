"""Vetqueue: what `astroseg vet` does with lists: bring one in, and rank it by a newer model."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from napari_astroseg.cli.vetstore import number_meant, opened
from napari_astroseg.errors import VettingError

if TYPE_CHECKING:
    from napari_astroseg.review.store import Store

_SHOWN = 10


def import_list(options: argparse.Namespace) -> int:
    """Keep a list, and with --vetter the verdicts in its column `verdict`."""
    from napari_astroseg.cli.progress import steps_told
    from napari_astroseg.review.reading import open_detections
    from napari_astroseg.review.verdictfile import has_verdicts, take_verdicts

    store, taken = opened(options.store, new=options.list is None), 0
    try:
        with steps_told(options.quiet) as progress:
            if options.list is None:
                found = open_detections(options.detections, progress=progress)
                number = store.add(found, progress)
                for note in () if options.quiet else found.notes:
                    print(note, file=sys.stderr)
            else:
                number = number_meant(store, options)
        if options.vetter is not None:
            taken = take_verdicts(store, number, options.detections, options.vetter)
        elif has_verdicts(options.detections) and not options.quiet:
            print("its verdicts are left out; say whose they are with --vetter", file=sys.stderr)
        listed = next(each for each in store.lists() if each.number == number)
    finally:
        store.close()
    if options.json:
        told = {"list": number, "detections": listed.detections, "verdicts": taken}
        print(json.dumps(told, indent=2))
        return 0
    count = f"{listed.detections:,} detection{'s' * (listed.detections != 1)}"
    line = f"list {number}: {listed.source or 'detections'}, {count}"
    if options.vetter is not None:
        line += f"; {taken:,} new verdict{'s' * (taken != 1)} of {options.vetter}"
    print(line)
    return 0


def rescore(options: argparse.Namespace) -> int:
    """Deal the queue anew by a newer model's scores, and say who comes next."""
    from napari_astroseg.review.queuefile import open_rows, queue_of
    from napari_astroseg.review.reading import open_detections
    from napari_astroseg.review.session import VettingSession

    fresh = open_detections(options.fresh)
    store = opened(options.store)
    try:
        number = number_meant(store, options)
        vetter = options.vetter or _only_vetter(store, number)
        with VettingSession(store, number, vetter) as session:
            found, total = session.rescore(fresh), len(session.detections)
            names = [session.detections.names[row] for row in open_rows(session)]
            if options.out is not None:
                queue_of(session).write(options.out)
    finally:
        store.close()
    if options.json:
        print(json.dumps({"found": found, "of": total, "vetter": vetter, "queue": names}, indent=2))
        return 0
    waiting = f"{len(names):,} wait{'s' * (len(names) == 1)}"
    print(f"the newer model finds {found:,} of {total:,}; {waiting} for {vetter}")
    if names:
        print(f"next: {', '.join(names[:_SHOWN])}{' …' * (len(names) > _SHOWN)}")
    if options.out is not None:
        print(f"wrote {options.out}")
    return 0


def _only_vetter(store: Store, number: int) -> str:
    from napari_astroseg.review.standing import standings

    vetters = list(standings(store.entries(number)))
    if len(vetters) != 1:
        has = f"{', '.join(vetters)} judged this list" if vetters else "nobody judged this list yet"
        raise VettingError(f"{has}; say whose queue it is with --vetter")
    return vetters[0]
