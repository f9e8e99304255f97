"""CardView: what a dataset holds, part by part, in a small table of words."""

from __future__ import annotations

import math
from html import escape

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

from napari_astroseg.sky.datasets.card import DatasetCard
from napari_astroseg.sky.datasets.pictures import colours_of

_SMALL = 0.0005
"""A share below it is told with more digits."""


class CardView(QLabel):
    """A card in words; classes in the colours in which stamps show them."""

    def __init__(self) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setWordWrap(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)

    def show_card(self, card: DatasetCard | None) -> None:
        """Show a card; nothing for None."""
        self.setText("" if card is None else _told(card))
        self.setVisible(card is not None)


def _told(card: DatasetCard) -> str:
    settings = ", ".join(f"{name} {value:g}" for name, value in card.settings.items())
    head = (
        f"<b>{escape(card.name)}</b>: {card.layout}, {card.items:,} images"
        f"{f' ({settings})' if settings else ''}<br>digest {card.digest}"
    )
    rows = "".join(_row(card, part) for part in card.parts)
    return f"{head}<table cellspacing='4'>{rows}</table>"


def _row(card: DatasetCard, part: str) -> str:
    counts, told = card.parts[part], []
    for name, colour in colours_of(card).items():
        share = card.balance(part).get(name, math.nan)
        if name in counts.objects:
            amount = f"{counts.objects[name]:,}"
        elif math.isfinite(share):
            amount = f"{share:.1%}" if share >= _SMALL or not share else f"{share:.1e}"
        else:
            continue
        told.append(f"<span style='color: rgb{colour}'>■</span> {escape(name)} {amount}")
    words = " &nbsp; ".join(told) or "no truth"
    return f"<tr><td>{part}</td><td align='right'>{counts.items:,}</td><td>{words}</td></tr>"
