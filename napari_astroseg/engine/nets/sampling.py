"""SamplingNet: what a network can be asked that has many answers to one stamp."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from napari_astroseg.engine.nets.base import Net


class SamplingNet(Net):
    """A network whose answer depends on a draw of standard normal noise.

    Attributes
    ----------
    latent
        Dimensions of a draw.
    """

    latent: int

    @abstractmethod
    def drawn(self, planes: Tensor, noise: Tensor) -> Iterator[Tensor]:
        """Probabilities (n, classes, h, w) of planes (n, bands, h, w), one for each draw.

        Parameters
        ----------
        noise
            Standard normal, (draws, n, latent).
        """

    def moments(self, planes: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of the answers of all draws, each (n, classes, h, w)."""
        return folded(self.drawn(planes, noise))

    def samples(self, planes: Tensor, n: int, generator: torch.Generator) -> Iterator[Tensor]:
        """The answers to `n` draws of a generator on the CPU; the same ones for the same seed."""
        noise = torch.randn((n, len(planes), self.latent), generator=generator)
        return self.drawn(planes, noise.to(planes.device))


def folded(samples: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean and variance of samples of one shape, in one pass that keeps none of them.

    Raises
    ------
    ValueError
        When there are none.
    """
    count = 0
    mean = spread = torch.zeros(())
    for sample in samples:
        count += 1
        if count == 1:
            mean, spread = sample.clone(), torch.zeros_like(sample)
            continue
        step = sample - mean
        mean += step / count
        spread += step * (sample - mean)
    if not count:
        raise ValueError("there is no sample to fold")
    return mean, spread / count
