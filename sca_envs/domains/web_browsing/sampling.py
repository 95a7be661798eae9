"""Plausible arguments for the web browser, for random policies and mutations."""

from __future__ import annotations

from typing import Any

import numpy as np

from sca_envs.core.database import Base


def sample_argument(rng: np.random.Generator, base: Base, parameter: str) -> Any:
    """Draw a plausible value of a tool's parameter.

    Args:
        rng: Random generator.
        base: The tables to take addresses from.
        parameter: The parameter's name.

    Raises:
        KeyError: If no tool has such a parameter.
    """
    match parameter:
        case "url":
            pages = base.keys("pages")
            return pages[int(rng.integers(len(pages)))]
        case "expression":
            return f"{rng.integers(1, 1000)} {'+-*'[int(rng.integers(3))]} {rng.integers(1, 100)}"
        case _:
            raise KeyError(parameter)
