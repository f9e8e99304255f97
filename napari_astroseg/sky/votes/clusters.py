"""Clusters: points that several people marked, as ellipses of votes, by the rule of Galaxy Zoo 3D.

Points are clustered by DBSCAN (at least three within 5 px). A cluster's 2 σ ellipse gets as many
votes as it has points; points outside any cluster have none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.votes.outlines import Path

REACH_PX = 5.0
FEWEST = 3
SIGMAS = 2.0
_FLAT = 1e-12
"""Ratio of variances below which points lie on one line, but for rounding."""


@dataclass(frozen=True, eq=False)
class Cluster:
    """Points that mark one thing.

    Parameters
    ----------
    members
        Which of the points belong to it.
    mean
        (x, y), px.
    covariance
        (2, 2), px².
    """

    members: NDArray[np.intp]
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]

    def ellipse(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """The pixels of its 2 σ ellipse, (H, W); none where its points lie on one line."""
        inside = np.zeros(shape, bool)
        axes, variances, _ = np.linalg.svd(self.covariance)
        if variances[1] <= _FLAT * variances[0]:
            return inside
        reach = SIGMAS * np.sqrt(variances[0])
        low = np.maximum(np.floor(self.mean - reach).astype(int), 0)
        high = np.minimum(np.ceil(self.mean + reach).astype(int) + 1, shape[::-1])
        if (low >= high).any():
            return inside
        rows, columns = np.mgrid[low[1] : high[1], low[0] : high[0]]
        away = np.stack((columns - self.mean[0], rows - self.mean[1]), -1) @ axes
        near = (away**2 / (SIGMAS**2 * variances)).sum(-1) <= 1
        inside[low[1] : high[1], low[0] : high[0]] = near
        return inside


def clusters(points: Path) -> list[Cluster]:
    """The clusters of points (x, y), (N, 2), px."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    if len(points) < FEWEST:
        return []
    near = cKDTree(points).query_ball_point(points, REACH_PX)
    core = np.array([len(each) >= FEWEST for each in near])
    pairs = [(i, j) for i, js in enumerate(near) if core[i] for j in js if core[j]]
    if not pairs:
        return []
    i, j = np.array(pairs).T
    _, of = connected_components(coo_array((np.ones(len(i)), (i, j)), (len(points),) * 2))
    for place in np.flatnonzero(~core):  # the edge of a cluster goes with the first that is near
        beside = [each for each in near[place] if core[each]]
        of[place] = min((of[each] for each in beside), default=-1)
    found = []
    for label in dict.fromkeys(of[core]):
        members = np.flatnonzero(of == label)
        own = points[members]
        found.append(Cluster(members, own.mean(0), np.cov(own.T)))
    return found
