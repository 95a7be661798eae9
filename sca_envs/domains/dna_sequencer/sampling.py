"""Plausible arguments for the DNA sequencer, for random policies and mutations."""

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
        case "dna_sequence":
            return _sequence(rng, "ACGT")
        case "mrna_sequence":
            return _sequence(rng, "ACGU")
        case "counts":
            return [part for base_ in "ACGT" for part in (base_, int(rng.integers(1, 9)))]
        case _:
            raise KeyError(parameter)


def _sequence(rng: np.random.Generator, letters: str) -> str:
    chosen = rng.integers(len(letters), size=int(rng.integers(4, 16)))
    return "".join(letters[i] for i in chosen)
