"""Attempts that fail, made of a plan.

A plan is straight-line code with a call a line. What could go wrong with it is the same everywhere:
a value is misread, one of two similar tools is mistaken for the other, the answer comes too early,
or a step is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import zip_longest
from typing import Any

from sca_envs.core.wishes import Term
from sca_envs.core.wishes.code import Variable
from sca_envs.core.wishes.solution import Solution, Step
from sca_envs.domains.m3.plans import Plan, PlanCall, Question, Spread


def failing_attempts(plan: Plan, question: Question, similar: Mapping[str, str]) -> Iterator[str]:
    """Yield attempts that should fail, the most telling first.

    Args:
        plan: What answers the question.
        question: The question, with the wrong answers that its author thought of.
        similar: Tool -> another one that it could be mistaken for.
    """
    for call in question.detours:
        steps = [*plan.steps, Step(Variable("step"), call, writes=True)]
        yield Solution.of(steps, question.answer).write()
    for mistake in question.mistakes:
        yield plan.solution(mistake).write()
    kinds = (
        _misread(plan, question),
        _confuse_tools(plan, question, similar),
        _answer_early(plan, question),
        _skip_a_step(plan, question),
    )
    for group in zip_longest(*kinds):
        yield from (attempt for attempt in group if attempt is not None)


def _misread(plan: Plan, question: Question) -> Iterator[str]:
    """Take a given value for another one, the last first."""
    solution = plan.solution(question.answer)
    for given in reversed(solution.given):
        for other in given.confusable:
            yield solution.write({given: other})


def _confuse_tools(plan: Plan, question: Question, similar: Mapping[str, str]) -> Iterator[str]:
    """Take the wrong one of two similar tools."""
    for step in reversed(plan.steps):
        if step.call is not None and step.call.tool in similar:
            other = replace(step.call, tool=similar[step.call.tool])
            yield _replace(plan, step, replace(step, call=other), question.answer)


def _answer_early(plan: Plan, question: Question) -> Iterator[str]:
    """Answer with what came out before the end, the last first, where it could be the answer."""
    for result in reversed(plan.results):
        if _kind(result.value) == _kind(question.answer.value):
            yield plan.solution(result).write()


def _kind(value: Any) -> str:
    """Return what kind of answer a value would be."""
    if isinstance(value, str):
        return "page" if "\n" in value else "text"
    return "number" if isinstance(value, int | float) else "several"


def _skip_a_step(plan: Plan, question: Question) -> Iterator[str]:
    """Go on with what a step was given instead of what it gives."""
    for step in plan.steps:
        match step.call:
            case PlanCall(values_in_order=(Term() as first, *_)) if not isinstance(first, Spread):
                other = Step(step.variable, value=first, writes=step.writes)
                yield _replace(plan, step, other, question.answer)


def _replace(plan: Plan, step: Step, other: Step, answer: Any) -> str:
    """Return the attempt in which a step is replaced."""
    return Solution.of([other if one is step else one for one in plan.steps], answer).write()
