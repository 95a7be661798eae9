"""Manners of speaking of the generated customers."""

from __future__ import annotations

import random
from typing import NamedTuple

from sca_envs.core.packaged import read_toml

_OCCASIONS = ("yes", "no", "next", "thanks", "leave_it", "unsure", "give_up")


class Persona(NamedTuple):
    """How a customer speaks."""

    about: str
    """What the customer says of themself in the prose instruction."""
    openness: float
    """Probability that a detail is told before anybody asks."""
    greetings: tuple[str, ...]
    yes: tuple[str, ...]
    no: tuple[str, ...]
    next: tuple[str, ...]
    thanks: tuple[str, ...]
    leave_it: tuple[str, ...]
    unsure: tuple[str, ...]
    give_up: tuple[str, ...]

    def phrases(self, rng: random.Random) -> dict[str, str]:
        """Draw one wording for each occasion, as `UserScript.phrases` wants them."""
        return {kind: rng.choice(getattr(self, kind)) for kind in _OCCASIONS}


PERSONAS: tuple[Persona, ...] = tuple(
    Persona(**persona) for persona in read_toml(__package__ or "", "personas.toml")["persona"]
)
"""The manners of speaking that customers have by default."""
