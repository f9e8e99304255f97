"""Whether vetting teaches the model: simulated bubbles with decoys, judged by their truth.

    python benchmarks/vetting_loop.py WORK [--tiles 32] [--fresh 24] [--verdicts 200]

A survey is simulated of which the catalogue knows every other bubble. The model in the box searches
it from its least score up, and a vetter who knows the truth judges what comes first in the order
"most useful". The harvest of these verdicts is learnt from, as the Vet dock proposes it: the
model's weights to begin with, of which the heads alone learn (`--all` lets all of them, at half of
the rate). Two controls (`--controls`) learn for as many epochs at the same rate: one from the
harvest's catalogue without the rejected ones, one from the survey as it was before anyone vetted;
of each the epoch that validates best is kept. All are measured on tiles of another seed:
precision at the recall that the model had at its best cut, and at 0.8 and 0.9. Errors are one
standard deviation over draws of tiles, the same draws for all models. WORK keeps every step; what
is there is not made again.
"""

from __future__ import annotations

import argparse
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from astropy.table import vstack
from numpy.typing import NDArray

from napari_astroseg.cli.main import main as astroseg
from napari_astroseg.engine.bootstrap import drawn_numbers, spread
from napari_astroseg.engine.bubbles import boxes_of, open_tiles
from napari_astroseg.engine.detect import detect
from napari_astroseg.engine.events import Finished
from napari_astroseg.engine.matches import Matches
from napari_astroseg.engine.model import Model, load_model
from napari_astroseg.recipes.data import BubbleData
from napari_astroseg.review.entry import Verdict
from napari_astroseg.review.plan import Plan
from napari_astroseg.review.session import VettingSession
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.clusters.choice import FILE
from napari_astroseg.sky.datasets.bubblecatalogue import BOX
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.objectcatalogue import catalogued
from napari_astroseg.sky.objects import Objects, overlaps, shared_areas
from napari_astroseg.sky.shapes.shape import Shape
from napari_astroseg.sky.simulate.bubbles import CATALOGUE

MODEL = "bubbles_small"
SIZE, SURVEY_SEED, FRESH_SEED = 1024, 500, 501
KNOWN = 2
"""The survey's catalogue holds one bubble of so many."""
LIKE = 0.4
"""Overlap (IoU) with a bubble's box from which a vetter leaves the outline as it is."""
SHARED, NEAR = 1 / 3, 0.5
"""Share of a bubble's box, or distance in semi-axes, from which a box is another outline of it."""
RATE, GENTLER = 4e-4, 0.5
"""At which the model has learnt last; and the part of that for all of its weights."""
WINDOWS = (300, 600, 1200)
"""Three of the recipe's eight sides (px): a third of the time, and few of the smallest bubbles."""
AS_BEFORE = ("schedule.precision=bf16-mixed", "data.validation=0.06")
"""As the model itself was made."""
RECALLS = (0.8, 0.9)

Boxes = NDArray[np.float64]
Found = tuple[str, SkyImage, Objects, Boxes]


