"""Network families: one small spec file each, and this list.

To add one: write `recipes/families/NAME.py` with a `FamilySpec` whose `kind` is NAME (or whose
`net` names the module), `engine/nets/NAME.py` with a `build(spec)`, and add NAME below. Other
packages add theirs by an entry point in the group `napari_astroseg.families` that names their
spec class.
"""

from __future__ import annotations

import warnings
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from napari_astroseg.errors import RecipeError
from napari_astroseg.recipes.families.base import FamilySpec

FAMILIES = ("unet5", "unetpp", "unet38", "probunet", "ssd300", "maskrcnn")


@cache
def family_specs() -> dict[str, type[FamilySpec]]:
    """Spec class of each family at hand, by its `kind`."""
    homes = [import_module(f"{__name__}.{name}") for name in FAMILIES]
    found = {home.Spec.kind_name(): home.Spec for home in homes}
    for entry in entry_points(group="napari_astroseg.families"):
        try:
            spec = entry.load()
            found.setdefault(spec.kind_name(), spec)
        except Exception as error:
            # Another package's fault, whatever it raises, must not take every recipe with it.
            warnings.warn(
                f"the network family {entry.name!r} ({entry.value}) is left out: {error}",
                stacklevel=2,
            )
    return found


def family_spec(kind: str) -> type[FamilySpec]:
    """Spec class of the family called `kind`.

    Raises
    ------
    RecipeError
        When no installed package offers it.
    """
    specs = family_specs()
    if kind not in specs:
        raise RecipeError(
            f"no network family is called {kind!r}; choose one of {', '.join(sorted(specs))}, "
            "or install the package that brings it"
        )
    return specs[kind]
