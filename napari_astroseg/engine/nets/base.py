"""Network, Net: what every network can be asked, and what a segmenting one can besides."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, NamedTuple

from torch import Tensor, nn


class Halo(NamedTuple):
    """Context around the part that is wanted, pixels on each side of the input."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0


class Network(nn.Module, ABC):
    """What learns from the batches of a loader, whose judge takes its answers."""

    @abstractmethod
    def learn(self, batch: Any) -> Tensor:
        """The scalar to minimise, a mean over what the batch of tensors is worth."""

    @abstractmethod
    def answer(self, planes: Tensor) -> Any:
        """What planes (n, bands, h, w) hold, on the CPU, as the loader's judge takes it."""

    def judged(self, batch: Any) -> tuple[Any, Tensor]:
        """Answer and loss of one batch of tensors; in one go where a network can."""
        return self.answer(batch.planes), self.learn(batch)

    def fused(self) -> Network:
        """The same function made faster for prediction; may be `self`."""
        return self

    def heads(self) -> Iterator[nn.Parameter]:
        """The weights that learn while the others rest; all, where there are no heads."""
        yield from self.parameters()


class Net(Network):
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

    def learn(self, batch: Any) -> Tensor:
        """The loss of the scores, over the pixels that the batch's `weight` counts."""
        return self.loss(self(batch.planes), batch.target, batch.weight)

    def answer(self, planes: Tensor) -> Any:
        """Probabilities (n, classes, h, w), a NumPy array of float32."""
        return self.probability(self(planes)).float().cpu().numpy()

    def judged(self, batch: Any) -> tuple[Any, Tensor]:
        """Probabilities as `answer` gives them, and the loss."""
        scores = self(batch.planes)
        loss = self.loss(scores, batch.target, batch.weight)
        return self.probability(scores).float().cpu().numpy(), loss

    def fused(self) -> Net:
        """The same function made faster for prediction; may be `self`."""
        return self
