"""MemoryWatch: how much memory a training holds, looked up now and then."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil
import torch

from napari_astroseg.engine.events import MemoryUsed

_EVERY_S = 1.0


class MemoryWatch:
    """The memory of this process, and of its device.

    Parameters
    ----------
    device
        Where the network is; only a CUDA device has memory of its own to tell.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._process = psutil.Process()
        self._due = 0.0

    def now(self) -> Iterator[MemoryUsed]:
        """What is held; nothing where that was told within the last second."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + _EVERY_S
        main = int(self._process.memory_info().rss)
        if self._device.type != "cuda":
            yield MemoryUsed(main)
            return
        total = torch.cuda.get_device_properties(self._device).total_memory
        yield MemoryUsed(main, torch.cuda.memory_reserved(self._device), total)
