"""What a generated customer can want: the pieces that every goal is built of.

A goal becomes a request of the scripted user, a part of the prose instruction and a part of the
reference solution at once, so that the three never disagree.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sca_envs.core.database import Database, Record
from sca_envs.core.task import Fact, ReferenceAction, Request
from sca_envs.core.wishes import enumerate_words as enumerate_words
from sca_envs.domains.tau.personas import Persona

PAYMENT_CUES = (
    r"payment",
    r"refund(?:ed)? (?:to|go)",
    r"paypal",
    r"gift card",
    r"credit card",
    r"(?:pay|paid|charge|bill)",
    r"price difference",
)
REASON_CUES = (r"reason", r"\bwhy\b", r"no longer need", r"by mistake")


@dataclass(frozen=True)
class Goal:
    """One thing that a customer wants, in all its forms."""

    request: Request
    actions: tuple[ReferenceAction, ...]
    """Reference solution after authentication."""
    outputs: tuple[str, ...] = ()
    """What the agent must say."""


@dataclass
class Context:
    """One customer, and the database as the goals so far leave it."""

    rng: random.Random
    db: Database
    user_id: str
    persona: Persona
    used: set[str] = field(default_factory=set)
    """Ids of records that a goal is about already."""

    def record(self, table: str, key: str) -> Record:
        """Return a record that exists."""
        record = self.db.get(table, key)
        assert record is not None
        return record

    @property
    def user(self) -> Record:
        """The customer's record."""
        return self.record("users", self.user_id)

    def tells(self) -> bool:
        """Draw whether the customer tells a detail unasked."""
        return self.rng.random() < self.persona.openness

    def say(self, wordings: Sequence[str], **slots: str) -> str:
        """Draw a wording and fill it in."""
        return self.rng.choice(wordings).format(**slots)

    def fact(
        self, key: str, cues: tuple[str, ...], wordings: Sequence[str], **slots: str
    ) -> tuple[Fact, str]:
        """Return a fact, and its text if the customer tells it unasked."""
        text, given = self.say(wordings, **slots), self.tells()
        return Fact(key=key, cues=cues, text=text, given=given), text if given else ""


def action(name: str, **arguments: Any) -> ReferenceAction:
    """Return a reference action."""
    return ReferenceAction(name=name, arguments=arguments)


def question(
    opening: str,
    output: str,
    actions: tuple[ReferenceAction, ...],
    *facts: Fact,
    ids: tuple[str, ...] = (),
) -> Goal:
    """Return a goal that changes nothing: the agent must say the output."""
    request = Request(opening=opening, facts=facts, ids=ids, outputs=(output,))
    return Goal(request, actions, (output,))


def sentence(*parts: str) -> str:
    """Join the parts of an opening, leaving out empty ones."""
    return " ".join(part for part in parts if part)


def capitalized(text: str) -> str:
    """Return a text with its first letter in upper case."""
    return text[0].upper() + text[1:]


def money(amount: float) -> str | None:
    """Return an amount as an agent must say it, or None if it could be said in two ways.

    ``12.5`` might be said as 12.5 or 12.50, and a whole number is part of too many others.
    """
    text = f"{amount:.2f}"
    return None if text.endswith("0") else text
