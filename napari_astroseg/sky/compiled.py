"""Compiled: loops by numba, kept on disk where there is a place for what it makes.

numba is imported here, so import this module where the loops are needed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """`function` by numba, kept on disk where there is a place for it, without the GIL."""
    options = {"nogil": True, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # neither this folder nor the user's can be written to
        return numba.njit(**options)(function)


def inlined(function: _Function) -> _Function:
    """`function` for use in compiled loops, which it becomes a part of: no call, no counting."""
    return cast(_Function, numba.njit(inline="always", error_model="numpy")(function))
