"""FamilySpec: what every network family says about itself before torch is imported."""

from __future__ import annotations

from napari_astroseg.recipes.base import Frozen


class FamilySpec(Frozen):
    """The shape of a network, without the network.

    A subclass gives `kind` (a Literal with its own name as default) and whatever numbers its
    builder needs. `net` names the module that holds `build(spec)`; a family from another
    package overrides it.
    """

    kind: str

    @classmethod
    def kind_name(cls) -> str:
        """The name by which recipes ask for this family."""
        return str(cls.model_fields["kind"].default)

    @property
    def stride(self) -> int:
        """Factor by which the network halves its input again and again, at its coarsest."""
        return 1

    @property
    def net(self) -> str:
        """Dotted name of the module whose `build(spec)` makes the network."""
        return f"napari_astroseg.engine.nets.{self.kind}"