def main() -> None:
    """Run what is not there yet, and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--tiles", type=int, default=32, help="of the survey")
    parser.add_argument("--fresh", type=int, default=24, help="tiles to measure on")
    parser.add_argument("--fresh-seed", type=int, default=FRESH_SEED)
    parser.add_argument("--verdicts", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--controls", type=int, default=0, choices=(0, 1, 2), help="how many")
    parser.add_argument("--all", action="store_true", help="let all weights learn")
    options = parser.parse_args()
    work: Path = options.work
    truth, fresh = work / "truth", work / f"fresh-{options.fresh_seed}"
    simulate(truth, options.tiles, SURVEY_SEED)
    simulate(fresh, options.fresh, options.fresh_seed)
    survey, harvest, without = (work / name for name in ("survey", "harvest", "without"))
    if not survey.exists():
        part_known(truth, survey)
    if not harvest.exists():
        vet(work / "verdicts.sqlite", list(searched(load_model(MODEL), truth)), options.verdicts)
        command = ["vet", "harvest", work / "verdicts.sqlite", "--data", survey, "--out", harvest]
        astroseg([str(word) for word in command])
    if not without.exists():
        shutil.copytree(harvest, without, copy_function=os.link)
        (without / FILE).unlink()
    models = {"before": MODEL}
    ways = {"vetted": harvest, "without rejected": without, "not vetted": survey}
    for name, data in list(ways.items())[: 1 + options.controls]:
        run = work / f"run-{'all-' * options.all}{data.name}"
        learn(data, run, options.epochs, options.all)
        models[name] = str(run)
    tell({name: measured(model, fresh) for name, model in models.items()})


def simulate(out: Path, n: int, seed: int) -> None:
    """So many tiles of a seed in a folder."""
    words = ["simulate", "bubbles", "--out", out, "--n", n, "--size", SIZE, "--seed", seed]
    astroseg([*map(str, words), "--workers", "1", "--quiet"])


def part_known(truth: Path, survey: Path) -> None:
    """The same tiles, with a catalogue that holds a part of the bubbles."""
    shutil.copytree(
        truth, survey, copy_function=os.link, ignore=shutil.ignore_patterns("*.jsonl", "*.ecsv")
    )
    (survey / CATALOGUE).unlink()  # linked, so it must not be written to
    rows = (truth / CATALOGUE).read_text("ascii").splitlines(keepends=True)
    (survey / CATALOGUE).write_text("".join(rows[::KNOWN]), "ascii")


def searched(model: Model, folder: Path) -> Iterator[Found]:
    """Of each tile its name, what the model finds there at any score, and its bubbles' boxes."""
    recipe = model.recipe.replace(data__windows_px=WINDOWS)
    model = replace(model, card=replace(model.card, recipe=recipe))
    assert isinstance(recipe.data, BubbleData)
    kept = folder.parent / f"found-{folder.name}-{model.digest[:8]}"
    kept.mkdir(exist_ok=True)
    for item in open_tiles(recipe.data, folder).items:
        store = kept / f"{item.name}.jsonl"
        for event in detect(model, item.image, store=store, resume=True, device="cpu", force=True):
            if isinstance(event, Finished):
                yield item.name, item.image, event.result["objects"], boxes_of(item.truth())
        print(f"searched {item.name}, {time.strftime('%T')}", flush=True)


def vet(store: Path, found: Sequence[Found], most: int) -> None:
    """Judge the most useful ones, as somebody would who knows the sky."""
    tables, answers = [], {}
    for name, image, objects, boxes in (each for each in found if len(each[2])):
        table = catalogued(objects, ["bubble"], image).table
        table["id"] = [f"{name}/{number}" for number in table["id"]]
        tables.append(table)
        judged = (verdict(box, boxes, image) for box in objects.boxes)
        answers |= dict(zip(table["id"], judged, strict=True))
    first: dict[tuple[str, int], str] = {}
    counts: Counter[str] = Counter()
    found_all = Catalogue(vstack(tables), "galactic")
    with VettingSession(store, found_all, "truth", Plan(order="useful")) as session:
        while session.current is not None and counts.total() < most:
            name = session.current.name
            if session.verdict is not None:
                break
            said, bubble, shape = answers[name]
            key = name.rpartition("/")[0], bubble
            if said != "not" and key in first:
                session.judge("duplicate", same_as=first[key])
                counts["duplicate"] += 1
                continue
            if said != "not":
                first[key] = name
            session.judge(said, **({"shape": shape} if shape else {}))
            counts[said] += 1
    print(f"{counts.total()} of {len(answers)} judged: {dict(counts)}", flush=True)


