"""Tasks of the retail store."""

from __future__ import annotations

from functools import partial

from sca_envs.challenge.procedural.parts import Explorer, draw_draft
from sca_envs.challenge.procedural.retail import conditions, items, orders, questions, refusals
from sca_envs.challenge.procedural.retail.shopper import Shopper
from sca_envs.core.wishes.draft import Draft

PARTS = (
    *orders.PARTS,
    *items.PARTS,
    *conditions.PARTS,
    *questions.PARTS,
    *refusals.PARTS,
)
"""What a customer may want, the frequent wishes more than once."""


def draft(x: Explorer, calls: int) -> Draft:
    """Draw the draft of a retail task.

    Args:
        x: Explores.
        calls: How many tool calls the solution makes.

    Raises:
        DeadEnd: If what was drawn makes no such task.
    """
    shopper = Shopper(x)
    return draw_draft(x, shopper.identity, [partial(part, shopper) for part in PARTS], calls)
