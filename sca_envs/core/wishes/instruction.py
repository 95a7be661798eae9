"""Instructions of Code-as-Tasks: who the customer is, one or two wishes, and the answer wanted."""

from __future__ import annotations

import random
from typing import Any

from sca_envs.core.wishes.attempts import Story
from sca_envs.core.wishes.personas import Persona
from sca_envs.core.wishes.wish import Wish
from sca_envs.core.wishes.wordings import Wordings

_GREETS, _TELLS_MANNER, _WISH_FIRST = 0.6, 0.5, 0.25
"""How often an instruction greets, says how the customer is, and begins with the wishes."""


class Instruction:
    """A story in words.

    Args:
        rng: Draws the wordings.
        persona: How the customer speaks.
        story: The story.
    """

    _WORDINGS = Wordings.read(__package__ or "")

    def __init__(self, rng: random.Random, persona: Persona, story: Story) -> None:
        self._rng = rng
        greeting = rng.choice(persona.greetings) if rng.random() < _GREETS else ""
        manner = persona.about if rng.random() < _TELLS_MANNER else ""
        who = [fact.text for fact in story.who.facts]
        wishes = [wish.prose for wish in story.wishes]
        if len(wishes) > 1:
            wishes.insert(1, self._say("link"))
        parts = [*wishes, *who] if rng.random() < _WISH_FIRST else [*who, *wishes]
        everything = (greeting, manner, *parts, self._ask(story.wishes))
        self.text = " ".join(part for part in everything if part)
        """The instruction."""

    def _ask(self, wishes: tuple[Wish, ...]) -> str:
        asked = [wish.asks[0] for wish in wishes]
        if len(asked) > 1:
            both = self._say("both", one=asked[0][0], two=asked[1][0])
            amounts = any(isinstance(term.value, float) for _, term in asked)
            return f"{both} {self._say('amounts')}" if amounts else both
        ask, term = asked[0]
        form = self._say(_kind(term.value))
        if wishes[0].question:
            return self._say("question", form=form)
        return self._say("after_a_change", ask=ask, form=form)

    def _say(self, key: str, **slots: str) -> str:
        return self._rng.choice(self._WORDINGS.of("train", "ask", key)).format(**slots)


def _kind(value: Any) -> str:
    """Return what kind of answer a value is."""
    if isinstance(value, float):
        return "money"
    return "count" if isinstance(value, int) and not isinstance(value, bool) else "words"
