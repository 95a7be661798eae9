"""Results that others published, for comparison; none of them was measured with this package."""

from __future__ import annotations

import functools
from importlib.resources import files

from pydantic import BaseModel, ConfigDict


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Source(_Model):
    """Where a table was published."""

    title: str
    url: str


class PublishedRow(_Model):
    """One published result."""

    system: str
    """The model."""
    method: str = ""
    """How it acted, where the columns do not say it."""
    values: tuple[float, ...]
    """One value a column, from 0 to 1."""


class PublishedTable(_Model):
    """Published results on one data set."""

    title: str
    env_ids: tuple[str, ...]
    """Environments here that have these tasks."""
    data: str
    split: str
    source: Source
    note: str
    """What differs from a run here."""
    columns: tuple[str, ...]
    """What the values are."""
    rows: tuple[PublishedRow, ...]


class _Tables(_Model):
    tables: tuple[PublishedTable, ...]


@functools.cache
def published() -> tuple[PublishedTable, ...]:
    """Return the published tables."""
    text = (files("sca_envs.bench.leaderboard") / "published.json").read_text("utf-8")
    return _Tables.model_validate_json(text).tables
