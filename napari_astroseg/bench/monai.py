"""Monai: our tiles beside MONAI's sliding windows, of the same network on the same map.

Both read one FITS file and see it normalised alike, with windows of one size, in float32, channels
last and batch norms folded. Ours ends in a zarr store, MONAI's answer in memory. How far each is
from the network's answer to the whole map at once is told in spreads of that answer.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from collections import deque
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_astroseg.bench import child
from napari_astroseg.bench.fields import write_noise
from napari_astroseg.bench.memory import Memory
from napari_astroseg.bench.plan import Plan
from napari_astroseg.bench.record import Measurement
from napari_astroseg.bench.tiles import in_tiles
from napari_astroseg.bench.timing import Pair, in_turn
from napari_astroseg.engine.model import Model, load_model
from napari_astroseg.engine.nets.base import Net
from napari_astroseg.engine.predict import predict, predicted
from napari_astroseg.engine.predictor import Predictor
from napari_astroseg.errors import SetupError
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.tiles import Tile
from napari_astroseg.sky.window import Window

_OVERLAPS = (0.25, 0.5)
"""MONAI's own choice, and what is recommended where borders show."""


def installed() -> bool:
    """Whether MONAI is."""
    return importlib.util.find_spec("monai") is not None


def measure(plan: Plan, model: Model, scratch: Path) -> Iterator[Measurement]:
    """Speed, errors and memory, each over MONAI's.

    Raises
    ------
    SetupError
        When MONAI is not installed.
    """
    if not installed():
        raise SetupError(
            "MONAI is not installed, so nothing can be held against it; pip install monai"
        )
    path = write_noise(scratch / "mosaic.fits", plan.mosaic_px)
    side = min(model.recipe.prediction.tile_px, plan.mosaic_px // 2)
    model = in_tiles(model, side)
    yield from _speeds(plan, model, path, side)
    yield from _errors(plan, model, scratch)
    yield from _memory(model, path, scratch)


def _speeds(plan: Plan, model: Model, path: Path, side: int) -> Iterator[Measurement]:
    store = path.with_suffix(".zarr")

    def ours() -> object:
        return deque(predict(model, path, device="cpu", store=store), maxlen=0)

    theirs = [partial(slid, model, path, overlap) for overlap in _OVERLAPS]
    mine, *others = in_turn(plan, ours, *theirs)
    for overlap, each in zip(_OVERLAPS, others, strict=True):
        pair = Pair(mine, each)
        rates = (plan.mosaic_px**2 / seconds / 1e6 for seconds in (pair.ours_s, pair.bare_s))
        how = "{:.2f} / {:.2f} Mpixel/s".format(*rates)
        yield Measurement.at_least(
            f"monai, overlap {overlap:g}",
            1 / pair.ratio,
            "× MONAI",
            1.0,
            f"{how}: {plan.mosaic_px}² px in windows of {side}² px",
        )


def _errors(plan: Plan, model: Model, scratch: Path) -> Iterator[Measurement]:
    """Largest differences from the whole map's answer, on a map that is answered at once."""
    stride = _net(model).stride
    whole = max(4 * stride, plan.mosaic_px // 2 // stride * stride)
    path = write_noise(scratch / "small.fits", whole)
    model = in_tiles(model, max(stride, whole // 3))
    planes = _planes(model, path)
    with torch.inference_mode():
        net = _net(model)
        truth = net.probability(net(planes)).numpy()[0]
    spread = float(truth.std())
    ours = predicted(predict(model, path, device="cpu"))
    found = float(np.abs(ours - truth).max()) / spread
    for overlap in _OVERLAPS:
        theirs = float(np.abs(slid(model, path, overlap) - truth).max()) / spread
        how = f"{found:.1e} / {theirs:.1e} σ at most, {whole}² px in windows of {whole // 3}²"
        yield Measurement.at_most(
            f"monai, error at overlap {overlap:g}", found / theirs, "× MONAI", 1.0, how
        )


def _memory(model: Model, path: Path, scratch: Path) -> Iterator[Measurement]:
    """Most memory of each, in a process of its own."""
    file = model.save(scratch / "model.safetensors")
    peaks = [
        float(
            child.run(__name__, way, str(file), str(path), scratch=scratch, cache=scratch)[
                "peak_mib"
            ]
        )
        for way in ("ours", "monai")
    ]
    how = f"{peaks[0]:.0f} / {peaks[1]:.0f} MiB over the loaded network, overlap {_OVERLAPS[1]:g}"
    yield Measurement.at_most("monai, memory", peaks[0] / peaks[1], "× MONAI", 1.0, how)


def slid(model: Model, path: Path, overlap: float) -> NDArray[np.float32]:
    """MONAI's answer (classes, H, W) to a map; windows are weighed by a Gaussian."""
    from monai.inferers import sliding_window_inference

    net, side = _net(model), model.recipe.prediction.tile_px

    def answer(planes: torch.Tensor) -> torch.Tensor:
        return net.probability(net(planes.contiguous(memory_format=torch.channels_last)))

    with torch.inference_mode():
        told: Any = sliding_window_inference(
            _planes(model, path), side, 1, answer, overlap, mode="gaussian"
        )
    values: NDArray[np.float32] = told[0].numpy()
    return values


def _planes(model: Model, path: Path) -> torch.Tensor:
    """All of a map (1, 1, H, W), as the network sees it."""
    image = open_image(path)
    predictor = Predictor(model, image, 1.0, torch.device("cpu"))
    whole = Window.whole(image.shape)
    values, _ = predictor.read(Tile(whole, whole))
    margin = (values.shape[-1] - whole.width) // 2
    inner = slice(margin, margin + whole.height), slice(margin, margin + whole.width)
    return torch.from_numpy(np.ascontiguousarray(values[inner][None, None]))


def _net(model: Model) -> Net:
    net = model.swift(torch.device("cpu"))
    assert isinstance(net, Net)
    return net


def main() -> None:
    """Print the memory that one way takes on a file."""
    way, file, path = sys.argv[1:]
    model = load_model(file)
    _net(model)
    if way == "monai":
        importlib.import_module("monai.inferers")  # what it takes by itself does not count
    memory = Memory()
    if way == "ours":
        store = Path(path).with_name("memory.zarr")
        deque(predict(model, path, device="cpu", store=store), maxlen=0)
    else:
        slid(model, Path(path), _OVERLAPS[1])
    print(json.dumps({"peak_mib": memory.peak_mib()}))


if __name__ == "__main__":
    main()
