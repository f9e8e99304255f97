"""Recipes: written down, read back, changed, and refused with a sentence."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from napari_astroseg.engine.card import read_card
from napari_astroseg.errors import RecipeError
from napari_astroseg.recipes import families
from napari_astroseg.recipes.data import Split, VoteData
from napari_astroseg.recipes.families.base import FamilySpec
from napari_astroseg.recipes.families.unet5 import Spec as UNet5
from napari_astroseg.recipes.families.unet38 import Spec as UNet38
from napari_astroseg.recipes.normalisation import Local, Log, MinMax
from napari_astroseg.recipes.recipe import Recipe, preset_names
from napari_astroseg.recipes.schedule import Schedule

each_preset = pytest.mark.parametrize("name", preset_names())


@pytest.fixture
def filaments() -> Recipe:
    return Recipe.preset("filaments")


@pytest.mark.parametrize("name", ["spiral_arms", "spiral_arms_small"])
def test_a_picture_as_fine_as_a_stamp_is_fine_enough(name: str) -> None:
    recipe = Recipe.preset(name)
    assert isinstance(recipe.data, VoteData)
    finest, stamp = recipe.expects.pixel_scale_arcsec, recipe.data.stamp_arcsec
    assert finest is not None and stamp is not None
    assert stamp / recipe.data.stamp_px <= recipe.expects.scale_factor * finest


# --- YAML ---------------------------------------------------------------------------------


def test_there_are_presets() -> None:
    assert "filaments" in preset_names()


@each_preset
def test_a_preset_comes_back_from_its_yaml(name: str) -> None:
    recipe = Recipe.preset(name)
    again = Recipe.from_yaml(recipe.to_yaml())
    assert again == recipe
    assert type(again.family) is type(recipe.family)
    assert again.digest == recipe.digest
    assert recipe.name == name
    assert recipe.title
    assert recipe.source


def test_yaml_holds_every_field_of_the_family(filaments: Recipe) -> None:
    values = yaml.safe_load(filaments.to_yaml())
    assert values["family"] == {
        "kind": "unet5",
        "channels": [64, 128, 256, 512],
        "bottleneck": 1024,
        "bands": 1,
    }


@pytest.mark.parametrize(
    ("name", "digest"),
    [("filaments", "53d75bf77db560fa"), ("filaments_small", "6a93396e2bd13b25")],
)
def test_recipes_of_four_maps_are_written_as_ever(name: str, digest: str) -> None:
    """Runs and models of earlier versions name their recipe by its digest."""
    assert Recipe.preset(name).digest == digest


def test_the_recipe_of_the_model_in_the_box_is_written_as_ever() -> None:
    assert read_card("filaments").recipe.digest == "6a93396e2bd13b25"


def test_the_published_spiral_arms() -> None:
    recipe = Recipe.preset("spiral_arms")
    assert recipe.data == VoteData(stamp_arcsec=51.975)
    assert (recipe.data.threshold, recipe.data.stamp_px, recipe.data.validation) == (3, 128, 0.25)
    assert recipe.data.augmentation.flips and not recipe.data.augmentation.rotations
    assert recipe.family == UNet38()
    assert (recipe.schedule.learning_rate, recipe.schedule.decay) == (1e-3, 1.0)


def test_another_layout_brings_its_own_fields(filaments: Recipe) -> None:
    changed = filaments.replace(
        data__layout="gz3d", data__threshold=2, family__kind="unet38", normalisation__kind="byte"
    )
    assert changed.data == VoteData(threshold=2)
    assert Recipe.from_yaml(changed.to_yaml()) == changed


def test_the_published_filament_network(filaments: Recipe) -> None:
    assert filaments.data.patch_px == 64
    assert filaments.data.min_mask == 0.2
    assert filaments.schedule.epochs == 20
    assert filaments.normalisation == MinMax()
    assert filaments.family == UNet5()


def test_what_is_left_out_is_filled_in() -> None:
    recipe = Recipe.from_yaml("name: mine\nschedule: {epochs: 3}")
    assert recipe.schedule == Schedule(epochs=3)
    assert recipe.family == UNet5()


def test_exponents_without_a_point_are_numbers() -> None:
    recipe = Recipe.from_yaml("name: mine\nschedule: {learning_rate: 1e-4}")
    assert recipe.schedule.learning_rate == 1e-4


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no `field: value` lines"),
        ("- a\n- b", "no `field: value` lines"),
        ("name: [1", "not YAML"),
        ("title: 2023-13-45", "not YAML"),
        ("title: no name", "'name' is wrong: Field required"),
        ("name: Has Capitals", "'name' is wrong"),
        ("name: x\nbogus: 3", "'bogus' is wrong"),
        (
            "name: x\nschedule: {epochs: 0}",
            "'schedule.epochs' is wrong.*greater than or equal to 1",
        ),
        ("name: x\nfamily: {kind: unet5, bottleneck: 1}", "'family.bottleneck' is wrong"),
        ("name: x\nfamily: {kind: wavelets}", "no network family is called 'wavelets'"),
        ("name: x\nfamily: 7", "'family' is wrong"),
        ("name: x\nnormalisation: {kind: wild}", "'normalisation' is wrong"),
        ("name: x\nexpects: {typical_low: .nan}", "'expects.typical_low' is wrong"),
        ("name: x\nexpects: {typical_low: 2, typical_high: 1}", "must lie below `typical_high`"),
        ("name: x\nnormalisation: {kind: log, low: 2, high: 1}", "`low` must lie below `high`"),
        ("name: x\ndata: {layout: tapestry}", "no layout is called 'tapestry'; choose one of four"),
        ("name: x\ndata: {layout: gz3d, threshold: 0}", "'data.threshold' is wrong"),
        ("name: x\ndata: {layout: gz3d, patch_px: 64}", "'data.patch_px' is wrong"),
        ("name: x\ndata: {layout: gz3d}", "`family.bands` must be 3 .* of 3 planes"),
        (
            "name: x\ndata: {layout: gz3d}\nfamily: {kind: unet38}",
            "`normalisation.kind` must be byte",
        ),
        (
            "name: x\ndata: {layout: gz3d, stamp_px: 16}\nfamily: {kind: unet38}",
            r"`data\.stamp_px` = 16 does not suit",
        ),
        ("name: x\ndata: {split: {folds: 3, validation_fold: 3}}", "must lie below `folds`"),
    ],
)
def test_a_wrong_recipe_is_refused_in_one_line(text: str, words: str) -> None:
    with pytest.raises(RecipeError, match=words) as caught:
        Recipe.from_yaml(text)
    assert "\n" not in str(caught.value)


# --- by name or path ----------------------------------------------------------------------


def test_open_takes_a_preset_or_a_file(filaments: Recipe, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(filaments.replace(name="mine").to_yaml(), encoding="utf-8")
    assert Recipe.open("filaments") == filaments
    assert Recipe.open(file).name == "mine"
    assert Recipe.open(str(file)).name == "mine"


def test_open_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"no preset is called 'filament'; choose .*filaments"):
        Recipe.open("filament")
    with pytest.raises(RecipeError, match=r"absent.yml cannot be read.*check the name"):
        Recipe.open(tmp_path / "absent.yml")
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(RecipeError, match=r"binary.yaml cannot be read as text"):
        Recipe.open(binary)


# --- digest -------------------------------------------------------------------------------


def test_the_digest_is_the_same_in_every_process(filaments: Recipe) -> None:
    call = (
        "from napari_astroseg.recipes.recipe import Recipe; "
        "print(Recipe.preset('filaments').digest)"
    )
    done = subprocess.run([sys.executable, "-c", call], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == filaments.digest
    assert len(filaments.digest) == 16


@pytest.mark.parametrize(
    "change",
    [
        {"title": "other"},
        {"schedule__seed": 1},
        {"data__split__folds": 6},
        {"family__bottleneck": 512},
        {"normalisation__kind": "log"},
        {"expects__typical_low": 1.1e19},
    ],
)
def test_the_digest_changes_with_any_field(filaments: Recipe, change: dict[str, Any]) -> None:
    assert filaments.replace(**change).digest != filaments.digest


# --- replace ------------------------------------------------------------------------------


def test_replace_reaches_inside_and_leaves_the_original(filaments: Recipe) -> None:
    changed = filaments.replace(schedule__epochs=3, **{"data.split.folds": 4})
    assert (changed.schedule.epochs, changed.data.split.folds) == (3, 4)
    assert (filaments.schedule.epochs, filaments.data.split.folds) == (20, 5)
    assert changed.replace(schedule__epochs=20, data__split__folds=5) == filaments


def test_replace_takes_whole_records(filaments: Recipe) -> None:
    changed = filaments.replace(
        family=UNet5(bottleneck=64), normalisation=Local(scale_px=5.0), data__split=Split(folds=2)
    )
    assert changed.family == UNet5(bottleneck=64)
    assert changed.normalisation == Local(scale_px=5.0)
    assert changed.data.split == Split(folds=2)


def test_replace_with_nothing_is_the_same(filaments: Recipe) -> None:
    assert filaments.replace() == filaments


@pytest.mark.parametrize("kind_first", [True, False])
def test_a_new_kind_brings_its_own_fields_in_any_order(filaments: Recipe, kind_first: bool) -> None:
    changes = {"normalisation__kind": "log", "normalisation__low": 1e20}
    order = list(changes) if kind_first else list(reversed(changes))
    changed = filaments.replace(**{name: changes[name] for name in order})
    assert changed.normalisation == Log(low=1e20)
    # The same kind again keeps what was set.
    assert changed.replace(normalisation__kind="log").normalisation == Log(low=1e20)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"epochs": 3}, "a recipe has no field 'epochs'; there is: name, title"),
        ({"schedule__epoch": 3}, r"no field 'schedule\.epoch'; there is: schedule\.epochs"),
        ({"schedule__epochs__x": 3}, r"no field 'schedule\.epochs\.x'"),
        ({"plan__epochs": 3}, r"no field 'plan\.epochs'; there is: name"),
        ({"family__foo": 3}, r"there is: family\.kind, family\.channels"),
        ({"normalisation__low": 3}, r"there is: normalisation\.kind$"),
        ({"normalisation__kind": "wild"}, "'normalisation' is wrong"),
        ({"family__kind": "wavelets"}, "no network family is called 'wavelets'; choose .*unet5"),
        ({"schedule__epochs": "many"}, "'schedule.epochs' is wrong"),
        ({"schedule__learning_rate": float("inf")}, "'schedule.learning_rate' is wrong"),
        ({"data__patch_px": 65}, "'data.patch_px' is wrong: .*multiple of 16"),
        ({"data__patch_px": 48, "family__channels": [4] * 5}, "must be a multiple of 32"),
        ({"data__patch_px": 16}, "at least 32"),
        ({"family__bands": 3}, "`family.bands` must be 1"),
        ({"family__channels": [4, 0]}, "every level needs 1 to 4096 feature maps"),
        ({"self": 3}, "no field 'self'"),
        ({"prediction__threshold": 1.5}, r"'prediction.threshold' is wrong: .*\(got 1.5\)"),
    ],
)
def test_replace_refuses_with_a_sentence(
    filaments: Recipe, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(RecipeError, match=words) as caught:
        filaments.replace(**change)
    assert "\n" not in str(caught.value)


def test_a_recipe_is_frozen(filaments: Recipe) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        filaments.name = "other"  # type: ignore[misc]


CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "title": st.text(),
        "expects__unit": st.text(max_size=20),
        "expects__pixel_scale_arcsec": st.none() | st.floats(1e-3, 1e5),
        "data__patch_px": st.integers(1, 8).map(lambda n: 128 * n),
        "data__min_mask": st.floats(0, 1),
        "data__floor": st.floats(0, 1e30),
        "data__augmentation__flips": st.booleans(),
        "data__split__folds": st.integers(2, 50),
        "normalisation": st.one_of(
            st.just(MinMax()),
            st.builds(Log, low=st.floats(1e-30, 1e10), high=st.floats(1e11, 1e30)),
            st.builds(Local, scale_px=st.floats(1, 256)),
        ),
        "family__channels": st.lists(st.integers(1, 512), min_size=1, max_size=5).map(tuple),
        "family__bottleneck": st.integers(4, 4096),
        "schedule__learning_rate": st.floats(1e-12, 1),
        "schedule__patience": st.none() | st.integers(1, 1000),
        "schedule__precision": st.sampled_from(["32-true", "bf16-mixed", "16-mixed"]),
        "schedule__seed": st.integers(0, 2**63),
        "prediction__threshold": st.floats(0, 1),
    },
)


@settings(max_examples=40)
@given(changes=CHANGES)
def test_any_valid_change_survives_yaml(changes: dict[str, Any]) -> None:
    original = Recipe.preset("filaments")
    recipe = original.replace(**changes)
    again = Recipe.from_yaml(recipe.to_yaml())
    assert again == recipe
    assert again.digest == recipe.digest
    assert (recipe.digest == original.digest) == (recipe == original)
    for name, value in changes.items():
        place: Any = recipe
        for step in name.split("__"):
            place = getattr(place, step)
        assert place == value


# --- families of other packages -----------------------------------------------------------


class Wavelets(FamilySpec):
    """A family that another package might bring."""

    kind: Literal["wavelets"] = "wavelets"
    scales: int = 3

    @property
    def net(self) -> str:
        return "elsewhere.nets.wavelets"


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EntryPoint]]:
    """A list to put entry points in, as if packages with them were installed."""
    found: list[EntryPoint] = []
    monkeypatch.setattr(families, "entry_points", lambda group: found)
    families.family_specs.cache_clear()
    yield found
    families.family_specs.cache_clear()


def entry(name: str, value: object, monkeypatch: pytest.MonkeyPatch) -> EntryPoint:
    point = EntryPoint(name, f"elsewhere:{name}", "napari_astroseg.families")
    monkeypatch.setattr(
        EntryPoint,
        "load",
        lambda self, previous=EntryPoint.load: value if self == point else previous(self),
    )
    return point


def test_our_families_name_their_net() -> None:
    for home in families.FAMILIES:
        spec = import_module(f"{families.__name__}.{home}").Spec()
        assert families.family_spec(spec.kind) is type(spec)
        assert spec.net == f"napari_astroseg.engine.nets.{home}"


def test_another_packages_family_is_found(
    filaments: Recipe, installed: list[EntryPoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    installed.append(entry("wavelets", Wavelets, monkeypatch))
    recipe = filaments.replace(family__kind="wavelets", family__scales=5)
    assert recipe.family == Wavelets(scales=5)
    assert Recipe.from_yaml(recipe.to_yaml()) == recipe
    assert recipe.family.net == "elsewhere.nets.wavelets"


def test_another_packages_family_cannot_take_our_name(
    installed: list[EntryPoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Impostor(FamilySpec):
        kind: Literal["unet5"] = "unet5"

    installed.append(entry("unet5", Impostor, monkeypatch))
    assert families.family_spec("unet5") is UNet5


def test_a_broken_package_is_left_out_with_a_warning(
    filaments: Recipe, installed: list[EntryPoint]
) -> None:
    installed.append(EntryPoint("broken", "no_such_module:Spec", "napari_astroseg.families"))
    with pytest.warns(UserWarning, match=r"'broken' \(no_such_module:Spec\) is left out"):
        assert Recipe.from_yaml(filaments.to_yaml()) == filaments


def test_stages_say_the_rate_of_each_epoch():
    schedule = Schedule(
        epochs=6, stage_epochs=(1, 2, 3), stage_rates=(1e-3, 1e-4, 1e-5), head_stages=1
    )
    assert [schedule.rate_at(n) for n in range(1, 7)] == [1e-3, 1e-4, 1e-4, 1e-5, 1e-5, 1e-5]
    assert [schedule.heads_only_at(n) for n in (1, 2, 6)] == [True, False, False]
    assert not Schedule().heads_only_at(1)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"stage_epochs": [5]}, "equally many"),
        ({"stage_epochs": [5], "stage_rates": [1e-3]}, "add up to 5"),
        ({"stage_epochs": [20, 0], "stage_rates": [1e-3, 1e-3]}, "needs an epoch"),
        ({"stage_epochs": [20], "stage_rates": [2.0]}, "above 0"),
        ({"head_stages": 1}, "at most the number of stages"),
    ],
)
def test_stages_that_do_not_fit_are_refused(change, says):
    with pytest.raises(RecipeError, match=says):
        Recipe.preset("filaments").replace(schedule={"epochs": 20} | change)
