"""Tasks of the airline."""

from __future__ import annotations

from functools import partial

from sca_envs.challenge.procedural.airline import changes, flights, questions, refusals
from sca_envs.challenge.procedural.airline.traveler import Traveler
from sca_envs.challenge.procedural.parts import Explorer, draw_draft
from sca_envs.core.wishes.draft import Draft

PARTS = (
    *changes.PARTS,
    *flights.PARTS,
    *questions.PARTS,
    *refusals.PARTS,
)
"""What a customer may want, the frequent wishes more than once."""


def draft(x: Explorer, calls: int) -> Draft:
    """Draw the draft of an airline task.

    Args:
        x: Explores.
        calls: How many tool calls the solution makes.

    Raises:
        DeadEnd: If what was drawn makes no such task.
    """
    traveler = Traveler(x)
    return draw_draft(x, traveler.identity, [partial(part, traveler) for part in PARTS], calls)
