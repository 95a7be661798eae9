"""Plausible arguments for the trade calculator, for random policies and mutations."""

from __future__ import annotations

from typing import Any

import numpy as np

from sca_envs.core.database import Base


def sample_argument(rng: np.random.Generator, base: Base, parameter: str) -> Any:
    """Draw a plausible value of a tool's parameter.

    Args:
        rng: Random generator.
        base: Not used; the domain has no tables.
        parameter: The parameter's name.

    Raises:
        KeyError: If no tool has such a parameter.
    """
    match parameter:
        case "base_price" | "price" | "tariff":
            return int(rng.integers(100, 100_000)) / 100
        case "conversion_rate":
            return int(rng.integers(50, 300)) / 100
        case "tariff_rate":
            return int(rng.integers(2, 50)) / 2
        case "expression":
            return f"{rng.integers(1, 1000)} {'+-*'[int(rng.integers(3))]} {rng.integers(1, 100)}"
        case "values":
            return [int(number) / 100 for number in rng.integers(100, 100_000, size=3)]
        case _:
            raise KeyError(parameter)
