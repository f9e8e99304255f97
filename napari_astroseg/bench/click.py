"""Click: from asking for a window to its last pixel, over the bare forward pass of that window."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import torch

from napari_astroseg.bench import bare
from napari_astroseg.bench.fields import write_noise
from napari_astroseg.bench.plan import Plan
from napari_astroseg.bench.record import Measurement
from napari_astroseg.bench.timing import Pair, in_turn, words
from napari_astroseg.engine.model import Model
from napari_astroseg.engine.predict import predict
from napari_astroseg.engine.predictor import Predictor
from napari_astroseg.engine.service import Call, Engine
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.window import Window

_TARGET, _ALLOWANCE_S = 1.15, 0.1


def measure(plan: Plan, model: Model, scratch: Path) -> Iterator[Measurement]:
    """A window in the middle of a larger map, at no special place, of the size of a click's."""
    side = plan.window_px
    image = open_image(write_noise(scratch / "click.fits", 2 * side))
    window = Window.around(side + 5.0, side - 3.0, side)
    tiles = Predictor(model, image, 1.0, torch.device("cpu")).tiles(window)
    whole = bare.forward(model, side, side)

    def ours() -> object:
        return deque(predict(model, image, window, device="cpu"), maxlen=0)

    ways = ours, whole, bare.forwards(model, tiles)
    clicks, wholes, extents = in_turn(plan, *ways)
    yield _ratio("click", Pair(clicks, wholes), f"bare forward of {side}² px")
    computed = sum(tile.outer.width * tile.outer.height for tile in tiles) / side**2
    told = f"bare forward of its {len(tiles)} tiles with context ({computed:.2f} × the pixels)"
    yield _ratio("click, same extent", Pair(clicks, extents), told)
    yield _by_engine(plan, model, image, window, whole)


def _by_engine(
    plan: Plan, model: Model, image: SkyImage, window: Window, whole: Callable[[], object]
) -> Measurement:
    """The same through a warm engine process, as the window asks for it.

    The engine leaves one core to the window, so the bare pass gets one core less, too.
    """
    call = Call(
        "napari_astroseg.engine.predict:predict",
        (str(model.card.path), image, window),
        {"device": "cpu"},
    )
    cores = torch.get_num_threads()
    with closing(Engine()) as engine:

        def ours() -> object:
            return deque(engine.run(call), maxlen=0)

        torch.set_num_threads(max(1, cores - 1))
        try:
            pair = Pair(*in_turn(plan, ours, whole))
        finally:
            torch.set_num_threads(cores)
    told = f"bare forward of {window.height}² px, one core left free in both"
    return _ratio("click, through the engine process", pair, told)


def _ratio(name: str, pair: Pair, bare_side: str) -> Measurement:
    """A click may take its allowance on top of the ratio: what people do not notice."""
    target = _TARGET + _ALLOWANCE_S / pair.bare_s
    how = f"{words(pair.ours_s)} / {words(pair.bare_s)}: {bare_side}; target 1.15 × + 100 ms"
    return Measurement.at_most(name, pair.ratio, "× bare", target, how)
