"""Spine loops: compiled search for the longest ways along spines, however many pixels they have."""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.compiled import compiled, inlined

Places = NDArray[np.int64]
Indices = NDArray[np.int32]
Lengths = NDArray[np.float64]

_DIAGONAL = np.sqrt(2.0)


def farthest(place: Places, wide: int, sources: Places, links: tuple[Places, Indices]) -> Lengths:
    """Length of the shortest way from the nearest source to each pixel, steps of 1 and √2 pixels.

    Parameters
    ----------
    place
        (N,) row × `wide` + column of each pixel, ascending; no row is full.
    sources
        Numbers of pixels from 0 up.
    links
        Of the pixels, as `linked` gives them.
    """
    distance = np.full(len(place), np.inf)
    _walk(place, wide, sources, *links, distance)
    return distance


def linked(place: Places, wide: int) -> tuple[Places, Indices]:
    """Where the neighbours of each pixel begin, (N + 1,), and the numbers of all neighbours."""
    begins = np.zeros(len(place) + 1, np.int64)
    _count(place, wide, begins[1:])
    np.cumsum(begins, out=begins)
    neighbours = np.empty(begins[-1], np.int32)
    _link(place, wide, begins[:-1].copy(), neighbours)
    return begins, neighbours


@compiled
def firsts(owner: NDArray[Any], count: int) -> Places:
    """The first pixel of each of `count` regions that has any, by the number of each pixel's."""
    at = np.full(count + 1, -1, np.int64)
    for n in range(len(owner)):
        if at[owner[n]] < 0:
            at[owner[n]] = n
    return at[at >= 0]


@compiled
def lasts(distance: Lengths, owner: NDArray[Any], count: int) -> Places:
    """The pixel at most distance of each of these regions; of several, the last one."""
    at = np.full(count + 1, -1, np.int64)
    for n in range(len(owner)):
        best = at[owner[n]]
        if best < 0 or distance[n] >= distance[best]:
            at[owner[n]] = n
    return at[at >= 0]


@inlined
def _reached(place: Places, at: int, wanted: int) -> int:
    """The first pixel from number `at` on that is at `wanted` or beyond."""
    while at < len(place) and place[at] < wanted:
        at += 1
    return at


@compiled
def _count(place: Places, wide: int, counts: Places) -> None:
    below = 0
    for n in range(len(place)):
        if n + 1 < len(place) and place[n + 1] == place[n] + 1:
            counts[n] += 1
            counts[n + 1] += 1
        below = _reached(place, below, place[n] + wide - 1)
        at = below
        while at < len(place) and place[at] <= place[n] + wide + 1:
            counts[n] += 1
            counts[at] += 1
            at += 1


@compiled
def _link(place: Places, wide: int, free: Places, neighbours: Indices) -> None:
    below = 0
    for n in range(len(place)):
        if n + 1 < len(place) and place[n + 1] == place[n] + 1:
            _pair(free, neighbours, n, n + 1)
        below = _reached(place, below, place[n] + wide - 1)
        at = below
        while at < len(place) and place[at] <= place[n] + wide + 1:
            _pair(free, neighbours, n, at)
            at += 1


@inlined
def _pair(free: Places, neighbours: Indices, one: int, other: int) -> None:
    neighbours[free[one]], neighbours[free[other]] = other, one
    free[one] += 1
    free[other] += 1


@compiled
def _walk(
    place: Places,
    wide: int,
    sources: Places,
    begins: Places,
    neighbours: Indices,
    distance: Lengths,
) -> None:
    """Dijkstra's search, from all sources at once."""
    heap = [(0.0, sources[0])]
    distance[sources[0]] = 0.0
    for source in sources[1:]:
        distance[source] = 0.0
        heapq.heappush(heap, (0.0, source))
    while heap:
        away, n = heapq.heappop(heap)
        if away > distance[n]:
            continue
        for link in range(begins[n], begins[n + 1]):
            other = np.int64(neighbours[link])
            apart = abs(place[other] - place[n])
            further = away + (1.0 if apart in (1, wide) else _DIAGONAL)
            if further < distance[other]:
                distance[other] = further
                heapq.heappush(heap, (further, other))
