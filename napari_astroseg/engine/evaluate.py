"""Evaluate: a model against truth it has not seen, in the figures of the paper it follows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari_astroseg.engine.blendfigures import evaluate_blended
from napari_astroseg.engine.bubblefigures import evaluate_bubbles
from napari_astroseg.engine.galaxyfigures import evaluate_galaxies
from napari_astroseg.engine.mapfigures import evaluate_maps
from napari_astroseg.engine.model import Model, load_model
from napari_astroseg.engine.objectfigures import evaluate_objects
from napari_astroseg.errors import DataError
from napari_astroseg.recipes.data import PatchData
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.window import Window

Measure = Callable[[Model, Path, str, Progress], dict[str, Any]]

_WHOLE: dict[str, tuple[str, Measure]] = {
    "gz3d": ("galaxies", evaluate_galaxies),
    "blended": ("stamps", evaluate_blended),
    "bubbles": ("tiles", evaluate_bubbles),
    "astro_rcnn": ("images", evaluate_objects),
}
"""By layout: what is measured as a whole only, and by what."""


def evaluate(
    model: str | Path | Model,
    data: str | Path,
    *,
    background: str = "one_vs_all",
    window: Window | None = None,
    device: str = "auto",
    progress: Progress = silent,
) -> dict[str, Any]:
    """Figures of a model on data in the layout that its recipe learns from.

    Parameters
    ----------
    data
        Folder of fields, or the image file of one; folder of galaxies.
    background
        What counts as negative: `one_vs_all` (every valid pixel off target), `conservative`
        (the background map alone), or `auto`.
    window
        Only this part of each field; refused for galaxies and for tiles with bubbles, to which
        `background` does not apply.
    progress
        Called as images are done; may stop the work.

    Returns
    -------
    `recipe`, `model`, `data`, `figures` and `errors`; `layout` of the data; and `worst`, the
    images on which the model does worst, `by` which figure. Errors are one standard deviation over
    bootstrap draws of sky.

    Figures on four maps: `dice`, `recovery`, `background_recovery`, `missed`, `new` at the model's
    own threshold, `dice_0.2` … `dice_0.8`, the best `dice_best` with its `threshold_best`,
    `average_precision`, `roc_auc`; NaN where there is nothing to count (`new` where no pixel was
    found). Of a folder that the model was trained on, only areas that no training patch touched
    count. Errors are over draws of 64-pixel areas of sky. Besides, `thresholds`: the first five
    over the threshold, with their errors; and `precision_recall` of pixels.

    Figures on galaxies: `accuracy`, `precision` and `jaccard`, the means over the galaxies in which
    both the volunteers and the network mark something, each with its `_std` from galaxy to galaxy;
    of all `galaxies`, the fractions in which `both`, `neither`, `only_volunteers` or
    `only_network` do. `area_1` … `area_6`: fraction of a picture with so many votes or more, and
    `area_found` that the network marks, the means over galaxies with any vote. Pixels are those
    of the recipe's stamps. Of a folder that the model was trained on, only the validation galaxies
    count. Errors are over draws of galaxies. Besides, `histograms` of the three: galaxies in each
    twentieth of 0 to 1.

    Figures on stamps of overlapping galaxies, for objects that are `isolated` and `blended`:
    `completeness_…` and `purity_…`, `detected_…` whatever they are taken for, `iou_…` of the
    detected ones. `null` is the fraction of stamps without a galaxy in which none is found; `ece`
    the expected calibration error of all pixels, `ece_galaxy` and `ece_overlap` those of pixels
    that may be of a galaxy. Errors are over draws of stamps. Besides, `magnitudes`: galaxies,
    the fraction detected, mean IoU and variance in bins of magnitude, with their errors, where
    catalogues lie beside the stamps; and `reliability`, the curves of calibration.

    Figures on tiles with bubbles, of detections from the model's own score cut up: `f2` = 5PR / (4P
    + R), `precision` P and `recall` R, the fraction of the catalogue's `bubbles` that a detection
    shares a third of the box with; how many `detections` there are, and how many are `new`, of no
    bubble in the catalogue; `f2_best` at the best cut from 0.50 to 0.95, `threshold_best`. Of a
    folder that the model was trained on, only the validation tiles count. Besides, `sizes`: how
    many bubbles there are, and how many recovered, in bins of semi-major axis; and `scan`: F2 and
    what it is made of over the score cut, with their errors.

    Figures on sets of stars and galaxies, of each class (`ap50_star`) and as means of both: `ap50`,
    the average precision at an overlap (IoU of masks) of 0.50; `ap`, its mean over 0.50 (0.05)
    0.95; at the model's own score cut `precision`, `recall` and the mean overlap of what is found,
    `mask_iou`. Of a folder that the model was trained on, only the validation sets count. Errors
    are over draws of images. Besides, `curves` of precision at 101 recalls for each overlap, and
    `overlaps`: the average precision at each, with its error.

    Raises
    ------
    DataError
        When the data hold no truth, or a window is asked of galaxies, tiles or sets.
    """
    model, data = load_model(model), Path(data)
    spec = model.recipe.data
    if isinstance(spec, PatchData):
        told = evaluate_maps(model, data, device, background, window, progress)
        return {**told, "layout": spec.layout}
    whole, measure = _WHOLE[spec.layout]
    if window is not None:
        raise DataError(f"{model.card.name} is measured on whole {whole}; leave out --window")
    return {**measure(model, data, device, progress), "layout": spec.layout}
