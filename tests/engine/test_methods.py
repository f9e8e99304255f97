"""What a paper says of an answer, and the entries that it cites."""

import json
import re

import pytest

from napari_astroseg.cli.main import main
from napari_astroseg.engine.methods import methods
from napari_astroseg.engine.rerun import Provenance
from napari_astroseg.errors import OutputError
from napari_astroseg.recipes.recipe import Recipe, preset_names


def told(recipe, **command):
    words = {"verb": "predict", "image": "/maps/l_30#b.fits", "model": recipe.name, **command}
    return {
        "command": words,
        "recipe": recipe.model_dump(mode="json"),
        "model": {"name": recipe.name, "digest": "c64beecf"},
        "versions": {"napari-astroseg": "0.1.0"},
        "finished": "2026-03-02T10:00:00+00:00",
    }


@pytest.mark.parametrize("name", preset_names())
def test_every_recipe_has_its_papers_and_each_citation_its_entry(name):
    paragraph, entries = methods(Provenance.model_validate(told(Recipe.preset(name))))
    cited = {
        key for keys in re.findall(r"\\cite[tp]\{([^}]*)\}", paragraph) for key in keys.split(",")
    }
    given = re.findall(r"^@\w+\{(\w+),$", entries, re.MULTILINE)
    assert cited == set(given) and len(given) == len(cited) >= 5
    assert entries.count("{") == entries.count("}")
    assert r"l\_30\#b.fits" in paragraph and "/maps" not in paragraph
    assert "c64beecf; computed 2026-03-02" in paragraph


def test_it_tells_how_the_answer_was_made():
    recipe = Recipe.preset("filaments").replace(prediction__min_area_px=15)
    asked = {"threshold": 0.4, "ensemble": 8, "others": ["b"], "known": "/data/known.ecsv"}
    paragraph, _ = methods(Provenance.model_validate(told(recipe, **asked)))
    for words in (
        "probability of 0.4",
        "fewer than 15 pixels",
        "8 turns",
        "2 trained",
        "known.ecsv",
    ):
        assert words in paragraph
    blended, _ = methods(Provenance.model_validate(told(Recipe.preset("blended_galaxies"))))
    assert "50 samples" in blended


def test_bands_are_named_alone():
    asked = {"image": "", "bands": ["/maps/z.fits", "/maps/r.fits"]}
    paragraph, _ = methods(Provenance.model_validate(told(Recipe.preset("astro_rcnn"), **asked)))
    assert "the images z.fits, r.fits with" in paragraph


def test_the_cut_of_the_model_is_told_where_none_was_asked_for():
    sound = told(Recipe.preset("astro_rcnn")) | {"threshold": 0.7}
    assert "a score of 0.7 or more" in methods(Provenance.model_validate(sound))[0]


def test_without_a_recipe_there_is_a_sentence():
    sound = told(Recipe.preset("filaments"))
    with pytest.raises(OutputError, match="with the version that made"):
        methods(Provenance.model_validate(sound | {"recipe": {"family": {"kind": "rocket"}}}))


def test_on_the_command_line(tmp_path, capsys):
    (tmp_path / "provenance.json").write_text(json.dumps(told(Recipe.preset("bubbles"))))
    assert main(["methods", str(tmp_path)]) == 0
    assert "@article{Nishimoto2025," in capsys.readouterr().out
    assert main(["methods", str(tmp_path), "--bibtex", str(tmp_path / "m.bib")]) == 0
    assert "@" not in capsys.readouterr().out
    assert "psaf008" in (tmp_path / "m.bib").read_text()
