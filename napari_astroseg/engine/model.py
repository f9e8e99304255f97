"""Model: a trained network with the recipe that made it, in one safetensors file."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, load_file, save

from napari_astroseg.engine.card import ModelCard, apart, find_model, read_card
from napari_astroseg.engine.cluster import Cluster
from napari_astroseg.engine.nets import build
from napari_astroseg.engine.nets.base import Network
from napari_astroseg.engine.nets.sampling import SamplingNet
from napari_astroseg.engine.sampled import draws_for
from napari_astroseg.engine.spread import Spread
from napari_astroseg.engine.tensorfile import write_tensors
from napari_astroseg.errors import MisfitError, ModelError, SetupError
from napari_astroseg.recipes.recipe import Recipe


@dataclass(frozen=True, eq=False)
class Model:
    """A network ready to predict.

    Attributes
    ----------
    card
        What it is and where it came from.
    net
        The network in evaluation mode.
    turns
        Views of a stamp that its answer is the mean of: 1, 2, 4 or 8 (`turned`).
    others
        Further models whose answers count in (`joined`).
    entropic
        Whether the entropy of an answer is told as its uncertainty.
    """

    card: ModelCard
    net: Network
    turns: int = 1
    others: tuple[Model, ...] = ()
    entropic: bool = False
    _swift: dict[torch.device, Network] = field(default_factory=dict, init=False, repr=False)

    @property
    def recipe(self) -> Recipe:
        """The recipe that made it."""
        return self.card.recipe

    @property
    def parameters(self) -> int:
        """Number of trained weights."""
        return sum(weight.numel() for weight in self.net.parameters())

    @cached_property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that change when any weight does, or what is made of it."""
        total = hashlib.sha256()
        for other in self.others:
            total.update(other.digest.encode())
        if self.card.temperature != 1.0:
            total.update(f"temperature {self.card.temperature}".encode())
        if self.turns > 1:
            total.update(f"{self.turns} turns".encode())
        for name, weight in self.net.state_dict().items():
            total.update(name.encode())
            total.update(weight.detach().cpu().contiguous().numpy().tobytes())
        return total.hexdigest()[:16]

    def swift(self, device: torch.device) -> Network:
        """The network made fast for prediction on `device`; made once and kept."""
        if device not in self._swift:
            self._swift[device] = self.net.fused().to(
                device,
                memory_format=torch.channels_last,  # type: ignore[call-overload]
            )
        return self._swift[device]

    def networks(self, device: torch.device) -> list[Network]:
        """Its own network and those of the models joined to it, made fast."""
        return [each.swift(device) for each in (self, *self.others)]

    @property
    def spread(self) -> Spread | None:
        """What its uncertainty is of, samples apart; None where it tells none."""
        members = self.turns * (1 + len(self.others))
        if members > 1:
            return Spread("models" if self.others else "turns", members)
        return Spread("entropy") if self.entropic else None

    @property
    def unsure_words(self) -> str:
        """What the uncertainty of an object is, where it tells one."""
        return "" if self.spread is None else self.spread.words_of("score")

    def turned(self, turns: int = 8) -> Model:
        """The same model, seeing each stamp in so many turns and mirrorings.

        Raises
        ------
        MisfitError
            When it draws samples that tell its uncertainty already.
        SetupError
            When there is no such number of turns.
        """
        if turns not in (2, 4, 8):
            raise SetupError(f"a square has no {turns} turns and mirrorings; choose 2, 4 or 8")
        self._require_no_samples()
        return dataclasses.replace(self, turns=turns, entropic=False)

    def joined(self, others: Sequence[Model]) -> Model:
        """The mean of this model and others that learnt the same.

        Raises
        ------
        MisfitError
            When they look at images in another way, are calibrated otherwise, draw samples, or two
            of them are one.
        """
        named: dict[str, str] = {}
        for each in (self, *others):
            each._require_no_samples()
            refusal = apart(self.card, each.card)
            if refusal:
                raise MisfitError(refusal)
            name, digest = each.card.name, each.digest
            if digest in named:
                raise MisfitError(
                    f"{named[digest]} and {name} are the same network (weights {digest}), which "
                    "would count twice; give each network once, and others of other seeds or data"
                )
            named[digest] = name
        return dataclasses.replace(self, others=tuple(others), entropic=False)

    def doubting(self) -> Model:
        """The same model, telling the entropy of its answer as uncertainty.

        Raises
        ------
        MisfitError
            When it draws samples that tell its uncertainty already.
        """
        self._require_no_samples()
        return dataclasses.replace(self, entropic=True)

    def _require_no_samples(self) -> None:
        """Refuse a network that needs no other way to tell how unsure it is."""
        if isinstance(self.net, SamplingNet):
            raise MisfitError(
                f"{self.card.name} draws samples, whose spread is its uncertainty; choose how many "
                "with --samples, and leave out --ensemble and --entropy"
            )

    def drawing(self, samples: int) -> Model:
        """The same model, drawing so many samples where nothing else is asked for.

        Raises
        ------
        MisfitError
            When its network draws none, or too few are asked for.
        """
        draws_for(self.net, self.recipe, self.card.name, samples)
        recipe = self.recipe.replace(family__samples=samples)
        return dataclasses.replace(self, card=dataclasses.replace(self.card, recipe=recipe))

    def save(self, path: Path) -> Path:
        """Write weights, recipe and card to one safetensors file, whole or not at all."""
        write_tensors(path, self.net.state_dict(), self.card.to_metadata())
        return path

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as card and safetensors, to be built again on the other side."""
        weights = {name: t.detach().cpu().contiguous() for name, t in self.net.state_dict().items()}
        return _built, (self.card, save(weights), self.turns, self.others, self.entropic)


def load_model(name_or_path: str | Path | Model, device: str | Cluster = "cpu") -> Model:
    """A model by built-in name, run folder or file; only safetensors are read.

    Raises
    ------
    ModelError
        When there is none, or its weights do not fit the network its recipe describes.
    """
    if isinstance(name_or_path, Model):
        return name_or_path
    path = find_model(name_or_path)
    model = _loaded(path, path.stat().st_mtime_ns)
    model.net.to(torch_device(device))
    return model


def _built(card: ModelCard, packed: bytes, *how: Any) -> Model:
    """A model that travelled."""
    net = build(card.recipe.family)
    net.load_state_dict(load(packed))
    return Model(card, net.eval(), *how)


@lru_cache(maxsize=2)
def _loaded(path: Path, _changed_ns: int) -> Model:
    """A model file read once; a warm engine is asked about the same one click after click."""
    card = read_card(path)
    net = build(card.recipe.family)
    try:
        net.load_state_dict(load_file(path))
    except (SafetensorError, RuntimeError, OSError) as error:
        raise ModelError(
            f"{path.name}: its weights do not fit the network of its recipe "
            f"({str(error).splitlines()[0]}); the file is damaged: fetch or train it again"
        ) from error
    return Model(dataclasses.replace(card, path=path), net.eval())


def torch_device(name: str | Cluster) -> torch.device:
    """The device called `auto`, `cpu`, `cuda`, `mps`, or one of torch's own names.

    Beside a cluster, what is left to do here is done where it best can be.

    Raises
    ------
    SetupError
        When this machine has no such device.
    """
    if isinstance(name, Cluster):
        name = "auto"
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise SetupError(f"no device is called {name!r}; use auto, cpu, cuda or mps") from error
    missing = (device.type == "cuda" and not torch.cuda.is_available()) or (
        device.type == "mps" and not torch.backends.mps.is_available()
    )
    if missing:
        raise SetupError(f"this machine has no usable {name} device; use --device cpu")
    return device


def told_device(name: str | Cluster) -> str:
    """Where work is done, in words."""
    return str(name if isinstance(name, Cluster) else torch_device(name))
