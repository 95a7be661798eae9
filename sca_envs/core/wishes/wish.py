"""Wishes and introductions: what was recorded while they were drawn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sca_envs.core.task import Fact, ReferenceAction, Request
from sca_envs.core.wishes.solution import Call, Step
from sca_envs.core.wishes.terms import Term

_LEAST_SPOKEN = 100


@dataclass(frozen=True)
class Wish:
    """One thing that a customer wants, in all its forms."""

    name: str
    """Name of the function that drew it."""
    request: Request
    """The same for the scripted user."""
    steps: tuple[Step, ...]
    """What fulfils it, in order."""
    asks: tuple[tuple[str, Term], ...]
    """What the customer may want to hear at the end: words and term; the first was drawn, and
    only its words are filled in."""
    question: bool
    """Whether that is all the customer wants, and the opening says so."""
    mistakes: tuple[tuple[Call, ...], ...] = ()
    """What could be done instead of what the wish changes, each a sequence of calls."""

    def gives_away(self, other: Wish) -> bool:
        """Return whether the customer says with one of two wishes what the other asks for."""
        pairs = ((self.request, other.request), (other.request, self.request))
        for asking, telling in pairs:
            said = " ".join([telling.opening, *(fact.text for fact in telling.facts)]).lower()
            if any(output.lower() in said for output in asking.outputs):
                return True
        return False

    def repeats(self, other: Wish) -> bool:
        """Return whether another wish wants the same of the same thing."""
        own, others = ([fact.value for fact in wish.request.facts] for wish in (self, other))
        return self.name == other.name and own == others

    @property
    def prose(self) -> str:
        """The opening and the facts that it leaves out."""
        withheld = [fact.text for fact in self.request.facts if not fact.given]
        return " ".join([self.request.opening, *withheld])

    @property
    def calls(self) -> list[Call]:
        """The calls that were carried out."""
        calls = (step.carried_out for step in self.steps)
        return [call for call in calls if call is not None]

    @property
    def actions(self) -> tuple[ReferenceAction, ...]:
        """The same as reference actions."""
        return tuple(map(_action, self.calls))


def _action(call: Call) -> ReferenceAction:
    return ReferenceAction(name=call.tool, arguments=call.values)


@dataclass(frozen=True)
class Introduction:
    """Who the customer is."""

    facts: tuple[Fact, ...]
    """What the customer says of that."""
    steps: tuple[Step, ...]
    """How it is looked up."""

    @property
    def actions(self) -> tuple[ReferenceAction, ...]:
        """The calls that look it up."""
        return tuple(_action(step.call) for step in self.steps if step.call is not None)


def spoken(value: Any) -> str | None:
    """Return a value as an agent must say it, or None if it could be said in two ways.

    ``12.5`` might be said as 12.5 or 12.50, and a small number is part of too many others.
    """
    if isinstance(value, int):
        return str(value) if value >= _LEAST_SPOKEN else None
    if isinstance(value, float):
        text = f"{value:.2f}"
        return None if text.endswith("0") else text
    return value if isinstance(value, str) else None


def required_outputs(answer: Any, said: Iterable[str]) -> tuple[str, ...]:
    """Return what an agent must say to show that it knows an answer; nothing if that shows nothing.

    Args:
        answer: The answer.
        said: What the customer says, which an agent could say without knowing anything.
    """
    output = spoken(answer)
    return () if output is None or any(output in text for text in said) else (output,)
