"""Gaussian: independent normal variables, one set for each stamp, as an encoder tells them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

_NARROWEST, _WIDEST = -7.0, 2.0
"""Bounds of log sigma: a draw a thousand times as narrow as the standard normal, seven as wide."""


class Gaussian(NamedTuple):
    """Means and logarithms of standard deviations, both (n, dimensions)."""

    mean: Tensor
    log_sigma: Tensor

    @classmethod
    def told(cls, numbers: Tensor) -> Gaussian:
        """That of an encoder's (n, 2 × dimensions) outputs, means first.

        Neither passes an activation. Log sigma is bounded: otherwise one wild step makes the
        divergence infinite and everything after it not a number, and while the divergence hardly
        weighs, draws may grow until they drown the features.
        """
        mean, log_sigma = numbers.float().chunk(2, 1)
        return cls(mean, log_sigma.clamp(_NARROWEST, _WIDEST))

    def at(self, noise: Tensor) -> Tensor:
        """The values that standard normal `noise` (n, dimensions) stands for."""
        return self.mean + self.log_sigma.exp() * noise

    def divergence(self, prior: Gaussian) -> Tensor:
        """Kullback-Leibler divergence of this one from `prior`, nats, (n,)."""
        widths = 2.0 * (self.log_sigma - prior.log_sigma)
        shift = (self.mean - prior.mean) * torch.exp(-prior.log_sigma)
        return 0.5 * (widths.exp() + shift.square() - 1.0 - widths).sum(1)
