"""Attempts that fail, made of the steps of a solution.

Each is one that somebody could really make: a value misheard, another call, a change left out, a
condition turned round, another result answered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from sca_envs.core.wishes.code import Variable
from sca_envs.core.wishes.draft import RIGHT_ANSWER
from sca_envs.core.wishes.solution import Solution, Step
from sca_envs.core.wishes.terms import Term, plain
from sca_envs.core.wishes.wish import Introduction, Wish

_RIGHT = Term(RIGHT_ANSWER, (RIGHT_ANSWER,))
_SWAPS = 2
"""Most confusable values to try of each given one."""


@dataclass(frozen=True)
class Story:
    """What one customer wants, and what was done about it."""

    who: Introduction
    """Who the customer is."""
    wishes: tuple[Wish, ...]
    """What the customer wants, one or two things."""
    tools: Collection[str]
    """Names of the domain's tools."""

    @property
    def answer(self) -> Any:
        """What the customer wants to hear: a term, or a list of them."""
        return self._answer([wish.asks[0][1] for wish in self.wishes])

    @property
    def solution(self) -> Solution:
        """The solution."""
        return self._solve([wish.steps for wish in self.wishes], self.answer)

    def failing_attempts(self) -> Iterator[str]:
        """Yield attempts that should fail, of each wish in turn, the most telling first."""
        for group in zip_longest(*(self._of_wish(n) for n in range(len(self.wishes)))):
            yield from (attempt for attempt in group if attempt is not None)

    def _of_wish(self, number: int) -> Iterator[str]:
        wish = self.wishes[number]
        kinds = (self._mistaken(number, wish), self._misheard(wish), self._turned_round(number),
                 self._other_results(number, wish), self._left_out(number, wish))  # fmt: skip
        for group in zip_longest(*kinds):
            yield from (attempt for attempt in group if attempt is not None)

    def _misheard(self, wish: Wish) -> Iterator[str]:
        own = {piece for step in wish.steps for piece in step.code}
        solution = self.solution
        for given in solution.given:
            if given in own:
                others = [other for other in map(plain, given.confusable) if other != given.value]
                for other in others[:_SWAPS]:
                    yield solution.write({given: other})

    def _mistaken(self, number: int, wish: Wish) -> Iterator[str]:
        for calls in wish.mistakes:
            steps = [step for step in wish.steps if not step.writes]
            steps += [Step(Variable("done"), call, writes=True) for call in calls]
            yield self._instead(number, steps, _RIGHT)

    def _turned_round(self, number: int) -> Iterator[str]:
        steps = self.wishes[number].steps
        for place, step in enumerate(steps):
            if step.condition is not None:
                turned = [*steps[:place], step.turned_round(), *steps[place + 1 :]]
                yield self._instead(number, turned, self.answer)

    def _other_results(self, number: int, wish: Wish) -> Iterator[str]:
        (_, right), *others = wish.asks
        answers = [one.asks[0][1] for one in self.wishes]
        for _, other in others:
            if type(other.value) is type(right.value) and plain(other) != plain(right):
                answers[number] = other
                yield self._instead(number, wish.steps, self._answer(answers))

    def _left_out(self, number: int, wish: Wish) -> Iterator[str]:
        written = [step for step in wish.steps if step.writes]
        if len(self.wishes) > 1 or len(written) > 1:
            for left_out in written:
                steps = [step for step in wish.steps if step is not left_out]
                yield self._instead(number, steps, _RIGHT)

    def _instead(self, number: int, steps: Sequence[Step], answer: Any) -> str:
        """Return the attempt in which a wish has other steps."""
        groups = [wish.steps for wish in self.wishes]
        groups[number] = tuple(steps)
        return self._solve(groups, answer).write()

    def _solve(self, groups: Sequence[Sequence[Step]], answer: Any) -> Solution:
        steps = [*self.who.steps, *(step for group in groups for step in group)]
        return Solution.of(steps, answer, self.tools)

    @staticmethod
    def _answer(answers: Sequence[Term]) -> Any:
        return answers[0] if len(answers) == 1 else list(answers)
