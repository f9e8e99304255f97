"""Papers: the figures that each layout's paper or talk states, to be set beside ours."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Published:
    """What a paper states.

    Parameters
    ----------
    source
        The paper.
    measured_on
        What its figures are of.
    figures
        Name of a figure, as `evaluate` tells it, → its value in words.
    """

    source: str
    measured_on: str
    figures: dict[str, str] = field(default_factory=dict)


PUBLISHED = {
    "four_maps": Published(
        "Zavagno et al. 2023, A&A 669, A120",
        "Hi-GAL column-density maps of the Galactic plane; it shows these figures as curves over "
        "the threshold, none as a number that could stand here",
    ),
    "gz3d": Published(
        "Rey Deutsch, Bignone & Pedrosa 2023, BAAA 64",
        "7 453 validation galaxies of Galaxy Zoo 3D, at three votes and more",
        {
            "accuracy": "0.95",
            "accuracy_std": "0.04",
            "precision": "0.71",
            "precision_std": "0.27",
            "jaccard": "0.34",
            "jaccard_std": "0.20",
            "both": "0.18",
            "neither": "0.73",
        },
    ),
    "astro_rcnn": Published(
        "Shah, Galaxy segmentation and deblending using deep learning (poster)",
        "14 simulated test images",
        {"ap50_galaxy": "0.816", "ap50_star": "0.708"},
    ),
    "blended": Published(
        "Bretonnière, Boucaud & Huertas-Company 2021, NeurIPS ML4PS",
        "simulated stamps of 128 pixels",
        {
            "completeness_isolated": "0.991",
            "purity_isolated": "0.985",
            "completeness_blended": "0.873",
            "purity_blended": "0.936",
            "authors_completeness_isolated": "0.991",
            "authors_purity_isolated": "0.985",
            "authors_completeness_blended": "0.873",
            "authors_purity_blended": "0.936",
            "iou_isolated": "> 0.8 at any magnitude",
            "iou_blended": "> 0.55",
            "authors_iou_isolated": "> 0.8 at any magnitude",
            "authors_iou_blended": "> 0.55",
            "null": "an empty stamp yields an empty map",
        },
    ),
    "bubbles": Published(
        "Nishimoto et al. 2025, PASJ, psaf008",
        "Spitzer mosaics; recall in the test region, of Milky Way Project bubbles whose 8 µm "
        "clearly encompasses 24 µm; detections over 1° ≤ |l| ≤ 65°, |b| ≤ 1°",
        {"recall": "0.98", "detections": "3 006", "new": "1 413"},
    ),
}
"""By layout of the data."""
