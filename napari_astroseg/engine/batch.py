"""Batch: stamps of sky that a network sees together, and what is known of them.

A batch is a dataclass whose fields hold one entry per stamp: an array over stamps, or a tuple of
arrays of whatever lengths. So parts and devices are the same matter for every kind of truth.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray


@dataclass(frozen=True)
class Batch:
    """Stamps: `planes` (N, bands, side, side) float32, as an array or, `on` a device, a tensor."""

    planes: Any

    def __len__(self) -> int:
        return len(self.planes)

    @property
    def worth(self) -> float:
        """What its mean loss weighs beside that of other batches."""
        return float(len(self))

    def part(self, share: slice) -> Self:
        """Some of its stamps."""
        return replace(self, **{name: value[share] for name, value in self._named()})

    def parts(self, count: int) -> list[Self]:
        """The batch in up to `count` parts, as equal as can be, none empty."""
        count = max(1, min(count, len(self)))
        ends = [len(self) * number // count for number in range(count + 1)]
        return [self.part(slice(*pair)) for pair in pairwise(ends)]

    def on(self, device: torch.device) -> Self:
        """The same as tensors on a device."""
        return replace(self, **{name: _on(value, device) for name, value in self._named()})

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Every array by a name, to be kept in a file."""
        named: dict[str, NDArray[Any]] = {}
        for name, value in self._named():
            each = {name: value} if isinstance(value, np.ndarray) else _numbered(name, value)
            named |= {key: np.ascontiguousarray(array) for key, array in each.items()}
        return named

    def _named(self) -> list[tuple[str, Any]]:
        return [(field.name, getattr(self, field.name)) for field in fields(self)]


@dataclass(frozen=True)
class PixelBatch(Batch):
    """Stamps with the truth of each pixel: `target` and `weight` (N, 1, side, side) float32.

    `weight` is 1 on labelled valid pixels and 0 elsewhere.
    """

    target: Any
    weight: Any

    @property
    def worth(self) -> float:
        """The pixels that its mean loss is over."""
        return float(self.weight.sum())


def _on(value: Any, device: torch.device) -> Any:
    if isinstance(value, np.ndarray):
        return torch.from_numpy(np.ascontiguousarray(value)).to(device)
    return tuple(_on(each, device) for each in value)


def _numbered(name: str, values: Any) -> dict[str, Any]:
    return {f"{name}.{number}": value for number, value in enumerate(values)}
