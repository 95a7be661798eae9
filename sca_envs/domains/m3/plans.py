"""Reference solutions as they come about: tool calls, code and difficulty from one description.

A generator asks a `Plan` to call tools. The plan really calls them, and notes each call once as an
action and once as a line of code, so that the two and the answer never disagree.
"""

from __future__ import annotations

import random
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sca_envs.core.actions import PositionalCall
from sca_envs.core.database import Database
from sca_envs.core.m3_formats import M3TextFormat
from sca_envs.core.task import ReferenceAction
from sca_envs.core.tools import Tool
from sca_envs.core.wishes import DeadEnd as DeadEnd

MAX_CALLS = 9
"""Most calls of a solution: ten turns less one for the answer."""

_TEXT = M3TextFormat()


@dataclass(frozen=True, slots=True)
class Term:
    """A value that a solution has computed."""

    value: Any
    code: str
    """Its name in the solution, or a literal."""
    depth: int = 0
    """Length of the longest chain of calls, each of which needs the one before it."""
    spread: bool = False
    """Whether it is a list whose items are arguments of their own."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A task that was drawn, with everything but its id."""

    instruction: str
    answer: Term
    key: tuple[Hashable, ...]
    """What the task is about, whatever its wording; equal keys belong to the same split. Tasks that
    could come to have the same solution have equal keys."""


class Plan:
    """A solution under construction.

    Args:
        rng: Draws whatever the task is made of.
        tools: The domain's tools.
        database: The state that the calls begin with.
        stateful: Whether every call depends on all calls before it.
    """

    def __init__(
        self,
        rng: random.Random,
        tools: Mapping[str, Tool],
        database: Database,
        *,
        stateful: bool = False,
    ) -> None:
        self.rng = rng
        self.database = database
        self.actions: list[ReferenceAction] = []
        self.depth = 0
        self._tools = tools
        self._stateful = stateful
        self._lines: list[str] = []
        self._values = 0

    def say(self, wordings: Sequence[str], *parts: Any, **slots: Any) -> str:
        """Draw a wording and fill it in."""
        return self.rng.choice(wordings).format(*parts, **slots)

    def call(self, name: str, *arguments: Any) -> Term:
        """Call a tool and return its result.

        Args:
            name: The tool.
            arguments: Terms, or values that the task gives.

        Raises:
            DeadEnd: If the solution gets too long, or the call cannot be written as text.
        """
        if len(self.actions) == MAX_CALLS:
            raise DeadEnd
        terms = [a if isinstance(a, Term) else Term(a, repr(a)) for a in arguments]
        values: list[Any] = []
        for term in terms:
            values += term.value if term.spread else [term.value]
        tool = self._tools[name]
        result = self._run(tool, tuple(values))
        self.actions.append(ReferenceAction(name=name, arguments=_named(tool, values)))
        variable = f"step_{len(self.actions)}"
        written = ", ".join(f"*{term.code}" if term.spread else term.code for term in terms)
        self._lines.append(f"{variable} = {name}({written})")
        before = self.depth if self._stateful else max((t.depth for t in terms), default=0)
        self.depth = max(self.depth, before + 1)
        return Term(result, variable, before + 1)

    def derive(self, value: Any, code: str, *terms: Term, spread: bool = False) -> Term:
        """Note a step that needs no tool, and return its value.

        Args:
            value: The value.
            code: An expression for it, with ``{0}``, ``{1}`` … for the terms.
            terms: What it is made of.
            spread: Whether its items are arguments of their own.
        """
        self._values += 1
        variable = f"value_{self._values}"
        self._lines.append(f"{variable} = {code.format(*(term.code for term in terms))}")
        return Term(value, variable, max((term.depth for term in terms), default=0), spread)

    def rounded(self, term: Term) -> Term:
        """Return an amount with two digits after the point."""
        return self.derive(round(float(term.value), 2), "round(float({0}), 2)", term)

    def solution(self, answer: Term) -> str:
        """Return the solution as code."""
        return "\n".join([*self._lines, f"answer({answer.code})", ""])

    def _run(self, tool: Tool, values: tuple[Any, ...]) -> Any:
        """Return a tool's result; make sure that a call written as text has the same."""
        call = PositionalCall(tool.name, values)
        try:
            parsed = _TEXT.parse(_TEXT.render(call))
        except ValueError:
            raise DeadEnd from None
        assert isinstance(parsed, PositionalCall)
        if repr(parsed.values) == repr(values):
            return tool.function(self.database, *values)
        if self._stateful:
            raise DeadEnd
        try:
            shown = tool.show(tool.function(self.database, *parsed.values))
        except Exception:
            raise DeadEnd from None
        result = tool.function(self.database, *values)
        if shown != tool.show(result):
            raise DeadEnd
        return result


def _named(tool: Tool, values: Sequence[Any]) -> dict[str, Any]:
    """Return positional arguments by name."""
    arguments: dict[str, Any] = {}
    for position, name in enumerate(tool.parameters["properties"]):
        if name == tool.variadic:
            arguments[name] = list(values[position:])
        else:
            arguments[name] = values[position]
    return arguments
