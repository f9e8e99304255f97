"""Figure names: what each figure that is measured is called, in every window, page and line."""

from __future__ import annotations

_WORDS = {
    "dice": "Dice",
    "dice_left": "Dice of the left half",
    "dice_right": "Dice of the right half",
    "dice_best": "Dice at the best threshold",
    "recovery": "target pixels recovered",
    "background_recovery": "background pixels left alone",
    "missed": "missed structures",
    "new": "new structures",
    "threshold": "model's threshold",
    "threshold_best": "best threshold",
    "average_precision": "average precision of pixels",
    "roc_auc": "area under the ROC curve",
    "accuracy": "accuracy",
    "jaccard": "Jaccard",
    "both": "both see a structure",
    "neither": "neither does",
    "only_volunteers": "only volunteers do",
    "only_network": "only the network does",
    "area_found": "part of a picture that the network marks",
    "ap": "AP, mean over IoU 0.50 (0.05) 0.95",
    "ap50": "AP at IoU 0.50",
    "iou": "IoU",
    "mask_iou": "IoU of masks found",
    "null": "empty stamps left empty",
    "ece": "expected calibration error",
    "f2": "F2",
    "f2_best": "F2 at the best threshold",
}
"""Of figures whose name does not say it."""

_OF = {
    "validation": "validation {}",
    "unseen": "unseen {}",
    "higal": "Hi-GAL {}",
    "authors": "{}, by the authors' rule",
}
"""First words of names that tell on what, or how, a figure is measured."""


def words_of(name: str, layout: str = "") -> str:
    """A figure's name as people read it.

    Parameters
    ----------
    name
        As `evaluate`, a training's history or a model's card tells it (there with `validation_` or
        `unseen_` before it).
    layout
        Of the data, where a name means something else in one of them.
    """
    of, _, rest = name.partition("_")
    if of in _OF and rest:
        return _OF[of].format(words_of(rest, layout))
    if name == "new" and layout == "bubbles":
        return "new detections"
    head, _, kind = name.rpartition("_")
    if name in _WORDS or not head:
        return _WORDS.get(name, name)
    words = _WORDS.get(head, head.replace("_", " "))
    if head == "dice":
        return f"Dice at {kind}"
    if head == "area":
        return f"part of a picture with {kind} vote{'' if kind == '1' else 's'} or more"
    return f"{words}, {'spread from galaxy to galaxy' if kind == 'std' else kind}"
