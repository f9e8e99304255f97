"""Networks, one module per family, named as its spec is; and how to build one from its spec."""

from __future__ import annotations

from importlib import import_module

from napari_astroseg.engine.nets.base import Network
from napari_astroseg.recipes.families.base import FamilySpec


def build(spec: FamilySpec) -> Network:
    """The untrained network that `spec` describes."""
    net: Network = import_module(spec.net).build(spec)
    return net
