"""Evaluate: a model against truth it has not seen, in the figures of the paper it follows."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.engine.blendfigures import evaluate_blended
from napari_astroseg.engine.bubblefigures import evaluate_bubbles
from napari_astroseg.engine.galaxyfigures import evaluate_galaxies
from napari_astroseg.engine.metrics import PixelCounts, missed_structures
from napari_astroseg.engine.model import Model, load_model
from napari_astroseg.engine.objectfigures import evaluate_objects
from napari_astroseg.engine.predict import predict, predicted
from napari_astroseg.errors import DataError
from napari_astroseg.recipes.data import BlendedData, BubbleData, SetData, VoteData
from napari_astroseg.sky.fourmaps import FourMaps, digest, open_four_maps
from napari_astroseg.sky.structures import label_structures
from napari_astroseg.sky.window import Window

PAPER_THRESHOLDS = (0.2, 0.4, 0.6, 0.8)
_AREA_PX = 64
"""Side of the sky areas drawn, pixels: wider than the structures are long, mostly."""

_DRAWS = 200
"""Bootstrap draws of sky areas behind each error."""


def evaluate(
    model: str | Path | Model,
    data: str | Path,
    *,
    background: str = "one_vs_all",
    window: Window | None = None,
    device: str = "auto",
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

    Returns
    -------
    `recipe`, `model`, `data`, `figures` and `errors`. Figures on four maps: `dice`, `recovery`,
    `background_recovery`, `missed`, `new` at the model's own threshold, `dice_0.2` … `dice_0.8`,
    the best `dice_best` with its `threshold_best`, `average_precision`, `roc_auc`; NaN where
    there is nothing to count (`new` where no pixel was found). Errors are
    one standard deviation over bootstrap draws of 64-pixel sky areas.

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
    many bubbles there are, and how many recovered, in bins of semi-major axis.

    Figures on sets of stars and galaxies, of each class (`ap50_star`) and as means of both: `ap50`,
    the average precision at an overlap (IoU of masks) of 0.50; `ap`, its mean over 0.50 (0.05)
    0.95; at the model's own score cut `precision`, `recall` and the mean overlap of what is found,
    `mask_iou`. Of a folder that the model was trained on, only the validation sets count. Errors
    are over draws of images. Besides, `curves` of precision at 101 recalls for each overlap.

    Raises
    ------
    DataError
        When the data hold no truth, or a window is asked of galaxies, tiles or sets.
    """
    model, data = load_model(model), Path(data)
    if isinstance(model.recipe.data, BubbleData):
        if window is not None:
            raise DataError(f"{model.card.name} is measured on whole tiles; leave out the window")
        return evaluate_bubbles(model, data, device)
    if isinstance(model.recipe.data, (VoteData, BlendedData)):
        if window is not None:
            raise DataError(
                f"{model.card.name} is measured on whole galaxies; leave out the window"
            )
        votes = isinstance(model.recipe.data, VoteData)
        return (evaluate_galaxies if votes else evaluate_blended)(model, data, device)
    if isinstance(model.recipe.data, SetData):
        if window is not None:
            raise DataError(f"{model.card.name} is measured on whole images; leave out the window")
        return evaluate_objects(model, data, device)
    fields = open_four_maps(data, background, model.recipe.data.floor)
    scored = [_score(model, field, window, device) for field in fields]
    areas = [area for counts, *_ in scored for area in counts]
    total = _sum(areas)
    if not total.on.sum():
        raise DataError(f"{data} holds no labelled structure; evaluate on a field that does")
    threshold = model.card.threshold
    figures = _pixel_figures(total, threshold)
    figures["missed"] = _mean([missed for _, missed, _ in scored])
    figures["new"] = _mean([new for _, _, new in scored])
    rng = np.random.default_rng(0)
    draws = [
        _pixel_figures(
            _sum([areas[i] for i in rng.integers(len(areas), size=len(areas))]), threshold
        )
        for _ in range(_DRAWS)
    ]
    errors = {name: float(np.nanstd([d[name] for d in draws])) for name in draws[0]}
    return {
        "recipe": model.recipe.name,
        "model": model.digest,
        "data": digest(data),
        "figures": figures,
        "errors": errors,
    }


def _score(
    model: Model, field: FourMaps, window: Window | None, device: str
) -> tuple[list[PixelCounts], float, float]:
    """Counts per sky area, and the fractions of missed and of new structures of one field."""
    whole = (window or Window.whole(field.target.shape)).clipped(field.target.shape)
    events = predict(model, field.image, whole, device=device, force=True)
    probability = predicted(events, whole)[0]
    place = whole.slices
    counted = field.labelled[place] & np.isfinite(probability)
    target = field.target[place]
    counts = []
    for y, x in product(*(range(0, side, _AREA_PX) for side in target.shape)):
        here = slice(y, y + _AREA_PX), slice(x, x + _AREA_PX)
        counts.append(PixelCounts())
        counts[-1].add(probability[here], target[here], counted[here])
    # Structures are counted as a prediction leaves them, cleaned; pixels as they are.
    least = model.recipe.prediction.min_area_px
    mask: NDArray[np.bool_] = label_structures(probability, model.card.threshold, least) > 0
    truth = target & field.valid[place]
    return counts, missed_structures(mask, truth), missed_structures(truth, mask)


def _pixel_figures(counts: PixelCounts, threshold: float) -> dict[str, float]:
    best_threshold, best = counts.best()
    return {
        "dice": counts.dice(threshold),
        "recovery": counts.recovery(threshold),
        "background_recovery": counts.background_recovery(threshold),
        **{f"dice_{t}": counts.dice(t) for t in PAPER_THRESHOLDS},
        "dice_best": best,
        "threshold_best": best_threshold,
        "average_precision": counts.average_precision(),
        "roc_auc": counts.roc_auc(),
    }


def _mean(fractions: list[float]) -> float:
    """Mean over the fields that have a figure; NaN where none has."""
    known = [fraction for fraction in fractions if np.isfinite(fraction)]
    return float(np.mean(known)) if known else float("nan")


def _sum(parts: list[PixelCounts]) -> PixelCounts:
    total = PixelCounts()
    total.on = np.sum([part.on for part in parts], axis=0)
    total.off = np.sum([part.off for part in parts], axis=0)
    return total
