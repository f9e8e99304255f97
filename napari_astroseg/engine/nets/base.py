"""Net: what every segmentation network can be asked, whatever its family."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

from torch import Tensor, nn


class Halo(NamedTuple):
    """Context around the part that is wanted, pixels on each side of the input."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0


class Net(nn.Module, ABC):
    """A fully convolutional network from planes to one probability per pixel and class.

    Attributes
    ----------
    stride
        Input sides and tile origins must be multiples of it for exact tiling.
    reach
        Halo, a multiple of `stride`, beyond which the input cannot change an output pixel.
    """

    stride: int
    reach: int

    @abstractmethod
    def forward(self, planes: Tensor, halo: Halo = Halo()) -> Tensor:
        """Scores (n, outputs, h, w) of planes (n, bands, h, w), the `halo` taken off."""

    @abstractmethod
    def loss(self, scores: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """The scalar to minimise; `target` and `weight` are (n, classes, h, w)."""

    @abstractmethod
    def probability(self, scores: Tensor) -> Tensor:
        """Probabilities (n, classes, h, w) that scores stand for; background is no class."""

    def fused(self) -> Net:
        """The same function made faster for prediction; may be `self`."""
        return self
