"""Buttons: what can be done now, and why the rest cannot."""

from __future__ import annotations

from typing import Any


def allow(button: Any, why_not: str, words: str) -> None:
    """Enable a button (or another control) with a tooltip, or say in the tooltip why not.

    Parameters
    ----------
    why_not
        What is lacking, as a remedy; "" when nothing is.
    words
        What it does.
    """
    button.setEnabled(not why_not)
    button.setToolTip(why_not or words)
