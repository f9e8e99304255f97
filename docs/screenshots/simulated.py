"""Simulated: what the simulators draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from screenshots.stage import keep


def bubbles() -> None:
    """A simulated tile at 24 and 8 um: boxes of its bubbles, and what its decoys are."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    from napari_astroseg.sky.simulate import simulate_bubbles

    sky = simulate_bubbles(1024, seed=3, number=1)
    figure = Figure((14, 7.4), dpi=72, layout="constrained")
    for axes, (letter, title) in zip(
        figure.subplots(1, 2), (("r", "24 µm"), ("g", "8 µm")), strict=True
    ):
        values = sky.bands[letter]
        low, high = np.nanpercentile(values, (0.5, 99.8))
        shown = np.arcsinh(np.clip((values - low) / (high - low), 0, 1) / 0.15)
        axes.imshow(shown, origin="lower", cmap="gray")
        axes.set(title=title, xticks=[], yticks=[])
        for each in sky.bubbles:
            half = 1.3 * each.major_px
            corner = (each.x - half, each.y - half)
            axes.add_patch(Rectangle(corner, 2 * half, 2 * half, fill=False, ec="cyan"))
        for each in sky.decoys:
            words = each.kind.replace("_", " ")
            axes.text(each.x, each.y, words, color="orange", fontsize=10, clip_on=True)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    keep(np.asarray(canvas.buffer_rgba()), "bubbles", 255)


def spirals() -> None:
    """Simulated galaxies; of two of them the votes for arms, and where the arms are."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from napari_astroseg.sky.simulate import SpiralSettings, SpiralSky, simulate_spirals
    from napari_astroseg.sky.simulate.spiralscene import SHAPES
    from napari_astroseg.sky.votes.drawings import counted

    def shown(axes: Any, shape: str, number: int) -> SpiralSky:
        shares = tuple(float(each == shape) for each in SHAPES)
        sky = simulate_spirals(525, 6, number, SpiralSettings(shares=shares))
        axes.imshow(sky.picture)
        axes.set_title(shape.replace("_", " "))
        return sky

    figure = Figure((14, 7.3), dpi=72, layout="constrained")
    axes = figure.subplots(2, 4, subplot_kw={"xticks": [], "yticks": []})
    alone = (("elliptical", 4), ("edge_on", 3), ("irregular", 5), ("flocculent", 3))
    for place, (shape, number) in zip(axes[0], alone, strict=True):
        shown(place, shape, number)
    pairs = (("grand_design", 3), ("multi_arm", 6))
    for (left, right), (shape, number) in zip(axes[1].reshape(2, 2), pairs, strict=True):
        sky = shown(left, shape, number)
        votes = sum(counted(sky.crowd.drawings["spiral"], (525, 525)), np.zeros((525, 525)))
        right.imshow(votes, cmap="viridis")
        right.contour(sky.arms, [0.5], colors="white", linewidths=0.8)
        right.set_title(f"votes, up to {votes.max():.0f}, and its arms (white)")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    keep(np.asarray(canvas.buffer_rgba()), "spirals", 0)


def galaxies() -> None:
    """A simulated field with its truth and grid; a set of bands with the outlines of its masks."""
    from napari_astroseg.sky.simulate import simulate_galaxies, simulate_multiband
    from napari_astroseg.sky.simulate.galaxies import STAMP

    field = simulate_galaxies(768, seed=5)
    grey = np.arcsinh(np.clip(field.image / 0.02 + 0.4, 0, None)) / 4.0
    truth = np.repeat(grey[..., None], 3, axis=2)
    for number, colour in ((1, (0.25, 0.5, 1.0)), (2, (1.0, 0.55, 0.1))):
        where = field.truth == number
        truth[where] = 0.35 * truth[where] + 0.65 * np.array(colour)

    def grid(axes: Any) -> None:
        for line in range(STAMP, len(grey), STAMP):
            axes.axhline(line - 0.5, color="0.4", lw=0.6)
            axes.axvline(line - 0.5, color="0.4", lw=0.6)

    pair("galaxies", grey, "with noise", truth, "one galaxy (blue), overlap (orange)", grid)

    sky = simulate_multiband(512, seed=2)
    z, r, g = (sky.bands[band] * share for band, share in (("z", 0.4), ("r", 1.0), ("g", 1.6)))
    light = np.maximum((z + r + g) / 3.0, 1e-6)
    colours = np.stack([z, r, g], axis=2) * (np.arcsinh(60.0 * light) / (3.0 * light))[..., None]

    def outlines(axes: Any) -> None:
        for each in sky.outlines:
            seen, window = each.drawn.light / each.drawn.light.max(), each.drawn.window
            star = each.kind == "star"
            x, y = np.arange(window.x, window.x_end), np.arange(window.y, window.y_end)
            level, colour = (0.005, "cyan") if star else (0.08, "orange")
            if min(seen.shape) > 1:
                axes.contour(x, y, seen, [level], colors=colour, linewidths=0.8)

    pair("multiband", colours, "g, r, z", colours, "stars (cyan), galaxies (orange)", outlines)


def pair(
    name: str, left: Any, title: str, right: Any, other: str, draw: Callable[[Any], None]
) -> None:
    """Two pictures side by side, with something drawn on the right one."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure((14, 7.4), dpi=72, layout="constrained")
    for axes, values, words in zip(
        figure.subplots(1, 2), (left, right), (title, other), strict=True
    ):
        axes.imshow(np.clip(values, 0, 1), origin="lower", cmap="gray", vmin=0, vmax=1)
        axes.set(title=words, xticks=[], yticks=[])
    draw(axes)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    keep(np.asarray(canvas.buffer_rgba()), name, 255)
