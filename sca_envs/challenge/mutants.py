"""Mutants: near misses of a solution, on which a good verification function is false.

A mutant is the solution with one call left out, one argument changed, two calls swapped, nothing
done before the answer, or another answer. Those of a solution that changes the world are carried
out call by call; those of one that only finds something out are mutants of its code, because a
wrong look-up shows in the answer alone. One that leaves the same world and answer as the solution
is equivalent, and no mutant.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sca_envs.challenge.case import Case
from sca_envs.challenge.lab import Attempt, replay
from sca_envs.challenge.values import Alternatives
from sca_envs.core.actions import LoggedCall

_MOST_CODE_MUTANTS = 8


@dataclass(frozen=True, slots=True)
class Mutant:
    """A near miss."""

    change: str
    """What is different, in plain words."""
    spot: str
    """What was varied: mutants of one spot are about one and the same detail."""
    attempt: Attempt


def mutants(case: Case, limit: int) -> list[Mutant]:
    """Return the mutants of a candidate's solution, all with different outcomes.

    Args:
        case: The candidate.
        limit: Most mutants to return; which ones depends on the candidate alone.
    """
    rng = case.rng()
    alternatives = Alternatives(case.domain, rng)
    found: list[Mutant] = []
    for mutant in _all(case, alternatives):
        known = [case.solution, *(other.attempt for other in found)]
        if mutant.attempt.error is None and not any(
            case.same_outcome(mutant.attempt, other) for other in known
        ):
            found.append(mutant)
    if len(found) <= limit:
        return found
    return [found[i] for i in sorted(rng.permutation(len(found))[:limit])]


def _all(case: Case, alternatives: Alternatives) -> Iterator[Mutant]:
    solution = case.solution
    if case.changes_world:
        yield Mutant(
            "nothing done before the answer",
            "every call",
            replay(case.domain, (), solution.answer),
        )
        for change, spot, calls in _other_calls(solution.calls, alternatives):
            yield Mutant(change, spot, replay(case.domain, calls, solution.answer))
    else:
        for change, spot, source in _other_sources(case, alternatives):
            yield Mutant(change, spot, case.lab.attempt(case.domain, source))
    if case.answer_matters:
        for answer in alternatives.of_answer(solution.answer):
            changed = Attempt(solution.state, solution.calls, answer)
            yield Mutant(f"the answer is {_show(answer)}", "the answer", changed)


def _other_calls(
    calls: tuple[LoggedCall, ...], alternatives: Alternatives
) -> Iterator[tuple[str, str, tuple[LoggedCall, ...]]]:
    for i, call in enumerate(calls):
        where = f"call {i + 1} ({call.name})"
        before, after = calls[:i], calls[i + 1 :]
        yield f"{where} left out", where, before + after
        for name, value in call.arguments.items():
            for other in alternatives.of_argument(call.name, name, value):
                changed = call._replace(arguments={**call.arguments, name: other})
                yield (
                    f"{where} with {name}={_show(other)}",
                    f"{where}: {name}",
                    (*before, changed, *after),
                )
        if after:
            swapped = (*before, after[0], call, *after[1:])
            yield f"{where} and the next one swapped", f"{where}: order", swapped


def _other_sources(case: Case, alternatives: Alternatives) -> Iterator[tuple[str, str, str]]:
    """Yield the solution's code with one constant argument of a tool call changed."""
    tree = ast.parse(case.task.solution)
    yielded = 0
    for number, constant in enumerate(_constants(tree, case)):
        tool, name, value = constant.tool, constant.parameter, constant.value
        for other in alternatives.of_argument(tool, name, value, limit=2):
            if yielded == _MOST_CODE_MUTANTS:
                return
            try:
                changed = copy.deepcopy(tree)
                list(_constants(changed, case))[number].put(other)
                source = ast.unparse(changed)
            except RecursionError:  # nested deeper than Python's stack
                return
            yield f"{tool} with {name}={_show(other)}", f"{tool}: {name}", source
            yielded += 1


@dataclass(frozen=True, slots=True)
class _Constant:
    """A constant argument of a tool call in a syntax tree."""

    tool: str
    parameter: str
    value: Any
    node: ast.Call
    place: int | ast.keyword

    def put(self, value: Any) -> None:
        """Write another value there."""
        constant = ast.parse(repr(value), mode="eval").body
        if isinstance(self.place, ast.keyword):
            self.place.value = constant
        else:
            self.node.args[self.place] = constant


def _constants(tree: ast.AST, case: Case) -> Iterator[_Constant]:
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        tool = case.domain.tools.get(node.func.id)
        if tool is None:
            continue
        names = list(tool.parameters["properties"]) or [""]
        given: list[tuple[int | ast.keyword, str, ast.expr]] = [
            (i, names[min(i, len(names) - 1)], argument) for i, argument in enumerate(node.args)
        ]
        given += [(keyword, keyword.arg or "", keyword.value) for keyword in node.keywords]
        for place, name, expression in given:
            if name and (value := _literal(expression)) is not None:
                yield _Constant(tool.name, name, value, node, place)


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "…"
