"""Galaxies: a folder of Galaxy Zoo 3D, whose votes at a threshold are what is learnt."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import AstroSegError, VoteError
from napari_astroseg.sky.datasets.finding import Finding
from napari_astroseg.sky.datasets.truth import Item, Listing, Truth
from napari_astroseg.sky.files.sets import VOTE_MAPS
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.votes.folder import VoteFolder
from napari_astroseg.sky.votes.gz3d import open_gz3d
from napari_astroseg.sky.votes.index import index_votes

_NAME = re.compile(r"(gz3d_)?\d+-\d+_\d+_\d+\.fits(\.gz)?$")
_VALIDATION = 0.25
"""Rey Deutsch et al. 2023 keep 7 453 of 29 813 galaxies."""


def recognised(folder: Path) -> bool:
    """Whether a file is called as those of Galaxy Zoo 3D, or the first FITS file is one of them."""
    first = None
    for path in sorted(folder.rglob("*.fits*")):
        if _NAME.match(path.name):
            return True
        first = first or path
    if first is None:
        return False
    try:
        open_gz3d(first)
    except AstroSegError:
        return False
    return True


def listed(folder: Path, threshold: int, progress: Progress = silent) -> Listing:
    """Every readable file of a folder and below it, from its index."""
    index = index_votes(folder, progress=progress)
    records = index.records
    whole = set(records.maps["file"][records.maps["kind"] < len(VOTE_MAPS)].tolist())
    items, numbers, findings = [], [], []
    incomplete = index.incomplete
    for number, name in enumerate(records.names):
        path = folder / name
        problem = records.problems[number]
        if problem:
            findings.append(Finding.of(name, VoteError(problem)))
        elif number not in whole:
            findings.append(
                Finding(
                    name,
                    "is a plain map of counts without the picture that was voted on",
                    "keep files of Galaxy Zoo 3D alone in the folder",
                )
            )
        else:
            if name in incomplete:
                what = f"has {incomplete[name]:,} pixels without a value, taken as without votes"
                remedy = "write 0 where nobody marked anything, so that nobody wonders"
                findings.append(Finding(name, what, remedy, left_out=False))
            numbers.append(number)
            items.append(
                Item(
                    name,
                    (path,),
                    partial(_picture, path),
                    partial(_truth, path, threshold),
                    records.identities[number].strip(),
                )
            )
    known = _known(index, threshold)[numbers]
    settings = {"threshold": threshold}
    return Listing(items, VOTE_MAPS, (), tuple(findings), settings, _VALIDATION, known)


def _known(index: VoteFolder, threshold: int) -> NDArray[np.int64]:
    """`Truth.counts` of every file; its background, which no class by itself tells, is -1."""
    records = index.records
    counts = np.zeros((len(records), len(VOTE_MAPS) + 3), np.int64)
    areas = index.areas(threshold)
    counts[:, len(VOTE_MAPS)] = -1
    for kind in range(len(VOTE_MAPS)):
        own = records.maps["kind"] == kind
        files = records.maps["file"][own]
        counts[files, kind] = areas[own]
        counts[files, len(VOTE_MAPS) + 1] = records.above[records.starts[own]]
    return counts


def _picture(path: Path) -> SkyImage:
    return open_gz3d(path).picture


def _truth(path: Path, threshold: int, image: SkyImage) -> Truth:
    """Where each kind has at least as many votes as the threshold."""
    votes = open_gz3d(path).votes
    return Truth({kind: votes[kind].at_least(threshold) for kind in VOTE_MAPS})
