"""Search: which fields of a recipe are tried at which values; in words, and checked."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import yaml

from napari_astroseg.errors import RecipeError
from napari_astroseg.recipes.recipe import Recipe

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER})\.\.({_NUMBER})(:log)?")
_MOST = 10_000
"""Combinations of a grid beyond which nobody waits for its end."""

Value = int | float | str | bool


@dataclass(frozen=True)
class Choice:
    """One of a few values."""

    values: tuple[Value, ...]

    def ends(self) -> tuple[Value, ...]:
        """Values that must suit the recipe."""
        return self.values


@dataclass(frozen=True)
class Range:
    """Any number from `low` to `high`, both included; `log`: every factor is as likely."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def ends(self) -> tuple[Value, ...]:
        """Values that must suit the recipe."""
        return (int(self.low), int(self.high)) if self.whole else (self.low, self.high)


@dataclass(frozen=True)
class Search:
    """Fields of a recipe by their dotted paths, and what is tried of each.

    Parameters
    ----------
    fields
        Paths and their values.
    """

    fields: dict[str, Choice | Range]

    @classmethod
    def parse(cls, words: Iterable[str], recipe: Recipe) -> Search:
        """`a.b=1e-5..1e-2:log`, `a.b=8..64` or `a.b=[16, 32]` words, checked against a recipe.

        Raises
        ------
        RecipeError
            When a word is none of these, or a field does not take one of its values.
        """
        fields: dict[str, Choice | Range] = {}
        for word in words:
            path, equals, said = word.partition("=")
            if not equals or not path:
                raise RecipeError(
                    f"--search takes FIELD=VALUES, not {word!r}; e.g. "
                    "schedule.learning_rate=1e-4..1e-2:log or 'family.bottleneck=[64, 128]'"
                )
            fields[path] = _said(path, said.strip())
            for value in fields[path].ends():
                recipe.replace(**{path: value})
        if not fields:
            raise RecipeError(
                "nothing is searched; name a field and its values with --search FIELD=VALUES"
            )
        return cls(fields)

    def grid(self) -> list[dict[str, Value]]:
        """Every combination.

        Raises
        ------
        RecipeError
            When a field has a range instead of a list of values, or there are too many.
        """
        for path, values in self.fields.items():
            if isinstance(values, Range):
                raise RecipeError(
                    f"a grid needs a list of values of {path}, not a range; e.g. {path}=[1, 2, 3]"
                )
        lists = [values.ends() for values in self.fields.values()]
        if (count := math.prod(map(len, lists))) > _MOST:
            raise RecipeError(f"a grid of {count:,} trainings never ends; leave --grid out")
        return [dict(zip(self.fields, values, strict=True)) for values in product(*lists)]


def _said(path: str, said: str) -> Choice | Range:
    found = _RANGE.fullmatch(said)
    if found is not None:
        return _range(path, *found.groups())
    try:
        values = yaml.safe_load(said)
    except (yaml.YAMLError, ValueError) as error:
        raise RecipeError(f"the values of {path} are not YAML: {said!r}; quote them") from error
    listed = tuple(map(_number, values)) if isinstance(values, list) else ()
    if not listed or not all(isinstance(value, Value) for value in listed):
        raise RecipeError(
            f"{said!r} is neither a range nor a list of plain values of {path}; write "
            f"{path}=LOW..HIGH or '{path}=[A, B]'"
        )
    return Choice(listed)


def _range(path: str, first: str, last: str, log: str | None) -> Range:
    low, high = float(first), float(last)
    if low >= high or (log and low <= 0):
        above = " and above 0" if log else ""
        raise RecipeError(
            f"the range of {path} must rise{above}: {first}..{last}; put the smaller end first"
        )
    whole = all(re.fullmatch(r"[+-]?\d+", end) for end in (first, last))
    return Range(low, high, bool(log), whole)


def _number(value: Any) -> Any:
    """YAML reads 1e-3 as text (it wants 1.0e-3); people write the former."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def told(changes: dict[str, Any]) -> Iterator[str]:
    """Each change in words."""
    for path, value in changes.items():
        yield f"{path}={value:.4g}" if isinstance(value, float) else f"{path}={value}"
