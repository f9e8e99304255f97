"""Galaxy figures: how a model and the volunteers agree, galaxy by galaxy (Rey Deutsch+2023)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_astroseg.engine.bootstrap import drawn_numbers, spreads
from napari_astroseg.engine.ensemble import asked
from napari_astroseg.engine.galaxies import batch_of, open_galaxies, read_stamps
from napari_astroseg.engine.model import Model, torch_device
from napari_astroseg.engine.nets.base import Net
from napari_astroseg.engine.nets.sampling import folded
from napari_astroseg.engine.worst import worst_first
from napari_astroseg.errors import DataError
from napari_astroseg.recipes.data import VoteData
from napari_astroseg.sky.datasets.dataset import Dataset
from napari_astroseg.sky.datasets.split import Part
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.votes.index import index_votes
from napari_astroseg.sky.votes.stamps import Stamp
from napari_astroseg.sky.votes.votemap import LADDER

_BINS = 20
"""Of a histogram from 0 to 1."""

_BY_GALAXY = ("accuracy", "precision", "jaccard")
_TOLD = ("jaccard", "precision", "accuracy")
"""Of each galaxy, what decides first."""

Fractions = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Agreement:
    """What two masks of each of N galaxies share; all (N,).

    Parameters
    ----------
    accuracy
        Fraction of pixels in which they agree.
    precision, jaccard
        Shared pixels over those found, and over those in either; 0 where nothing is shared, and
        NaN where nothing is found, or is in either.
    found, marked
        Whether the model, and the volunteers, mark anything at all.
    """

    accuracy: Fractions
    precision: Fractions
    jaccard: Fractions
    found: NDArray[np.bool_]
    marked: NDArray[np.bool_]

    @classmethod
    def of(cls, found: NDArray[np.bool_], marked: NDArray[np.bool_]) -> Agreement:
        """That of masks (N, H, W)."""
        shared, either, mine, theirs = (
            mask.sum((1, 2), dtype=np.float64)
            for mask in (found & marked, found | marked, found, marked)
        )
        with np.errstate(invalid="ignore"):  # 0 / 0 is the NaN that is wanted
            return cls(
                (found == marked).mean((1, 2)),
                shared / mine,
                shared / either,
                mine > 0,
                theirs > 0,
            )

    def figures(self) -> dict[str, float]:
        """Means and standard deviations where both mark something, and how often who does."""
        both = self.found & self.marked
        told = {}
        for name in _BY_GALAXY:
            values = getattr(self, name)[both]
            told[name] = float(values.mean()) if len(values) else float("nan")
            told[f"{name}_std"] = float(values.std()) if len(values) else float("nan")
        return told | {
            "both": float(both.mean()),
            "neither": float((~self.found & ~self.marked).mean()),
            "only_volunteers": float((~self.found & self.marked).mean()),
            "only_network": float((self.found & ~self.marked).mean()),
        }

    def histograms(self) -> dict[str, list[int]]:
        """Galaxies in each twentieth of 0 to 1, of those in which both mark something."""
        both = self.found & self.marked
        return {
            name: np.histogram(getattr(self, name)[both], _BINS, (0, 1))[0].tolist()
            for name in _BY_GALAXY
        }

    def told(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """The figures of each galaxy, by its name."""
        return [
            {"name": name, **{figure: float(getattr(self, figure)[at]) for figure in _TOLD}}
            for at, name in enumerate(names)
        ]

    def drawn(self, numbers: NDArray[np.intp]) -> Agreement:
        """That of some of the galaxies."""
        return Agreement(*(values[numbers] for values in vars(self).values()))


@dataclass(frozen=True, eq=False)
class Areas:
    """How much of each of N pictures is marked.

    Parameters
    ----------
    voted
        Fraction of the picture's own pixels with at least 1, 2 … 6 votes, (N, 6).
    found
        Fraction of the stamp's pixels that the model marks, (N,).
    """

    voted: Fractions
    found: Fractions

    @classmethod
    def of(cls, dataset: Dataset, numbers: NDArray[np.intp], kind: str, found: Fractions) -> Areas:
        """Those of some of a folder's galaxies, by the index of its votes."""
        table = index_votes(dataset.folder).table(kind, LADDER)
        voted = np.column_stack([np.asarray(table[f"area_{n}"]) for n in LADDER])
        shares = voted / np.asarray(table["pixels"])[:, None]
        rows = {str(name): row for row, name in enumerate(table["file"])}
        return cls(shares[[rows[dataset.items[number].name] for number in numbers]], found)

    def figures(self) -> dict[str, float]:
        """Means over the galaxies in which anybody marked anything."""
        any_vote = self.voted[:, 0] > 0
        columns = {f"area_{n}": column for n, column in zip(LADDER, self.voted.T, strict=True)}
        columns["area_found"] = self.found
        return {
            name: float(values[any_vote].mean()) if any_vote.any() else float("nan")
            for name, values in columns.items()
        }

    def drawn(self, numbers: NDArray[np.intp]) -> Areas:
        """Those of some of the galaxies."""
        return Areas(self.voted[numbers], self.found[numbers])


def evaluate_galaxies(
    model: Model, data: Path, device: str, progress: Progress = silent
) -> dict[str, Any]:
    """Figures of a model on a folder of Galaxy Zoo 3D; see `evaluate`.

    Raises
    ------
    DataError
        When the volunteers marked nothing in it.
    """
    spec = model.recipe.data
    assert isinstance(spec, VoteData)
    dataset = open_galaxies(spec, data, progress)
    seen_in_training = dataset.digest == model.card.data_digest
    part: Part | None = "validation" if seen_in_training else None
    stamps = read_stamps(spec, dataset, part, progress)
    numbers = dataset.of("validation") if seen_in_training else np.arange(len(dataset))
    if not stamps[:, 3].any():
        raise DataError(
            f"no pixel of the galaxies of {data} has {spec.threshold} or more votes for "
            f"{spec.marked}; evaluate on galaxies where some have"
        )
    found = _found(model, stamps, torch_device(device), progress)
    agreement = Agreement.of(found, stamps[:, 3] > 0)
    areas = Areas.of(dataset, numbers, spec.marked, found.mean((1, 2)))
    draws = [
        agreement.drawn(some).figures() | areas.drawn(some).figures()
        for some in drawn_numbers(len(stamps))
    ]
    names = [dataset.items[number].name for number in numbers]
    return {
        "recipe": model.recipe.name,
        "model": model.digest,
        "data": dataset.digest,
        "figures": {"galaxies": float(len(stamps)), **agreement.figures(), **areas.figures()},
        "histograms": agreement.histograms(),
        "errors": spreads(draws),
        "worst": worst_first("jaccard", agreement.told(names)),
    }


def _found(
    model: Model, stamps: Stamp, device: torch.device, progress: Progress
) -> NDArray[np.bool_]:
    """Where the model sees a structure in each stamp, (N, side, side)."""
    nets = [net for net in model.networks(device) if isinstance(net, Net)]
    size = model.recipe.schedule.batch_size
    found = np.empty((len(stamps), *stamps.shape[2:]), bool)
    for start in range(0, len(stamps), size):
        progress("measuring galaxies", start, len(stamps))
        planes = batch_of(stamps[start : start + size], model.recipe).planes
        with torch.inference_mode():
            answers = asked(nets, model.turns, torch.from_numpy(planes).to(device))
            probability = folded(answers)[0].cpu().numpy()
        found[start : start + size] = probability[:, 0] >= model.card.threshold
    return found