def verdict(box: Boxes, boxes: Boxes, image: SkyImage) -> tuple[Verdict, int, Shape | None]:
    """What it is, which bubble of the tile, and its outline where the box is another one."""
    if not len(boxes):
        return "not", -1, None
    alike = overlaps(box[None], boxes)[0]
    best = int(np.argmax(alike))
    if alike[best] >= LIKE:
        return "real", best, None
    sides = boxes[:, 2:] - boxes[:, :2]
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    off = np.linalg.norm(middles - (box[:2] + box[2:]) / 2, axis=1)
    semi = sides.mean(1) / 2 / BOX
    meant = (shared_areas(box[None], boxes)[0] >= SHARED * np.prod(sides, 1)) | (off <= NEAR * semi)
    if not meant.any():
        return "not", -1, None
    best = int(np.flatnonzero(meant)[np.argmin(off[meant])])
    place = image.sky(*middles[best]).galactic
    scale = image.pixel_scale_arcsec
    assert scale is not None
    point = float(place.l.deg), float(place.b.deg)
    return "revise", best, Shape("circle", (point,), (float(semi[best]) * scale,), frame="galactic")


def learn(data: Path, run: Path, epochs: int, every: bool) -> None:
    """Go on with the model on a folder: with its heads alone, or with every weight, more gently."""
    if (run / "model.safetensors").exists():
        return
    changes: tuple[str, ...] = (f"schedule.learning_rate={RATE * GENTLER:g}",)
    if not every:
        stage = f"schedule.stage_epochs=[{epochs}]", f"schedule.stage_rates=[{RATE:g}]"
        changes = (*stage, "schedule.head_stages=1")
    changes = (f"schedule.epochs={epochs}", *changes)
    words = ["train", MODEL, "--data", data, "--out", run, "--from", MODEL, "--device", "cpu"]
    begun = time.perf_counter()
    astroseg([*map(str, words), "--set", *AS_BEFORE, f"data.windows_px={list(WINDOWS)}", *changes])
    print(f"learnt from {data.name} in {time.perf_counter() - begun:.0f} s", flush=True)


def measured(model: str, fresh: Path) -> list[Matches]:
    """What a model finds on each fresh tile, held against its truth."""
    found = enumerate(searched(load_model(model), fresh))
    return [Matches.of(objects, boxes, number) for number, (_, _, objects, boxes) in found]


def precision_at(matches: Matches, recall: float) -> float:
    """At the highest cut that recovers so many; NaN where none does."""
    wanted = int(np.ceil(recall * len(matches.best) - 1e-9))
    cut = np.sort(matches.best)[::-1][wanted - 1]
    return matches.figures(float(cut))["precision"] if cut > 0 else float("nan")


def tell(parts: dict[str, list[Matches]]) -> None:
    """The table: precision of each model at each recall, and by how much it rose."""
    before = Matches.joined(parts["before"])
    recalls = (before.figures(before.best_cut())["recall"], *RECALLS)
    print(f"{len(parts['before'])} fresh tiles, {len(before.best)} bubbles; best cut before "
          f"{before.best_cut():g}")  # fmt: skip
    print(f"{'precision at recall':20}" + "".join(f"{recall:>34.3f}" for recall in recalls))
    draws = drawn_numbers(len(parts["before"]))
    for name, own in parts.items():
        row = []
        for recall in recalls:
            value, error = with_error(lambda each, at=recall: precision_at(each["own"], at),
                                      {"own": own}, draws)  # fmt: skip
            text = f"{value:.3f} ± {error:.3f}"
            if name != "before":
                rise, error = with_error(
                    lambda each, at=recall: (
                        precision_at(each["own"], at) - precision_at(each["before"], at)
                    ),
                    {"own": own, "before": parts["before"]}, draws,
                )  # fmt: skip
                text += f" ({rise:+.3f} ± {error:.3f})"
            row.append(f"{text:>34}")
        print(f"{name:20}" + "".join(row))


def with_error(
    figure: Callable[[dict[str, Matches]], float],
    parts: dict[str, list[Matches]],
    draws: NDArray[np.intp],
) -> tuple[float, float]:
    """A figure of all tiles, and its spread over draws of them."""

    def of(numbers: Sequence[int] | NDArray[np.intp]) -> float:
        return figure(
            {key: Matches.joined([own[n] for n in numbers]) for key, own in parts.items()}
        )

    return of(np.arange(draws.shape[1])), spread([of(drawn) for drawn in draws])


if __name__ == "__main__":
    main()
