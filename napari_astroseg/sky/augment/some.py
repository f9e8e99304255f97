"""Some: none to four of flips, quarter turns, blur and noise (Astro R-CNN, Burke et al. 2019)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from napari_astroseg.sky.augment.sample import Sample
from napari_astroseg.sky.augment.turns import FLIPS, QUARTERS

MOST = 4

BLUR_PX = 1.0
NOISE = 0.1
"""The largest sigma of the blur, and the largest share of a band's own spread that noise has. The
paper gives neither; these leave a star a star and a faint galaxy above the noise."""


def _mirrored(sample: Sample, _rng: np.random.Generator) -> Sample:
    return sample.turned(FLIPS[0])


def _upended(sample: Sample, _rng: np.random.Generator) -> Sample:
    return sample.turned(FLIPS[1])


def _turned(sample: Sample, rng: np.random.Generator) -> Sample:
    return sample.turned(QUARTERS[rng.integers(len(QUARTERS))])


def _blurred(sample: Sample, rng: np.random.Generator) -> Sample:
    return sample.blurred(rng.uniform(0.0, BLUR_PX))


def _noisy(sample: Sample, rng: np.random.Generator) -> Sample:
    return sample.noisy(rng.uniform(0.0, NOISE), rng)


WAYS: tuple[Callable[[Sample, np.random.Generator], Sample], ...] = (
    _mirrored,
    _upended,
    _turned,
    _blurred,
    _noisy,
)


def some_of(sample: Sample, rng: np.random.Generator, most: int = MOST) -> Sample:
    """A sample after none to `most` different ones of `WAYS`, in a random order."""
    count = int(rng.integers(min(most, len(WAYS)) + 1))
    for way in rng.permutation(len(WAYS))[:count].tolist():
        sample = WAYS[way](sample, rng)
    return sample
