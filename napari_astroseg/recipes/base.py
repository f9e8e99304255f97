"""Frozen: what every part of a recipe is, an immutable record that refuses unknown fields."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """An immutable, strictly validated record."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)
