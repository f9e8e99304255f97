"""Predictor: a model set up to answer tiles of one image, exactly or blended from patches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_astroseg.engine.ensemble import asked
from napari_astroseg.engine.model import Model, torch_device
from napari_astroseg.engine.nets.base import Halo, Net, Network
from napari_astroseg.engine.nets.sampling import SamplingNet, folded
from napari_astroseg.engine.prepare import by_patch, context_px, prepared
from napari_astroseg.engine.sampled import moments, noise_at
from napari_astroseg.engine.temperature import steepness, tempered
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.normalise import valid_pixels
from napari_astroseg.sky.tiles import Tile, cut, patch_corners, taper
from napari_astroseg.sky.window import Window

Probability = NDArray[np.float32]

_BATCH_PIXELS = 512 * 512
"""Patches predicted together, in pixels: beyond this a batch gains nothing on a CPU."""


class Predictor:
    """A model set up to answer tiles of one image.

    Parameters
    ----------
    factor
        Multiplies the image's values into the unit that the model expects.
    draws
        Samples of a probabilistic network; None of a deterministic one.

    Attributes
    ----------
    classes, maps
        Maps of probability in an answer, and of all: of several answers, deviations come after.
    """

    def __init__(
        self,
        model: Model,
        image: SkyImage,
        factor: float,
        device: torch.device,
        draws: int | None = None,
    ) -> None:
        self.recipe, self.image = model.recipe, image
        self.classes = len(model.recipe.data.classes)
        self._factor, self._device, self._draws = factor, device, draws
        self._temperature = model.card.temperature
        self._turns = model.turns
        self._nets = [_segmenting(net) for net in model.networks(device)]
        self._net = self._nets[0]
        self._several = draws is not None or self._turns * len(self._nets) > 1
        self.maps = self.classes * (2 if self._several else 1)
        self._patchwise = by_patch(model.recipe)

    @property
    def names(self) -> list[str]:
        """What the maps of an answer are called."""
        classes = self.recipe.data.classes
        return [*classes, *(f"uncertainty of {each}" for each in classes)][: self.maps]

    def tiles(self, window: Window) -> list[Tile]:
        """The work that covers `window`."""
        reach = 0 if self._patchwise else self._net.reach
        side = self.recipe.prediction.tile_px
        return cut(window, self.image.shape, side, self._net.stride, reach)

    def read(self, tile: Tile) -> tuple[Probability, NDArray[np.bool_]]:
        """Values, normalised unless each patch is by itself, and which of them carry data.

        All that a tile's answer depends on; it needs no network, so it can run ahead of it.
        """
        margin = self.recipe.data.side_px if self._patchwise else context_px(self.recipe)
        values = self.image.cutout(tile.outer.grown(margin)) * np.float32(self._factor)
        valid = valid_pixels(values, self.recipe.data.floor)
        if valid.ndim > 2:
            valid = np.logical_and.reduce(valid)
        return values if self._patchwise else prepared(values, valid, self.recipe), valid

    def answer(self, tile: Tile, values: Probability, valid: NDArray[np.bool_]) -> Probability:
        """The answer (maps, h, w) to a tile's core, NaN where its pixels are missing."""
        margin = (values.shape[-2] - tile.outer.height) // 2
        top, left = (tile.core.y - tile.outer.y + margin, tile.core.x - tile.outer.x + margin)
        core = slice(top, top + tile.core.height), slice(left, left + tile.core.width)
        if not valid[core].any():
            return np.full((self.maps, *tile.core.shape), np.nan, np.float32)
        if self._patchwise:
            answer = self._blended(tile, values, valid, margin)
        else:
            answer = self._exact(tile, values, margin)
        self._temper(answer)
        answer[:, ~valid[core]] = np.nan
        return answer

    def _temper(self, answer: Probability) -> None:
        """Calibrate an answer in place; deviations stretch as the probabilities around them do."""
        if self._temperature == 1.0:
            return
        mean = answer[: self.classes]
        answer[self.classes :] *= steepness(mean, self._temperature)[: self.maps - self.classes]
        answer[: self.classes] = tempered(mean, self._temperature)

    def _exact(self, tile: Tile, values: Probability, margin: int) -> Probability:
        inner = slice(margin, margin + tile.outer.height), slice(margin, margin + tile.outer.width)
        planes = (values if values.ndim > 2 else values[None])[:, *inner][None]
        answer = self._forward(planes, Halo(*tile.halo))[0]
        if self._several:
            answer[self.classes :] = np.sqrt(answer[self.classes :])
        return answer

    def _blended(
        self, tile: Tile, values: Probability, valid: NDArray[np.bool_], margin: int
    ) -> Probability:
        side = self.recipe.data.side_px
        step = max(1, round(side * (1.0 - self.recipe.prediction.overlap)))
        corners = patch_corners(tile.core, side, step)
        weight = taper(side)
        exact = np.float64 if self._several else np.float32  # of squares that nearly cancel
        total = np.zeros((self.maps, *values.shape), exact)
        weights = np.zeros(values.shape, np.float32)
        at_once = max(1, _BATCH_PIXELS // side**2)
        for first in range(0, len(corners), at_once):
            places = [
                (slice(y - tile.outer.y + margin, y - tile.outer.y + margin + side),
                 slice(x - tile.outer.x + margin, x - tile.outer.x + margin + side))
                for x, y in corners[first : first + at_once]
            ]  # fmt: skip
            planes = np.stack([prepared(values[p], valid[p], self.recipe) for p in places])
            answers = self._stamps(planes[:, None], corners[first : first + at_once])
            for place, answer in zip(places, answers, strict=True):
                total[:, *place] += answer * weight
                weights[place] += weight
        top, left = tile.core.y - tile.outer.y + margin, tile.core.x - tile.outer.x + margin
        core = slice(top, top + tile.core.height), slice(left, left + tile.core.width)
        blend = np.divide(total[:, *core], weights[core], dtype=exact)
        if self._several:
            mean, square = blend[: self.classes], blend[self.classes :]
            blend[self.classes :] = np.sqrt(np.maximum(square - mean**2, 0.0))
        return blend.astype(np.float32, copy=False)

    def _stamps(self, planes: Probability, corners: list[tuple[int, int]]) -> NDArray[Any]:
        """Answers to whole patches; of several, the mean of each class and that of its square."""
        if not self._several:
            return self._forward(planes)
        if self._draws is None:
            told = self._forward(planes).astype(np.float64)
        else:
            assert isinstance(self._net, SamplingNet)
            noise = noise_at(corners, self._draws, self._net.latent, self.recipe.schedule.seed)
            told = moments(self._net, planes, noise, self._device).astype(np.float64)
        told[:, self.classes :] += told[:, : self.classes] ** 2
        return told

    def _forward(self, planes: Probability, halo: Halo = Halo()) -> Probability:
        """The answer (n, classes, h, w); of several their means, then their variances."""
        with torch.inference_mode():
            given = torch.from_numpy(np.ascontiguousarray(planes)).to(
                self._device, memory_format=torch.channels_last
            )
            each = asked(self._nets, self._turns, given, halo)
            told = torch.cat(folded(each), 1) if self._several else next(each)
            answer: Probability = told.cpu().numpy()
        return answer


def _segmenting(net: Network) -> Net:
    """The network of a model of pixels."""
    assert isinstance(net, Net)
    return net


def answering(
    model: Model, image: SkyImage, factor: float, draws: int | None, device: str
) -> Callable[[Tile], Probability]:
    """What reads and answers a tile by itself, on the worker of a cluster."""
    predictor = Predictor(model, image, factor, torch_device(device), draws)
    return lambda tile: predictor.answer(tile, *predictor.read(tile))
