"""Methods: what a paper says of an answer, and cites, from its `provenance.json`."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from napari_astroseg.engine.rerun import Command, Provenance
from napari_astroseg.errors import OutputError, RecipeError
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.recipes.references import OF_LAYOUT, OF_NETWORK, SOFTWARE, Reference, ours


def methods(provenance: Provenance) -> tuple[str, str]:
    """A paragraph in LaTeX, and the BibTeX of what it cites.

    What the authors know alone (which sky the network learnt from, how its answers were judged)
    is asked for in brackets.

    Raises
    ------
    OutputError
        When the answer's recipe is none that this version knows.
    """
    try:
        recipe = Recipe.model_validate(provenance.recipe)
    except (ValidationError, RecipeError) as error:
        raise OutputError(
            "the provenance holds no recipe that this version knows; write the paragraph with the "
            "version that made the answer"
        ) from error
    version = provenance.versions.get("napari-astroseg", "")
    network, *architecture = OF_NETWORK.get(
        recipe.family.kind, (f"a network of the family {_plain(recipe.family.kind)} [its source]",)
    )
    papers = OF_LAYOUT[recipe.data.layout]
    us = ours(version)
    sentences = [
        f"We searched {_image(provenance.command)} with \\texttt{{napari-astroseg}} "
        f"{_plain(version)}{_cited(us)}.",
        f"Its network {_plain(provenance.model.get('name', recipe.name))}, {network}"
        f"{_cited(*architecture)}, follows{_cited(*papers, text=True)} "
        "[which data it was trained on, and how it does on data that it has not seen].",
        *_answer(provenance, recipe),
        "[How the answers were judged, and by whom.]",
        f"The software is built on Astropy, scikit-image and PyTorch{_cited(*SOFTWARE)}.",
        *_identity(provenance),
    ]
    every = {each.key: each for each in (us, *architecture, *papers, *SOFTWARE)}
    return " ".join(sentences), "\n\n".join(each.bibtex for each in every.values())


def _image(command: Command) -> str:
    names = [Path(name).name for name in command.bands or (command.image,)]
    where = f" at {_plain(command.sky)}" if command.sky else ""
    return f"the image{'s' if len(names) > 1 else ''} {', '.join(map(_plain, names))}{where}"


def _answer(provenance: Provenance, recipe: Recipe) -> list[str]:
    told, command = [], provenance.command
    samples = getattr(recipe.family, "samples", None)
    if samples:
        told.append(
            f"For each place we drew {samples} samples; probabilities are their means, and "
            "uncertainties their standard deviations."
        )
    if command.ensemble:
        told.append(
            f"Answers are means over {command.ensemble} turns and mirrorings of each tile, and "
            "uncertainties their standard deviations."
        )
    if command.others:
        told.append(f"Answers are means over {1 + len(command.others)} trained networks.")
    cuts = command.threshold, provenance.threshold, recipe.prediction.threshold
    cut = next((each for each in cuts if each is not None), None)
    if cut is not None:
        what = "probability" if recipe.family.answers == "pixels" else "score"
        told.append(f"What has a {what} of {cut:g} or more is counted.")
    smallest = getattr(recipe.prediction, "min_area_px", 0)
    if smallest and recipe.family.answers == "pixels":
        told.append(f"Regions of fewer than {smallest} pixels are left out.")
    if command.known:
        catalogue = _plain(Path(command.known).name)
        told.append(f"An object is called known when it has a counterpart in {catalogue}.")
    return told


def _identity(provenance: Provenance) -> list[str]:
    digest, day = provenance.model.get("digest", ""), provenance.finished[:10]
    if not digest:
        return []
    return [f"(The network's weights have the digest {_plain(digest)}; computed {_plain(day)}.)"]


def _cited(*works: Reference, text: bool = False) -> str:
    """A citation with the blank before it; nothing without works."""
    keys = ",".join(work.key for work in works)
    return f" \\cite{'t' if text else 'p'}{{{keys}}}" if keys else ""


def _plain(text: str) -> str:
    """Text as LaTeX sets it."""
    special = {c: f"\\{c}" for c in "#$%&_{}"}
    special |= {"\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}"}
    return "".join(special.get(c, c) for c in text if c.isprintable())
