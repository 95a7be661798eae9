"""Solutions: the steps that fulfil a wish, and how they are written as code.

A solution is straight-line Python with a call a line. The same steps with a given value replaced, a
call left out or a condition turned round are the attempts that fail.
"""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sca_envs.core.wishes.code import Code, Given, Variable, write
from sca_envs.core.wishes.terms import Term, plain, to_code

_RESERVED = frozenset(dir(builtins)) | {"answer"}
"""Names that the code of solutions and terms needs for itself."""


@dataclass(eq=False, slots=True)
class Call:
    """A tool call."""

    tool: str
    """Name of the tool."""
    arguments: Mapping[str, Any]
    """Argument name -> JSON value or term."""

    _values: dict[str, Any] | None = field(default=None, init=False, repr=False)

    @property
    def values(self) -> dict[str, Any]:
        """The arguments as JSON values."""
        if self._values is None:
            self._values = {name: plain(value) for name, value in self.arguments.items()}
        return self._values

    @property
    def code(self) -> Code:
        """The call as an expression."""
        pieces: list[Any] = []
        for name, value in self.arguments.items():
            pieces += [", " if pieces else "", f"{name}=", *to_code(value)]
        return (f"{self.tool}(", *pieces, ")")


@dataclass(eq=False, slots=True)
class Step:
    """A statement of a solution: a call, a choice between two calls, or a name for a value."""

    variable: Variable
    """What its value is called."""
    call: Call | None = None
    """The call; where there is a condition, the one if it holds."""
    otherwise: Call | None = None
    """The call if the condition does not hold; None to do nothing then."""
    condition: Term | None = None
    """Decides between the two; None where there is nothing to decide."""
    value: Term | None = None
    """The value, where there is no call."""
    writes: bool = False
    """Whether it changed something when it was carried out."""

    @property
    def carried_out(self) -> Call | None:
        """The call that was made when the wish was drawn."""
        if self.condition is not None and not self.condition.value:
            return self.otherwise
        return self.call

    @property
    def code(self) -> Code:
        """All code of it, to see what it uses."""
        parts = [self.condition, self.value, self.call, self.otherwise]
        return tuple(piece for part in parts if part is not None for piece in part.code)

    def turned_round(self) -> Step:
        """Return the step with its condition negated."""
        assert self.condition is not None
        return replace(self, condition=~self.condition)

    def lines(
        self, names: Mapping[Variable, str], instead: Mapping[Given, Any] | None
    ) -> Iterable[str]:
        """Yield its lines of source."""
        name = names[self.variable]
        if self.call is None:
            assert self.value is not None
            yield f"{name} = {write(self.value.code, names, instead)}"
            return
        call = f"{name} = {write(self.call.code, names, instead)}"
        if self.condition is None:
            yield call
            return
        yield f"if {write(self.condition.code, names, instead)}:"
        yield f"    {call}"
        if self.otherwise is not None:
            yield "else:"
            yield f"    {name} = {write(self.otherwise.code, names, instead)}"


@dataclass(frozen=True)
class Solution:
    """Steps and the answer at the end."""

    steps: tuple[Step, ...]
    answer: Code
    """Expression of the answer."""
    reserved: Collection[str] = field(default=(), repr=False)
    """Names that no variable may have: those of the tools."""

    @classmethod
    def of(cls, steps: Sequence[Step], answer: Any, reserved: Collection[str] = ()) -> Solution:
        """Return the solution with only those steps that write, or that something needs.

        Args:
            steps: What was done, in order.
            answer: A JSON value or term, or a list of them.
            reserved: Names that no variable may have.
        """
        code = to_code(answer)
        return cls(_needed(steps, code), code, reserved)

    @property
    def calls(self) -> int:
        """How many tool calls it makes."""
        return sum(step.carried_out is not None for step in self.steps)

    @property
    def given(self) -> list[Given]:
        """The given values in it, in order."""
        pieces = [piece for step in self.steps for piece in step.code] + list(self.answer)
        return list(dict.fromkeys(piece for piece in pieces if isinstance(piece, Given)))

    def write(self, instead: Mapping[Given, Any] | None = None) -> str:
        """Return it as source that ends with ``answer(…)``.

        Args:
            instead: Values to put in the place of given ones.
        """
        names: dict[Variable, str] = {}
        taken = {*self.reserved, *_RESERVED}
        for step in self.steps:
            name, number = step.variable.name, 1
            while name in taken or keyword.iskeyword(name):
                number += 1
                name = f"{step.variable.name}_{number}"
            taken.add(name)
            names[step.variable] = name
        lines = [line for step in self.steps for line in step.lines(names, instead)]
        return "\n".join([*lines, f"answer({write(self.answer, names, instead)})", ""])


def _needed(steps: Sequence[Step], answer: Code) -> tuple[Step, ...]:
    used = {piece for piece in answer if isinstance(piece, Variable)}
    kept: list[Step] = []
    for step in reversed(steps):
        if step.variable in used or step.writes or step.condition is not None:
            kept.append(step)
            used.update(piece for piece in step.code if isinstance(piece, Variable))
    return tuple(reversed(kept))
