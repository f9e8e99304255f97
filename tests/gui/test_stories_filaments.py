"""Filaments of a real map: found, seen in the infrared, judged, given on, and there again."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

from pathlib import Path

from gui.fixtures_stories import story
from gui.story import Story, names

MAP = "HIGAL_L_Fil10_N"
RIDGE = 143, 160
"""The brightest pixel of the filament that the map was cut out for, 8.8e22 cm^-2."""


def test_filaments(story: Story, shared_data: Path) -> None:
    map_file = shared_data / "filaments" / f"{MAP}.fits"
    story.open()
    story.shot("welcome")
    story.drop(map_file)
    story.wait(lambda: MAP in names(story.viewer), "the map")
    predict = story.turn_to("Predict")
    story.choose(predict.place.size, "256 × 256 px")
    story.press(predict.place.by_click)
    story.click_sky(*RIDGE)
    story.predicted()
    story.shot("click")
    (clicked,) = story.layers("regions")
    assert clicked.get_value(RIDGE[::-1], world=True)
    story.press(predict.place.by_click)
    story.press(predict.place.by_whole)
    story.predicted()
    story.shot("whole")
    whole = story.layers("regions")[-1]
    assert whole.data.shape == (315, 315)
    assert whole.get_value(RIDGE[::-1], world=True) > 0
