"""Plausible arguments for the message decoder, for random policies and mutations."""

from __future__ import annotations

from typing import Any

import numpy as np

from sca_envs.core.database import Base
from sca_envs.domains.message_decoder.words import WORDS


def sample_argument(rng: np.random.Generator, base: Base, parameter: str) -> Any:
    """Draw a plausible value of a tool's parameter.

    Args:
        rng: Random generator.
        base: Not used; the domain has no tables.
        parameter: The parameter's name.

    Raises:
        KeyError: If no tool has such a parameter.
    """
    word = WORDS[int(rng.integers(len(WORDS)))]
    match parameter:
        case "hex_string":
            return word.encode().hex()[:-1] + "a"  # a letter, which keeps it from being a number
        case "string" | "message":
            return word
        case "shift":
            return int(rng.integers(1, 26))
        case "values":
            return [int(number) for number in rng.integers(1, 100, size=3)]
        case _:
            raise KeyError(parameter)
