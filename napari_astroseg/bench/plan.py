"""Plan: how large the benchmarks are and how long each is repeated."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Sizes in pixels, and the time to spend.

    Attributes
    ----------
    window_px
        Side of the window that a click predicts.
    mosaic_px
        Side of the mosaic that goes from FITS to zarr.
    image_px
        Side of the large image whose first pixels are shown.
    large_px
        Sides of the images that are opened in a window.
    openings
        How often each is opened, in a process of its own.
    pyramid_px
        Rows of 20 000 pixels whose block means are made in memory.
    compare_px
        Side of the image that is put on another's pixels.
    vote_maps
        Maps of votes of full size.
    vote_files
        Files of votes in the folder that is indexed.
    detections
        Lengths of the lists that are vetted.
    keys
        How often a verdict is given in each.
    regions
        Of a file that is read.
    steps
        Optimiser steps timed together.
    checkpoint_of
        The preset whose network is written to disk.
    budget_s
        Each benchmark is repeated about this long.
    rounds
        But so often at least.
    """

    window_px: int = 1024
    mosaic_px: int = 3072
    image_px: int = 20_000
    large_px: tuple[int, ...] = (20_000, 40_000)
    openings: int = 5
    pyramid_px: int = 8192
    compare_px: int = 4096
    vote_maps: int = 2000
    vote_files: int = 30_000
    detections: tuple[int, ...] = (1_000, 30_000, 1_000_000)
    keys: int = 200
    regions: int = 30_000
    steps: int = 6
    checkpoint_of: str = "spiral_arms"
    budget_s: float = 30.0
    rounds: int = 5

    @classmethod
    def quick(cls) -> Plan:
        """Less of everything; smaller images, of which only the ratios can be compared."""
        return cls(
            mosaic_px=1536,
            large_px=(8192,),
            openings=1,
            pyramid_px=2048,
            compare_px=1536,
            vote_maps=200,
            vote_files=500,
            detections=(30_000,),
            keys=20,
            steps=1,
            budget_s=3.0,
            rounds=3,
        )
