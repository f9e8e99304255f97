"""Starting: the window's first picture, the engine's first answer, and what a checkpoint costs."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from napari_astroseg.bench import child
from napari_astroseg.bench.fields import write_noise
from napari_astroseg.bench.plan import Plan
from napari_astroseg.bench.record import Measurement
from napari_astroseg.bench.timing import Pair, in_turn, seconds, words
from napari_astroseg.engine.service import Call, Engine
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.window import Window

_WINDOW, _ENGINE, _CHECKPOINT = 1.15, 2.0, 2.0
_CLICK_PX = 64


def measure(plan: Plan, model: str | Path, scratch: Path, display: bool) -> Iterator[Measurement]:
    """The window where there is a display; engine and checkpoint everywhere."""
    if display:
        pair = _windows(plan, scratch)
        how = f"{words(pair.ours_s)} / {words(pair.bare_s)}: process start to first picture"
        yield Measurement.at_most("window start", pair.ratio, "× napari's own", _WINDOW, how)
    sky = write_noise(scratch / "click.fits", _CLICK_PX)
    pair = _engines(plan, model, sky)
    how = (
        f"{words(pair.ours_s)} / {words(pair.bare_s)}: a new engine's answer for {_CLICK_PX}² px, "
        "and its end / a process that imports torch"
    )
    yield Measurement.at_most("engine start", pair.ratio, "× import torch", _ENGINE, how)
    yield _checkpoint(plan, scratch)


def _windows(plan: Plan, scratch: Path) -> Pair:
    """Both windows in turn; the first of each, for which files are read from disk, unheeded."""
    took: dict[str, list[float]] = {"astroseg": [], "napari": []}
    for _ in range(plan.openings + 1):
        for way, times in took.items():
            begun = time.time()
            drawn = child.run(
                "napari_astroseg.bench.opened", way, scratch=scratch, cache=scratch / "cache"
            )["drawn"]
            times.append(drawn - begun)
    return Pair(tuple(took["astroseg"][1:]), tuple(took["napari"][1:]))


def _engines(plan: Plan, model: str | Path, sky: Path) -> Pair:
    """A new engine's first answer, and a process that does nothing but import torch, in turn."""
    bare = partial(subprocess.run, [sys.executable, "-c", "import torch"], check=True)
    rounds = [
        (seconds(partial(_first_answer, model, sky)), seconds(bare)) for _ in range(plan.openings)
    ]
    return Pair(*zip(*rounds, strict=True))


def _first_answer(model: str | Path, sky: Path) -> None:
    """What a click waits for where no engine is up yet, and the engine's end."""
    image, window = open_image(sky), Window.around(*(_CLICK_PX / 2,) * 2, _CLICK_PX)
    call = Call("napari_astroseg.engine.predict:predict", (str(model), image, window))
    with closing(Engine()) as engine:
        deque(engine.run(call), maxlen=0)


def _checkpoint(plan: Plan, scratch: Path) -> Measurement:
    """The largest network of the recipes with its optimiser, over writing the same bytes."""
    import torch

    from napari_astroseg.engine.checkpoint import LAST_FILE, Standing, save_checkpoint
    from napari_astroseg.engine.nets import build
    from napari_astroseg.recipes.recipe import Recipe

    net = build(Recipe.preset(plan.checkpoint_of).family)
    optimiser = torch.optim.Adam(net.parameters())
    for weight in net.parameters():
        weight.grad = torch.zeros_like(weight)
    optimiser.step()
    path, standing = scratch / LAST_FILE, Standing(1, 0.0, 1, "", "")
    save_checkpoint(path, net, optimiser, standing)
    content = path.read_bytes()
    plain = partial((scratch / "plain").write_bytes, content)
    pair = Pair(*in_turn(plan, partial(save_checkpoint, path, net, optimiser, standing), plain))
    size = f"{len(content) / 1e6:.0f} MB"
    how = f"{words(pair.ours_s)} / {words(pair.bare_s)}: weights and optimiser, {size}"
    return Measurement.at_most("checkpoint", pair.ratio, "× writing it", _CHECKPOINT, how)
