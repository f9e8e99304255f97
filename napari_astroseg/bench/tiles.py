"""Tiles: a mosaic from FITS through the network to zarr, over the bare forward passes alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from napari_astroseg.bench import bare
from napari_astroseg.bench.fields import write_noise
from napari_astroseg.bench.plan import Plan
from napari_astroseg.bench.record import Measurement
from napari_astroseg.bench.timing import Pair, in_turn
from napari_astroseg.engine.model import Model
from napari_astroseg.engine.predict import predict

_TARGET = 0.88

_LEAST = 64
"""The smallest tile that a recipe may ask for, pixels."""


def measure(plan: Plan, model: Model, scratch: Path) -> Iterator[Measurement]:
    """Mpixel/s of everything over Mpixel/s of the net on tiles without context."""
    path = write_noise(scratch / "mosaic.fits", plan.mosaic_px)
    tile = min(model.recipe.prediction.tile_px, plan.mosaic_px)
    count = round((plan.mosaic_px / tile) ** 2)
    once = bare.forward(model, tile, tile)

    def ours() -> object:
        store = scratch / "mosaic.zarr"
        return deque(predict(model, path, device="cpu", store=store), maxlen=0)

    def passes() -> object:
        return [once() for _ in range(count)]

    pair = Pair(*in_turn(plan, ours, passes))
    ours_rate = plan.mosaic_px**2 / pair.ours_s / 1e6
    bare_rate = count * tile**2 / pair.bare_s / 1e6
    value = plan.mosaic_px**2 / (count * tile**2) / pair.ratio
    how = (
        f"{ours_rate:.2f} / {bare_rate:.2f} Mpixel/s: a {plan.mosaic_px}² px FITS file to zarr, "
        f"against bare forwards of {tile}² px"
    )
    yield Measurement.at_least("tiles", value, "× bare", _TARGET, how)


def in_tiles(model: Model, side: int) -> Model:
    """The same model, predicting in tiles of about another side, pixels."""
    recipe = model.recipe.replace(prediction__tile_px=max(_LEAST, side // 16 * 16))
    return replace(model, card=replace(model.card, recipe=recipe))
