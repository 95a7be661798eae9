"""Manners of speaking of the generated customers."""

from __future__ import annotations

import random
import tomllib
from importlib.resources import files
from typing import Any, NamedTuple

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


def _read() -> tuple[Persona, ...]:
    text = files(__package__ or "").joinpath("personas.toml").read_text(encoding="utf-8")
    return tuple(_parse(entry) for entry in tomllib.loads(text)["persona"])


def _parse(entry: dict[str, Any]) -> Persona:
    texts: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()
    }
    return Persona(**texts)


PERSONAS: tuple[Persona, ...] = _read()
"""The manners of speaking that customers have by default."""
