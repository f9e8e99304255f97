"""Stored: from the numbers in a file to the floats they become."""

from __future__ import annotations

from typing import Any

import numpy as np


def value_dtype(stored: np.dtype[Any]) -> np.dtype[Any]:
    """The native float that holds every stored value exactly (64-bit integers excepted)."""
    significant = 2 if stored.kind in "iub" else 4
    return np.dtype(np.float32 if stored.itemsize <= significant else np.float64)
