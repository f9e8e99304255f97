"""Schema: the tables that lists of detections and the log of verdicts are kept in.

The log only grows; no row of it is ever changed. What a verdict says besides its keys is JSON text,
so that no table changes when verdicts learn to say more.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

about = Table(
    "vetting_about",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)
"""`version` of these tables."""

lists = Table(
    "vetting_lists",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("source", Text, nullable=False),
    Column("frame", String(20)),
    Column("unit", String(10), nullable=False),
    Column("added", String(40), nullable=False),
)

detections = Table(
    "vetting_detections",
    metadata,
    Column("list", ForeignKey("vetting_lists.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    *(Column(name, Float(53)) for name in ("lon", "lat", "x", "y", "radius", "score")),
    Column("uncertainty", Float(53)),
    Column("kind", Text, nullable=False),
    Column("planted", String(10), nullable=False),
    UniqueConstraint("list", "name"),
)
"""`planted`: what is known of one that was hidden among the others, `real` or `not`; else ""."""

verdicts = Table(
    "vetting_verdicts",
    metadata,
    # SQLite numbers rows by itself only where the type is its own INTEGER.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("uid", String(200), nullable=False, unique=True),
    Column("list", ForeignKey("vetting_lists.id"), nullable=False),
    Column("vetter", Text, nullable=False),
    Column("detection", Text, nullable=False),
    Column("time", String(40), nullable=False),
    Column("act", String(10), nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("told", Text, nullable=False),
    Index("vetting_verdicts_on", "list", "detection"),
    Index("vetting_verdicts_by", "list", "vetter"),
)
"""`told`: the whole entry as JSON."""
