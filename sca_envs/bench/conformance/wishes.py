"""Checks of wishes: each can be drawn, and both kinds of task that it becomes agree."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from sca_envs.bench.conformance.report import Finding
from sca_envs.bench.conformance.sample import NotApplicable, Sample, describe
from sca_envs.challenge.procedural.draft import FEWEST_FAILURES, compose
from sca_envs.challenge.procedural.trial import attempt
from sca_envs.core.domain import Domain
from sca_envs.core.errors import SCAError
from sca_envs.core.wishes import Customer, DeadEnd, Draft, Wish, WishBook
from sca_envs.core.wishes.attempts import Story
from sca_envs.core.wishes.terms import plain

_CUSTOMERS = 300
"""Customers to ask for a wish before it counts as one that nobody has."""
_DRAWS = 5
"""How many draws of each wish to look at."""


def check_wishes(sample: Sample) -> Iterator[Finding]:
    """Every wish can be drawn, and its task and its Code-as-Task have the same end."""
    domain, book = sample.domain, sample.domain.wishes
    if not isinstance(book, WishBook):
        raise NotApplicable("the domain has no WishBook")
    for function, weight in book.wishes.items():
        name = function.__name__
        alone = replace(book, wishes={function: weight})
        rng = sample.rng(f"wish {name}")
        try:
            stories = [_draw(domain, alone, rng) for _ in range(_DRAWS)]
        except DeadEnd:
            yield Finding(
                f"wish {name}",
                f"one of {_CUSTOMERS} customers to have it",
                "none",
                "let its preconditions occur in the world, or leave it out",
            )
            continue
        except SCAError as error:
            yield Finding(f"wish {name}", "a wish", describe(error), "mend the wish")
            continue
        sample.num_calls += sum(len(story.wishes[0].actions) for _, story in stories)
        findings = [f for drawn in stories for f in _disagreements(domain, name, *drawn)]
        yield from findings or _uncomposed(domain, name, [story for _, story in stories])


def _draw(domain: Domain, book: WishBook, rng: random.Random) -> tuple[Customer, Story]:
    keys = book.customer_keys(domain.base)
    for _ in range(_CUSTOMERS):
        try:
            customer, _, who = book.meet(
                domain.tools, domain.base, keys, rng, pool="train", openness=1.0
            )
            return customer, Story(who, (book.draw(customer),), domain.tools)
        except DeadEnd:
            continue
    raise DeadEnd


def _disagreements(
    domain: Domain, name: str, customer: Customer, story: Story
) -> Iterator[Finding]:
    wish: Wish = story.wishes[0]
    source, answer = story.solution.write(), plain(story.answer)
    ended = attempt(domain, source)
    if ended.error is not None:
        yield Finding(
            f"wish {name}, solution as code", "no error", ended.error, "mend the terms in it"
        )
    elif ended.value != answer:
        yield Finding(
            f"wish {name}, solution as code",
            f"the answer {answer!r}, as the term says",
            repr(ended.value),
            "mend the term, or what `derive` was given",
        )
    elif ended.database != customer.db:
        yield Finding(
            f"wish {name}, solution as code",
            "the state that the reference actions leave",
            "another one",
            "let the solution make every call that changes something",
        )
    elif wish.question and wish.request.outputs and wish.request.outputs[0] not in str(answer):
        yield Finding(
            f"wish {name}", f"the output {answer!r}", wish.request.outputs[0], "mend the asks"
        )


def _uncomposed(domain: Domain, name: str, stories: Sequence[Story]) -> Iterator[Finding]:
    """Yield why no Code-as-Task comes of a wish; that one draw gives none is in order."""
    where = f"wish {name}, as a Code-as-Task"
    try:
        for story in stories:
            draft = Draft(name, story.solution.write(), story.failing_attempts())
            if compose(domain, draft, story.solution.calls, 0) is not None:
                return
    except SCAError as error:
        yield Finding(where, "a task", describe(error), "do as it says")
        return
    yield Finding(
        where,
        f"at least {FEWEST_FAILURES} attempts that fail, and calls in the solution",
        f"fewer, or no call in {stories[0].solution.write()!r:.200}",
        "give values that could be confused (`confusable`), `mistake`s or further asks",
    )
