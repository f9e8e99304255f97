"""Order: a training or a search that is wanted, as a line of JSON; torch-free."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from napari_astroseg.engine.run import Run, Sweep
from napari_astroseg.errors import AstroSegError, TrainingError
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.files.writing import replacing

ORDER_FILE = "order.json"
_LONGEST = 2**20
"""Bytes beyond which a file is no order."""


@dataclass(frozen=True)
class Order:
    """What is to be learnt, and how.

    Parameters
    ----------
    recipe
        Of the training, or that a search changes.
    how
        A `Run`, or a `Sweep`.
    """

    recipe: Recipe
    how: Run | Sweep

    @property
    def out(self) -> Path:
        """Folder of the run or of the search."""
        return self.how.out

    @property
    def epochs(self) -> int:
        """Of each training."""
        return self.recipe.schedule.epochs

    @property
    def searches(self) -> bool:
        """Whether many trainings are meant."""
        return isinstance(self.how, Sweep)

    @property
    def absolute(self) -> Order:
        """The same with paths that hold from any folder."""
        data, out = self.how.data.absolute(), self.how.out.absolute()
        return replace(self, how=replace(self.how, data=data, out=out))

    @property
    def resumed_search(self) -> Order | None:
        """The same search, gone on with; None where it is a single training."""
        if not isinstance(self.how, Sweep):
            return None
        return replace(self, how=replace(self.how, resume=True))

    def to_json(self) -> str:
        """One line, which `from_json` gives back unchanged."""
        told = {"recipe": self.recipe.to_yaml(), "how": asdict(self.how)}
        return json.dumps(told, default=str)

    @classmethod
    def from_json(cls, line: str) -> Order:
        """The order that `to_json` made a line of.

        Raises
        ------
        TrainingError
            When it is none.
        """
        try:
            told = json.loads(line)
            how: dict[str, Any] = told["how"]
            paths = {"data": Path(how["data"]), "out": Path(how["out"])}
            recipe = Recipe.from_yaml(told["recipe"])
            if "words" in how:
                return cls(recipe, Sweep(**(how | paths | {"words": tuple(how["words"])})))
            return cls(recipe, Run(**(how | paths)))
        except (ValueError, KeyError, TypeError, AstroSegError) as error:
            raise TrainingError(
                f"this is no order of a training ({error}); order it anew"
            ) from error

    def write(self) -> None:
        """Leave it in its folder, to be read by whoever looks there."""
        with replacing(self.out / ORDER_FILE) as temporary:
            temporary.write_text(self.to_json() + "\n", encoding="utf-8")

    @classmethod
    def read(cls, out: Path) -> Order:
        """The order that lies in a folder, of that folder, wherever it lay when it was written.

        Raises
        ------
        TrainingError
            When there is none.
        """
        try:
            with (out / ORDER_FILE).open(encoding="utf-8") as file:
                order = cls.from_json(file.read(_LONGEST))
        except OSError as error:
            raise TrainingError(f"{out} holds no order of a training; order it anew") from error
        return replace(order, how=replace(order.how, out=out))
