"""The parts that a customer's task is put together of, in words and in code at once.

A part is one wish. Its code is straight-line Python that calls tools; what it is wrong to do
instead comes as the same code made of other values, so that a failure case is always an attempt
that somebody could really make.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sca_envs.core.database import Record
from sca_envs.core.domain import Domain
from sca_envs.core.wishes import DeadEnd
from sca_envs.core.wishes.draft import RIGHT_ANSWER, Draft
from sca_envs.domains.tau.personas import PERSONAS

MONEY, COUNT, WORDS = "money", "count", "words"
"""Kinds of answers."""


class Explorer:
    """Looks around in the initial state through the domain's tools, as an agent would.

    Args:
        domain: The domain.
        rng: Draws whatever the task is made of.
    """

    def __init__(self, domain: Domain, rng: random.Random) -> None:
        self.domain, self.rng = domain, rng
        self._database = domain.database()

    def look(self, tool: str, **arguments: Any) -> Any:
        """Return what a look-up tool shows.

        Raises:
            DeadEnd: If the tool refuses.
        """
        text = self.domain.call(self._database, tool, arguments)
        if text.startswith("Error:"):
            raise DeadEnd
        return json.loads(text) if text.startswith(("{", "[")) else text

    def key(self, table: str) -> str:
        """Draw an id to begin with."""
        return self.rng.choice(self.domain.base.keys(table))

    def say(self, wordings: Sequence[str], **slots: Any) -> str:
        """Draw a wording and fill it in."""
        return self.rng.choice(wordings).format(**slots)

    def pick(self, values: Iterable[Any]) -> Any:
        """Draw one of some values.

        Raises:
            DeadEnd: If there is none.
        """
        listed = list(values)
        if not listed:
            raise DeadEnd
        return self.rng.choice(listed)

    def shuffled(self, values: Iterable[Any]) -> list[Any]:
        """Return some values in an order that is drawn."""
        listed = list(values)
        self.rng.shuffle(listed)
        return listed


@dataclass(frozen=True)
class Part:
    """One wish of a customer."""

    wish: str
    """What the customer says."""
    code: str
    """Code that fulfils it, without the answer."""
    result: str
    """Expression for what the customer wants to hear."""
    ask: str
    """The same in words, such as ``the amount that I get back``."""
    kind: str = MONEY
    """What kind of answer that is."""
    wrongs: tuple[tuple[str, str], ...] = ()
    """What could be done wrong: code and expression."""
    needs: str = ""
    """What has to be looked up before: ``user_id``, ``user`` or nothing."""
    records: tuple[str, ...] = ()
    """Ids of the records that it is about."""
    changes: bool = True
    """Whether it changes something, or wants to."""
    asked: bool = False
    """Whether the wish says already what to answer."""
    skipped: int = 0
    """How many calls its code has that are not carried out, because a condition does not hold."""


@dataclass(frozen=True)
class Customer:
    """Who the customer is, in words and in code."""

    words: str
    find: str
    """Code that gives ``user_id``; empty where the customer knows it."""
    user_id: str


_ANSWER_FORMS = {
    MONEY: (
        "a plain number of dollars, rounded to cents",
        "an amount in dollars with two digits and nothing around it",
        "only the number of dollars, to the cent",
    ),
    COUNT: ("a plain number", "just the number", "the number and nothing else"),
    WORDS: ("exactly that and nothing else", "just that, as your records have it", "only that"),
}
_ASKS = (
    "When that is settled, answer with {ask} ({form}).",
    "Your answer at the end should be {ask}: {form}.",
    "Then tell me {ask}; I need {form}.",
    "After that, let me know {ask}. I'd like {form}.",
    "Finish by answering {ask}, as {form}.",
    "Once that's through, give me {ask} as {form}.",
)
_QUESTIONS = (
    "Tell me {ask} ({form}).",
    "I want to know {ask}. Answer with {form}.",
    "What I need is {ask}: {form}, please.",
    "Could you find out {ask}? Reply with {form}.",
    "Please look up {ask} and answer with {form}.",
    "Give me {ask} as {form}.",
)
_BOTH = (
    "Answer with a JSON list of two things: first {one}, then {two} (amounts in dollars).",
    "At the end I want a JSON list [a, b], where a is {one} and b is {two}; money in dollars.",
    "Reply with both as a JSON list, in this order: {one}; {two}. Amounts are plain dollars.",
)
_FORMS = (
    "Answer with {form}.",
    "As the answer I want {form}.",
    "Please answer {form}.",
    "Write {form} as your answer.",
)
_LINKS = (
    "One more wish.",
    "And another thing:",
    "Also:",
    "Next:",
    "Then there is this:",
    "Second:",
)
_MANNERS = tuple(persona.about for persona in PERSONAS)
_GREETINGS = tuple(greeting for persona in PERSONAS for greeting in persona.greetings)


def put_together(x: Explorer, customer: Customer, parts: Sequence[Part]) -> Draft:
    """Return the draft of a task that has one or two parts."""
    before = _look_up(customer, parts)
    return Draft(
        instruction=_instruction(x, customer, parts),
        solution=_attempt(before, [(part.code, part.result) for part in parts]),
        failing_attempts=tuple(_wrongs(before, parts)),
    )


_CALLED = re.compile(r"\b([a-z]\w*)\(")


def count_calls(domain: Domain, customer: Customer, parts: Sequence[Part]) -> int:
    """Return how many tool calls the solution of some parts makes."""
    code = _look_up(customer, parts) + "".join(part.code for part in parts)
    written = sum(name in domain.tools for name in _CALLED.findall(code))
    return written - sum(part.skipped for part in parts)


def _look_up(customer: Customer, parts: Sequence[Part]) -> str:
    needs = {part.needs for part in parts}
    code = ""
    if needs & {"user_id", "user"}:
        code = customer.find
    if "user" in needs:
        user_id = "user_id" if customer.find else repr(customer.user_id)
        code += f"user = get_user_details(user_id={user_id})\n"
    return code


def _attempt(before: str, pieces: Sequence[tuple[str, str]]) -> str:
    """Return an attempt made of pieces of code, each with its result."""
    if len(pieces) == 1:
        (code, result), *_ = pieces
        return f"{before}{code}answer({result})\n"
    (first, one), (second, two) = pieces
    return f"{before}{first}first = {one}\n{second}answer([first, {two}])\n"


def _wrongs(before: str, parts: Sequence[Part]) -> Iterable[str]:
    if len(parts) == 1:
        for code, result in parts[0].wrongs:
            yield _attempt(before, [(code, result)])
        return
    right = [(part.code, part.result) for part in parts]
    for place, part in enumerate(parts):
        for wrong in part.wrongs[:2]:
            pieces = list(right)
            pieces[place] = wrong
            yield _attempt(before, pieces)
        if part.changes:  # this part is left out
            other = parts[1 - place]
            before_other = other.code if other.needs == "" else before + other.code
            yield f"{before_other}answer({RIGHT_ANSWER})\n"


def _instruction(x: Explorer, customer: Customer, parts: Sequence[Part]) -> str:
    greeting = x.pick((*_GREETINGS, "", "", "")) if x.rng.random() < 0.7 else ""
    manner = x.pick(_MANNERS) if x.rng.random() < 0.5 else ""
    wishes = [part.wish for part in parts if part.wish and (part.changes or len(parts) == 1)]
    if len(wishes) > 1:
        wishes.insert(1, x.pick(_LINKS))
    told = [customer.words, *wishes]
    if x.rng.random() < 0.25:
        told = [*wishes, customer.words]
    return " ".join(text for text in (greeting, manner, *told, _ask(x, parts)) if text)


def _ask(x: Explorer, parts: Sequence[Part]) -> str:
    if len(parts) > 1:
        return x.say(_BOTH, one=parts[0].ask, two=parts[1].ask)
    part, form = parts[0], x.pick(_ANSWER_FORMS[parts[0].kind])
    if part.asked:
        return x.say(_FORMS, form=form)
    return x.say(_ASKS if part.changes else _QUESTIONS, ask=part.ask, form=form)


def draw_draft(
    x: Explorer, customer: Customer, makers: Sequence[Callable[[], Part]], calls: int
) -> Draft:
    """Draw a task of one part, or of two about different records, with a number of calls in all.

    Raises:
        DeadEnd: If nothing was found that fits.
    """
    first = x.pick(makers)()
    count = count_calls(x.domain, customer, [first])
    if count == calls:
        return put_together(x, customer, [first])
    for _ in range(4 if count < calls else 0):
        try:
            second = x.pick(makers)()
        except DeadEnd:
            continue
        apart = not set(first.records) & set(second.records)
        if apart and count_calls(x.domain, customer, [first, second]) == calls:
            return put_together(x, customer, [first, second])
    raise DeadEnd


def options_of(item: Record) -> str:
    """Return the options of an item as a customer names them."""
    return ", ".join(f"{key} {value}" for key, value in item["options"].items())
