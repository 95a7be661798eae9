"""Draws of what plausible arguments are made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from sca_envs.core.database import Base, Record


def pick(rng: np.random.Generator, values: Any) -> Any:
    """Draw one of some values."""
    return values[int(rng.integers(len(values)))]


def random_key(rng: np.random.Generator, base: Base, table: str) -> str:
    """Draw the key of a record of a table."""
    key: str = pick(rng, base.keys(table))
    return key


def random_record(rng: np.random.Generator, base: Base, table: str) -> Record:
    """Draw a record of a table, to read."""
    return base.tables[table][random_key(rng, base, table)]
