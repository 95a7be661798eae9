"""A Code-as-Task under construction, before anything of it was tried."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sca_envs.core.database import Base
from sca_envs.core.tools import Tool

RIGHT_ANSWER = "RIGHT_ANSWER"
"""Stands for the right answer as a literal in a failing attempt."""


@dataclass(frozen=True)
class Draft:
    """What becomes a Code-as-Task once it was shown to work."""

    instruction: str
    """What the customer wants, as prose."""
    solution: str
    """Source that calls the tools and ends with ``answer(…)``."""
    failing_attempts: Iterable[str]
    """Sources of the same form that should fail, the most telling first; ``RIGHT_ANSWER`` in them
    stands for the literal."""
    page: str | None = None
    """The page whose top the browser has to show at the end."""


class DraftSource(Protocol):
    """What a domain has if Code-as-Tasks can be drawn for it without a model."""

    def draft(self, tools: Mapping[str, Tool], base: Base, rng: random.Random, calls: int) -> Draft:
        """Draw a task whose solution has a number of calls.

        Args:
            tools: The domain's tools by name.
            base: The world.
            rng: Draws everything.
            calls: How many tool calls the solution makes.

        Raises:
            DeadEnd: If what was drawn makes no such task.
        """
        ...
