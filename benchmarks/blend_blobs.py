"""What a plain blob finder makes of overlapping galaxies, to hold the models against.

    python benchmarks/blend_blobs.py STAMPS

A blob is a connected region of the smoothed stamp above four or five standard deviations of its
noise; it is a blend where it holds two peaks, and their overlap lies where both are about equally
near. Of six ways the best one is told: chosen on these very stamps, which favours it. Figures and
errors are those of `astroseg evaluate`.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.morphology import h_maxima

from napari_astroseg.engine.blendfigures import figures_of
from napari_astroseg.engine.blendobjects import Objects
from napari_astroseg.engine.bootstrap import spreads, weights
from napari_astroseg.recipes.figurenames import words_of
from napari_astroseg.sky.datasets.blended import CLASSES
from napari_astroseg.sky.datasets.opening import open_dataset
from napari_astroseg.sky.window import Window

WAYS = tuple(itertools.product((4.0, 5.0), (0.0, 1.5, 3.0)))
"""The cut, and how far a peak must rise above the saddle, both in the smoothed noise."""
SMOOTH_PX = 1.0
LEAST_PX = 5
NEAR_PX = 2.0
TABLE = ("completeness_isolated", "purity_isolated", "completeness_blended", "purity_blended")


def main() -> None:
    """Measure each way, and tell the best."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stamps", type=Path)
    stamps = open_dataset(parser.parse_args().stamps, "blended").items
    read = []
    for item in stamps:
        side, truth = item.image.shape[0], item.truth()
        assert truth is not None
        classes = sum(n * truth.pixels[name] for n, name in enumerate(CLASSES, 1))
        read.append((item.image.cutout(Window(0, 0, side, side)), classes))
    each = {way: [_counts(values, classes, *way) for values, classes in read] for way in WAYS}
    told = {way: figures_of(_total(rows, np.ones(len(rows)))) for way, rows in each.items()}
    best = max(told, key=lambda way: sum(told[way][name] for name in TABLE))
    for way in WAYS:
        row = "  ".join(f"{told[way][name]:.3f}" for name in TABLE)
        print(f"above {way[0]:g} sigma, peaks rise {way[1]:g} sigma: {row}")
    draws = [figures_of(_total(each[best], weight)) for weight in weights(len(read))]
    errors = spreads(draws)
    print(f"the best is {best[0]:g} sigma, {best[1]:g} sigma, of {len(read)} stamps:")
    for name, value in told[best].items():
        if np.isfinite(value):
            print(f"  {words_of(name):50} {value:.3f} ± {errors[name]:.3f}")


def blobs(values: NDArray[np.float32], sigmas: float, rise: float) -> NDArray[np.uint8]:
    """Classes (H, W) of a stamp: 0, 1 one galaxy, 2 overlap."""
    smooth = ndimage.gaussian_filter(values, SMOOTH_PX)
    noise = 1.4826 * np.median(np.abs(smooth - np.median(smooth)))
    found = smooth > sigmas * noise
    peaks = found & (smooth == ndimage.maximum_filter(smooth, 5))
    if rise:
        peaks &= h_maxima(smooth, rise * noise).astype(bool)
    labels, count = ndimage.label(found, np.ones((3, 3)))
    classes = found.astype(np.uint8)
    for number in range(1, count + 1):
        inside = np.argwhere(labels == number)
        tops = np.argwhere(peaks & (labels == number))
        if len(tops) > 1:
            apart = np.sort(np.linalg.norm(inside[:, None] - tops, axis=-1), 1)
            shared = inside[apart[:, 1] - apart[:, 0] < NEAR_PX]
            classes[*shared.T] = 2
    return classes


def _counts(
    values: NDArray[np.float32], truth: NDArray[np.int64], sigmas: float, rise: float
) -> dict[str, NDArray[np.float64]]:
    found = blobs(values, sigmas, rise)
    sure = np.stack([found == 1, found == 2]).astype(np.float32)
    return Objects.of(sure, np.zeros((3, *found.shape)), truth, 0.5, LEAST_PX).counts()


def _total(
    rows: list[dict[str, NDArray[np.float64]]], weight: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    sums = {
        name: np.tensordot(weight, np.stack([row[name] for row in rows]), 1) for name in rows[0]
    }
    return sums | {name: np.zeros((20, 3)) for name in ("class", "galaxy", "overlap")}


if __name__ == "__main__":
    main()
