"""The models at hand, with their cards."""

from __future__ import annotations

import argparse
import json
import textwrap

HELP = "the models at hand, with their cards"

_TIED = "\u00a0"
"""A space at which no line is broken; printed as any other."""


def add(verb: argparse.ArgumentParser) -> None:
    """Declare the verb's words."""
    verb.add_argument(
        "names", nargs="*", metavar="NAME", help="a built-in model, a run's folder or a model file"
    )
    verb.add_argument("--json", action="store_true", help="print a JSON list")


def run(options: argparse.Namespace) -> int:
    """List the built-in models, or tell all about those named."""
    from napari_astroseg.engine.card import ModelCard, list_models, read_card

    cards = [read_card(name) for name in options.names] or list_models()
    if options.json:
        print(json.dumps([card.describe() for card in cards], indent=2))
        return 0

    def words(card: ModelCard) -> str:
        lines = [f"{card.name}  {card.parameters:,} parameters, {card.bytes / 2**20:.1f} MiB"]
        lines.append(f"  {card.recipe.title}")
        if options.names:
            lines += [
                f"  source       {card.recipe.source}",
                f"  trained on   {card.trained_on} (digest {card.data_digest})",
                f"  command      {card.command}",
                f"  versions     {', '.join(f'{k} {v}' for k, v in card.versions.items())}",
            ]
        figures = ", ".join(f"{name}{_TIED}{value:g}" for name, value in card.figures.items())
        lines.append(f"  figures      {figures or 'none measured'}; threshold {card.threshold:g}")
        if card.temperature != 1.0:
            lines.append(f"  calibrated   by a temperature of {card.temperature:g}")
        if card.notes:
            lines.append(f"  note         {card.notes}")
        return "\n".join(map(_wrapped, lines))

    print("\n".join(words(card) for card in cards))
    return 0


def _wrapped(line: str) -> str:
    """A line of a card, its continuation under its own words; commands can still be copied."""
    if line.startswith("  command "):
        return line
    told = textwrap.fill(
        line, 100, subsequent_indent=" " * 15, break_long_words=False, break_on_hyphens=False
    )
    return told.replace(_TIED, " ")
