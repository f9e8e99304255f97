"""Forms: what goes in comes out, to the last digit."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field
from qtpy.QtGui import QValidator

from napari_astroseg.gui.form.fields import FloatField
from napari_astroseg.gui.form.forms import Form
from napari_astroseg.recipes.base import Frozen
from napari_astroseg.recipes.normalisation import Local, Log, MinMax
from napari_astroseg.recipes.recipe import Recipe, preset_names

pytestmark = pytest.mark.gui


@pytest.mark.parametrize("opened", [None, ("schedule",), ()])
@pytest.mark.parametrize("name", preset_names())
def test_every_preset_comes_back_equal(qtbot: Any, name: str, opened: Any) -> None:
    recipe = Recipe.preset(name)
    form = Form(recipe, opened)
    qtbot.addWidget(form)
    assert form.value() == recipe
    assert form.value().to_yaml() == recipe.to_yaml()
    assert form.problem() == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"schedule__learning_rate": 1e-3},
        {"schedule__learning_rate": 3.3333333333333335e-05},
        {"normalisation": MinMax()},
        {"normalisation": Log()},
        {"normalisation": Log(low=4.160104636600882e20, high=3.367595174607165e23)},
        {"normalisation": Local(scale_px=7.25)},
        {"schedule__patience": 12},
        {"schedule__patience": None},
        {"schedule__seed": 2**53 + 1},
        {"schedule__precision": "bf16-mixed"},
        {"expects__pixel_scale_arcsec": None},
        {"family__channels": (4, 8)},
        {"data__split__hold_out_lon_deg": (349.0, 356.5)},
        {"data__augmentation__flips": False},
        {"title": "ä β ″ quote: 'x'"},
    ],
)
def test_set_value_is_exact(qtbot: Any, changes: dict[str, Any]) -> None:
    start = Recipe.preset("filaments")
    recipe = start.replace(**changes)
    form = Form(start)
    qtbot.addWidget(form)
    form.setValue(recipe)
    assert form.value() == recipe
    form.setValue(start)
    assert form.value() == start


def test_another_layout_brings_its_own_controls(qtbot: Any) -> None:
    form = Form(Recipe.preset("filaments"))
    qtbot.addWidget(form)
    form.setValue(Recipe.preset("spiral_arms").replace(data__threshold=5))
    assert form.value().data.threshold == 5
    form.section["data"]["threshold"].setValue(2)
    assert form.value() == Recipe.preset("spiral_arms").replace(data__threshold=2)
    form.section["data"].choice.setValue("four_maps")
    assert "`family.bands` must be 1" in form.problem()


def test_an_edit_is_told_once_and_shows_in_the_value(qtbot: Any) -> None:
    form = Form(Recipe.preset("filaments"))
    qtbot.addWidget(form)
    told: list[int] = []
    form.valueChanged.connect(lambda: told.append(1))
    form.section["schedule"]["epochs"].setValue(7)
    assert form.value().schedule.epochs == 7
    assert told == [1]


def test_what_is_wrong_is_said_in_the_recipes_sentence(qtbot: Any) -> None:
    form = Form(Recipe.preset("filaments"))
    qtbot.addWidget(form)
    form.section["family"].sections[0]["channels"].setText("64, many")
    assert "family.channels" in form.problem()
    assert "\n" not in form.problem()
    form.section["family"].sections[0]["channels"].setText("64 128")
    assert form.problem() == ""
    assert form.value().family.channels == (64, 128)


def test_bounds_are_the_fields_own(qtbot: Any) -> None:
    form = Form(Recipe.preset("filaments"))
    qtbot.addWidget(form)
    epochs = form.section["schedule"]["epochs"]
    assert (epochs.minimum(), epochs.maximum()) == (1, 100_000)
    assert form.section["data"]["patch_px"].singleStep() == 16
    rate = form.section["schedule"]["learning_rate"]
    accepted = QValidator.State.Acceptable
    assert rate.validate("0.5", 0)[0] == accepted
    assert rate.validate("0", 0)[0] != accepted
    assert rate.validate("1.5", 0)[0] != accepted


@pytest.mark.parametrize(
    ("value", "steps", "after"),
    [(1e-3, 1, 1.1e-3), (1e-3, -1, 9e-4), (0.5, 1, 0.51), (4.2e20, 1, 4.3e20), (0.0, 1, 0.1)],
)
def test_a_step_changes_the_second_digit(
    qtbot: Any, value: float, steps: int, after: float
) -> None:
    field = FloatField()
    qtbot.addWidget(field)
    field.setValue(value)
    field.stepBy(steps)
    assert field.value() == pytest.approx(after, rel=0.021)
    assert len(f"{field.value():g}") <= 7


def test_typed_digits_are_kept(qtbot: Any) -> None:
    field = FloatField(0.0, None, open_low=True)
    qtbot.addWidget(field)
    field.lineEdit().selectAll()
    qtbot.keyClicks(field.lineEdit(), "4.160104636600882e20")
    assert field.value() == 4.160104636600882e20
    field.clearFocus()
    assert field.value() == 4.160104636600882e20


class _Left(Frozen):
    kind: Literal["left"] = "left"
    size: int = Field(3, ge=1, le=9)


class _Right(Frozen):
    kind: Literal["right"] = "right"
    share: float = Field(0.5, ge=0, le=1)
    word: str | None = None


class _Any(Frozen):
    """A record without `replace`, as another package might bring it."""

    side: Annotated[_Left | _Right, Field(discriminator="kind")] = _Left()
    maybe: float | None = None
    on: bool = True


@pytest.mark.parametrize(
    "record", [_Any(), _Any(side=_Right(share=1e-9, word="x"), maybe=2.5, on=False)]
)
def test_any_record_has_a_form(qtbot: Any, record: _Any) -> None:
    form = Form(_Any())
    qtbot.addWidget(form)
    form.setValue(record)
    assert form.value() == record
