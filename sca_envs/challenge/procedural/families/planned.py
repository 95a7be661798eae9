"""Drafts of the families without customers: out of plans, and with mistakes in them.

A family's plan is straight-line code, one call a line. What could go wrong with it is therefore
the same everywhere: a step is left out, a number is misread, the wrong one of two similar tools is
taken, or the answer is given too early.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sca_envs.challenge.procedural.parts import Explorer
from sca_envs.core.database import Database
from sca_envs.core.wishes.draft import Draft
from sca_envs.domains.m3.plans import DeadEnd, Plan
from sca_envs.domains.m3.plans import Draft as PlanDraft

Kinds = Mapping[Callable[[Plan], PlanDraft], tuple[int, ...]]
"""Draws a task of one kind -> the numbers of calls that it can have."""

_OPENINGS = (
    "",
    "",
    "Here is a small task.",
    "I need your help with this.",
    "Please do this for me.",
    "Hello!",
    "Good morning.",
    "This came up at work today.",
    "A friend gave me this to solve.",
    "I have to hand this in tomorrow.",
    "Use the tools that you have.",
    "This one is for my notebook.",
    "I'd like to check what I worked out by hand.",
    "My colleagues disagree about this.",
    "Take your time.",
    "Quick question.",
)
_CLOSINGS = (
    "",
    "",
    "Give the answer alone, without a sentence around it.",
    "Nothing but the answer, please.",
    "Reply with the result only.",
    "I only need the result.",
    "No explanation, just the answer.",
    "Your final answer should be the bare result.",
    "No other words around the answer, please.",
)


def draft_of_kinds(x: Explorer, kinds: Kinds, calls: int) -> Draft:
    """Draw the draft of a task of one of some kinds.

    Args:
        x: Explores.
        kinds: The kinds of tasks.
        calls: How many tool calls the solution makes.

    Raises:
        DeadEnd: If what was drawn makes no such task.
    """
    kind = x.pick(kind for kind, sizes in kinds.items() if calls in sizes)
    plan = Plan(x.rng, x.domain.tools, Database(x.domain.base))
    made = kind(plan)
    hidden = sum(f"del {name}" in x.domain.code_prelude for name in ("max", "min"))
    if not hidden and len(plan.actions) != calls:
        raise DeadEnd
    solution = plan.solution(made.answer)
    return Draft(embellish(x, made.instruction), solution, tuple(mistakes(solution)))


def embellish(x: Explorer, text: str) -> str:
    """Put a few words around a task's text."""
    return " ".join(part for part in (x.pick(_OPENINGS), text, x.pick(_CLOSINGS)) if part)


_CALL = re.compile(r"^(\w+) = (\w+)\((.*)\)$")
_LAST_NUMBER = re.compile(r"(?<![\w.'])(-?\d+(?:\.\d+)?)(?=\)?$)")
_SIMILAR = {
    "find_minimum": "find_maximum",
    "minimum_value": "maximum_value",
    "transcribe_dna_to_mrna": "reverse_transcribe_mrna_to_dna",
    "convert_currency": "calculate_tariff",
    "min": "max",
    "[0]": "[-1]",
    " + ": " - ",
    " * ": " + ",
    " == ": " != ",
    "if valid": "if not valid",
}


def mistakes(solution: str) -> Iterator[str]:
    """Yield attempts that make one mistake each."""
    lines = solution.splitlines()
    yield from _misread(lines)
    yield from _confused(lines)
    yield from _too_early(lines)
    yield from _left_out(lines)


def _with(lines: list[str], place: int, line: str) -> str:
    return "\n".join([*lines[:place], line, *lines[place + 1 :], ""])


def _misread(lines: list[str]) -> Iterator[str]:
    """Read the last number of a call wrongly."""
    for place in range(len(lines) - 2, -1, -1):
        found = _LAST_NUMBER.search(lines[place])
        if found and _CALL.match(lines[place]):
            number: Any = float(found[1]) if "." in found[1] else int(found[1])
            other = number + 1 if isinstance(number, int) else round(number + 0.5, 4)
            start, end = found.span(1)
            yield _with(lines, place, f"{lines[place][:start]}{other!r}{lines[place][end:]}")
            return


def _confused(lines: list[str]) -> Iterator[str]:
    """Take the wrong one of two similar tools or signs."""
    both = {**_SIMILAR, **{b: a for a, b in _SIMILAR.items() if a.isidentifier()}}
    for place in range(len(lines) - 2, -1, -1):
        for name, other in both.items():
            if f"{name}(" in lines[place] or (not name.isidentifier() and name in lines[place]):
                yield _with(lines, place, lines[place].replace(name, other, 1))
                break


def _too_early(lines: list[str]) -> Iterator[str]:
    """Answer with what came out one step before the end."""
    named = [line.partition(" = ")[0] for line in lines[:-1]]
    for name in named[-2:-4:-1]:
        yield _with(lines, len(lines) - 1, f"answer({name})")


def _left_out(lines: list[str]) -> Iterator[str]:
    """Go on with what a step was given instead of what it gives."""
    for place, line in enumerate(lines[:-1]):
        found = _CALL.match(line)
        if found is None:
            continue
        given = found[3].partition(", ")[0].lstrip("*")
        if given and given.count("'") % 2 == 0:
            yield _with(lines, place, f"{found[1]} = {given}")
