"""Settings: what a simulated sky of filaments holds, in units."""

from __future__ import annotations

from dataclasses import dataclass

from napari_astroseg.sky.simulate.roi import RoiCriteria

UNIT_AREA = 512 * 512
"""Counts of structures in the settings are per this many pixels."""


@dataclass(frozen=True, slots=True)
class FilamentSettings:
    """What a simulated sky holds; counts are per 512 x 512 pixels, ranges are drawn per sky.

    The defaults give the power at scales of 1 to 32 px, the skewness and the spread of ridge
    curvatures of a Hi-GAL map of the plane, each within about 20 % except the skewness, which
    is two fifths of the real one.
    """

    log_density: tuple[float, float] = (21.3, 22.5)
    """Range of the median log10 N(H2) in cm^-2."""
    turbulence_dex: tuple[float, float] = (0.17, 0.26)
    """Range of the standard deviation of log10 N of the clouds."""
    veil: tuple[float, float] = (0.3, 0.6)
    """Range of the fraction of N in a smooth sheet before and behind the clouds."""
    slope: tuple[float, float] = (-3.7, -3.3)
    """Range of the index of its power spectrum."""
    intermittency: float = 0.45
    """Scatter of the amplitude of fine structure from place to place, natural logarithm."""
    patch_px: float = 30.0
    """Structure finer than this counts as fine, pixels."""
    warp_px: float = 9.0
    """Shear that draws the turbulence into wisps, standard deviation in pixels."""
    latitude_dex: float = 0.35
    """Largest fall of log10 N from the Galactic plane to the edge of the sky."""
    filaments: float = 120.0
    """Mean number of filaments, branches not counted."""
    length_px: float = 38.0
    """Median length of a filament in pixels."""
    contrast: float = 0.32
    """Median excess of a filament over its surroundings, as a fraction, before the beam."""
    contrast_dex: float = 0.40
    """Log-normal scatter of that excess."""
    hubs: float = 5.0
    """Mean number of hubs, where three to six filaments meet."""
    clumps: float = 180.0
    """Mean number of compact clumps off filaments."""
    cores: float = 0.012
    """Mean number of compact cores per pixel of filament."""
    shells: float = 5.0
    """Mean number of H II shells."""
    beam_px: float = 3.1
    """Full width at half maximum of the beam: 36 arcsec, Herschel at 500 um."""
    noise: float = 0.002
    """Noise of the map as a fraction of N, at the scale of a pixel."""
    noise_floor: float = 2e19
    """Noise of the map in empty sky, cm^-2."""
    criteria: RoiCriteria = RoiCriteria()
    """What makes a structure a filament's region of interest."""
    background_gap_px: int = 2
    """Certain background starts this far from any hint of a ridge, pixels."""
    holes: float = 2.0
    """Mean number of saturation holes (NaN)."""
    edges: float = 0.3
    """Chance that a mosaic's stepped edge cuts off one side of the sky, for each side."""
    edge_rim: float = 0.06
    """Scatter of the error along that edge as a fraction of N; it fades over 2 px."""
    edge_gap_px: float = 8.0
    """No RoI is marked so near the edge, as on the survey map looked at; derivatives fail there."""
    pixel_arcsec: float = 11.5
    """Size of a pixel on the sky."""
