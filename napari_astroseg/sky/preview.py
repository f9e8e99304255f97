"""Preview: one picture of a map and what was found on it, with sky axes."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from astropy.visualization import AsinhStretch, ImageNormalize, ZScaleInterval
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from napari_astroseg.sky.files.writing import replacing
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.stack import flattened
from napari_astroseg.sky.window import Window

_LONGEST = 1600
"""Pixels along the longer side that are drawn; more would not show."""

_AT_ONCE = 2048
"""Pixels along a side of what is read at once."""

_ROI = "#00d5ff"


class Sampled:
    """Every n-th pixel of a window, as many as a picture shows, taken in part by part.

    Attributes
    ----------
    values
        (h, w) of these pixels.
    """

    def __init__(self, window: Window, dtype: type[np.generic] = np.float32) -> None:
        self._window, self._step = window, step_over(window)
        shape = tuple(-(-side // self._step) for side in window.shape)
        self.values: NDArray[Any] = np.zeros(shape, dtype)

    def put(self, part: Window, values: NDArray[Any]) -> None:
        """Take from the values (h, w) of a part of the window."""
        x, y = part.x - self._window.x, part.y - self._window.y
        right, down = -x % self._step, -y % self._step
        taken = values[down :: self._step, right :: self._step]
        row, column = (y + down) // self._step, (x + right) // self._step
        self.values[row : row + taken.shape[0], column : column + taken.shape[1]] = taken


def step_over(window: Window) -> int:
    """Which pixel after the other of a window is drawn."""
    return max(1, -(-max(window.shape) // _LONGEST))


def sampled(image: SkyImage, window: Window) -> NDArray[np.float32]:
    """The pixels of a single image that a picture of a window shows; no more is held at a time."""
    taken = Sampled(window)
    for part in window.parts(_AT_ONCE):
        taken.put(part, image.cutout(part))
    values: NDArray[np.float32] = taken.values
    return values


def write_preview(
    path: Path,
    image: SkyImage,
    window: Window,
    probability: NDArray[np.float32],
    labels: NDArray[np.int32],
    title: str,
) -> Path:
    """Draw the map with the outlines of its regions, beside the probability they came from.

    A stack is drawn as the mean of its planes.

    Parameters
    ----------
    probability, labels
        (H, W) of `window`.
    """
    step = step_over(window)
    rows, columns = slice(None, None, step), slice(None, None, step)
    values = sampled(flattened(image), window)
    regions = labels[rows, columns] > 0
    return draw_preview(path, image, window, values, probability[rows, columns], regions, title)


def draw_preview(
    path: Path,
    image: SkyImage,
    window: Window,
    values: NDArray[np.float32],
    probability: NDArray[np.float32],
    regions: NDArray[np.bool_],
    title: str,
) -> Path:
    """The same of pixels that were taken already.

    Parameters
    ----------
    values, probability, regions
        (h, w), every n-th pixel of `window`, as `Sampled` takes them.
    """
    step = step_over(window)
    wcs = image.wcs[window.y : window.y_end : step, window.x : window.x_end : step] if (
        image.wcs is not None) else None  # fmt: skip
    aspect = window.height / window.width
    figure = Figure(figsize=(13.0, float(np.clip(5.6 * aspect + 0.6, 3.6, 13.0))), dpi=110,
                    layout="constrained")  # fmt: skip
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=11, parse_math=False)  # it names files
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # all-missing corners and empty contours are no news
        left = sky_axes(figure, 121, wcs)
        drawn = left.imshow(values, origin="lower", cmap="inferno", norm=stretch_of(values),
                            interpolation="nearest")  # fmt: skip
        _contour(left, regions)
        figure.colorbar(drawn, ax=left, shrink=0.85, pad=0.02, label=value_label(image))
        right = sky_axes(figure, 122, wcs)
        right.coords[1].set_axislabel("") if wcs is not None else right.set_ylabel("")
        shown = right.imshow(probability, origin="lower", cmap="magma", vmin=0,
                             vmax=1, interpolation="nearest")  # fmt: skip
        figure.colorbar(shown, ax=right, shrink=0.85, pad=0.02, label="probability")
        with replacing(path) as temporary:
            figure.savefig(temporary, format="png")
    return path


def sky_axes(figure: Figure, place: int, wcs: Any) -> Any:
    """Axes with sky coordinates where there are any, missing data shown as grey."""
    axes: Any = figure.add_subplot(place, projection=wcs) if wcs is not None else (
        figure.add_subplot(place))  # fmt: skip
    axes.set_facecolor("0.35")
    if wcs is None:
        axes.set_xlabel("x [pixel]")
        axes.set_ylabel("y [pixel]")
        return axes
    galactic = wcs.wcs.lngtyp.strip().upper().startswith("GLON")
    axes.coords[0].set_axislabel("Galactic longitude" if galactic else "Right ascension")
    axes.coords[1].set_axislabel("Galactic latitude" if galactic else "Declination", minpad=0.4)
    if galactic:
        for axis in axes.coords:
            axis.set_major_formatter("d.dd")
    axes.coords.grid(color="white", alpha=0.15, linewidth=0.5)
    return axes


def _contour(axes: Any, regions: NDArray[np.bool_]) -> None:
    if regions.any():
        width = float(np.clip(300.0 / max(regions.shape), 0.35, 0.9))  # lines must not hide the map
        axes.contour(regions, levels=[0.5], colors=_ROI, linewidths=width)


def stretch_of(values: NDArray[np.float32]) -> ImageNormalize:
    """Sampled zscale from below, a high percentile from above, asinh between."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return ImageNormalize(vmin=0.0, vmax=1.0)
    low, _ = ZScaleInterval().get_limits(finite)
    high = float(np.percentile(finite, 99.7))
    if not high > low:
        low, high = float(finite.min()), float(finite.max())
    return ImageNormalize(vmin=low, vmax=high if high > low else low + 1.0,
                          stretch=AsinhStretch(0.2))  # fmt: skip


def value_label(image: SkyImage) -> str:
    """What the values of an image are, for beside a colour bar."""
    unit = image.physical_unit
    if unit is None:
        return image.unit or "value"
    told = unit.to_string("latex_inline")
    return f"N(H$_2$) [{told}]" if unit.is_equivalent("cm-2") else f"[{told}]"
