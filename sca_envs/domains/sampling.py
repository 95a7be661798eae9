"""Plausible arguments of a domain whose parameters are called as the fields of its records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sca_envs.core.database import Base, Record
from sca_envs.core.errors import OptionError, shorten


def sample_field(rng: np.random.Generator, base: Base, parameter: str) -> Any:
    """Draw a value that some record of the world has under a parameter's name.

    Args:
        rng: Random generator.
        base: The tables.
        parameter: The parameter's name, such as ``book_id``.

    Raises:
        OptionError: If no record has such a field.
    """
    for table in base.tables:
        values = base.derived(table, _values_by_field).get(parameter)
        if values:
            return values[int(rng.integers(len(values)))]
    raise OptionError(
        f"Expected a record with a field {shorten(parameter)}, which is a parameter of a tool; "
        "there is none: give the DomainSpec a `sample_argument` that draws such values"
    )


def _values_by_field(records: Mapping[str, Record]) -> dict[str, list[Any]]:
    values: dict[str, list[Any]] = {}
    for record in records.values():
        for name, value in record.items():
            values.setdefault(name, []).append(value)
    return values
