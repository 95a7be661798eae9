"""Plausible arguments for the travel planner, for random policies and mutations."""

from __future__ import annotations

from typing import Any

import numpy as np

from sca_envs.core.database import Base


def sample_argument(rng: np.random.Generator, base: Base, parameter: str) -> Any:
    """Draw a plausible value of a tool's parameter.

    Args:
        rng: Random generator.
        base: The tables to take places, days and preferences from.
        parameter: The parameter's name.

    Raises:
        KeyError: If no tool has such a parameter.
    """
    match parameter:
        case "from_location" | "to_location" | "date":
            return _record(rng, base, "flights")[parameter].strip('"')
        case "location":
            return _record(rng, base, "hotels")["location"].strip('"')
        case "preferences":
            return _record(rng, base, "hotels")["preferences"][:1]
        case "flight_price" | "hotel_price_per_night":
            return int(rng.integers(30, 900))
        case "num_nights":
            return int(rng.integers(1, 10))
        case "values":
            return [int(number) for number in rng.integers(30, 900, size=3)]
        case _:
            raise KeyError(parameter)


def _record(rng: np.random.Generator, base: Base, table: str) -> dict[str, Any]:
    keys = base.keys(table)
    return base.tables[table][keys[int(rng.integers(len(keys)))]]
