"""Plans: a question, and the tool calls that answer it, noted while they are made.

A plan is to a question what a customer is to a wish (see `sca_envs.core.wishes`): what its calls
return are terms, and its steps make the reference actions, the solution as code and the failing
attempts. It stays a class of its own because M3ToolEval's calls have no argument names, its answers
may be tuples, its text format cannot write every argument, and there is nobody to ask for facts.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sca_envs.core.actions import PositionalCall
from sca_envs.core.database import Database
from sca_envs.core.m3_formats import M3TextFormat
from sca_envs.core.task import ReferenceAction
from sca_envs.core.tools import Tool
from sca_envs.core.wishes import DeadEnd, Term, derive
from sca_envs.core.wishes.code import Code, Given, Piece, Variable
from sca_envs.core.wishes.errors import pick
from sca_envs.core.wishes.solution import Call, Solution, Step
from sca_envs.core.wishes.terms import plain, to_code

MAX_CALLS = 9
"""Most calls of a solution: ten turns less one for the answer."""

_TEXT = M3TextFormat()
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Question:
    """What a task asks, with the answer."""

    text: str
    """The question in words."""
    answer: Term
    """What the solution answers."""
    key: tuple[Hashable, ...]
    """What the task is about, whatever its wording; equal keys belong to the same split. Tasks that
    could come to have the same solution have equal keys."""
    mistakes: tuple[Any, ...] = ()
    """Wrong answers that somebody could give: terms, or values."""
    page: str | None = None
    """The page whose top the browser has to show at the end, if that is part of the question."""
    detours: tuple[PlanCall, ...] = ()
    """Calls each of which, made before the answer, leaves another page open."""


QuestionFunction = Callable[["Plan"], Question]
"""Draws a question of one kind."""
Kinds = Mapping[QuestionFunction, float]
"""Kinds of questions -> how often, relative to the others."""


@dataclass(eq=False, slots=True)
class PlanCall(Call):
    """A tool call whose arguments are written by position."""

    values_in_order: tuple[Any, ...] = ()
    """The same arguments in order, as values or terms."""

    @property
    def code(self) -> Code:
        """The call as an expression."""
        pieces: list[Piece] = []
        for value in self.values_in_order:
            pieces += [", " if pieces else "", *to_code(value)]
        return (f"{self.tool}(", *pieces, ")")


class Spread(Term):
    """A list whose items are arguments of their own: ``*term``."""

    __slots__ = ()

    def __init__(self, term: Term) -> None:
        super().__init__(term.value, ("*", *term.code))


class Plan:
    """A solution under construction.

    Args:
        rng: Draws whatever the question is about.
        tools: The domain's tools.
        database: The state that the calls begin with.
        texts: Key -> wordings of the question.
        calls: How many calls the solution should make; None for any number.
        builtins: Tools whose calls do not count then, because code has Python's own functions.
        stateful: Whether every call depends on all calls before it.
    """

    def __init__(
        self,
        rng: random.Random,
        tools: Mapping[str, Tool],
        database: Database,
        texts: Callable[[str], Sequence[str]],
        *,
        calls: int | None = None,
        builtins: Collection[str] = (),
        stateful: bool = False,
    ) -> None:
        self.rng = rng
        """Draws whatever the question is about."""
        self.database = database
        """The state as the calls so far leave it."""
        self.calls = calls
        """How many calls the solution should make; None for any number."""
        self.steps: list[Step] = []
        """What was done so far."""
        self.results: list[Term] = []
        """What came out of each step."""
        self.code_calls = 0
        """How many calls the solution as code makes so far."""
        self.depth = 0
        """Length of the longest chain of calls, each of which needs the one before it."""
        self._tools, self._texts = tools, texts
        self._builtins, self._stateful = builtins, stateful
        self._count = 0  # of all calls
        self._depths: dict[Variable, int] = {}

    @property
    def actions(self) -> tuple[ReferenceAction, ...]:
        """The calls that were made."""
        calls = [step.call for step in self.steps if step.call is not None]
        return tuple(ReferenceAction(name=c.tool, arguments=c.values) for c in calls)

    # Drawing

    def pick(self, values: Iterable[_T]) -> _T:
        """Draw one of some values.

        Raises:
            DeadEnd: If there is none.
        """
        return pick(self.rng, values)

    def size(self, least: int, most: int, *, each: int = 1, besides: int = 0) -> int:
        """Draw how many things the question is about, so that the number of calls fits.

        Args:
            least: Fewest things.
            most: Most things.
            each: How many calls each of them takes.
            besides: How many calls the solution makes besides.

        Raises:
            DeadEnd: If no number of things makes the number of calls that is wanted.
        """
        totals = {count: count * each + besides for count in range(least, most + 1)}
        if self.calls is None:
            return self.pick(count for count, total in totals.items() if total <= MAX_CALLS)
        return self.pick(count for count, total in totals.items() if total == self.calls)

    def say(self, key: str, /, **slots: Any) -> str:
        """Draw a wording of the question and fill it in."""
        return self.rng.choice(self._texts(key)).format(**slots)

    def given(self, value: Any, confusable: Iterable[Any] = ()) -> Term:
        """Return a value that the question gives, as a term.

        Args:
            value: A number or text.
            confusable: Values that it could be mistaken for; a number could be misread anyway.
        """
        others = [other for other in confusable if other != value]
        if isinstance(value, int | float) and not others:
            others = [_misread(value)]
        return Term(value, (Given(value, tuple(others)),))

    # Doing

    def call(self, name: str, *arguments: Any) -> Term:
        """Call a tool and return its result.

        Args:
            name: The tool.
            arguments: Terms, or values that the question gives.

        Raises:
            DeadEnd: If the solution gets too long, or the call cannot be written as text.
        """
        in_code = name not in self._builtins
        if self._count == MAX_CALLS or (in_code and self.code_calls == self.calls):
            raise DeadEnd
        terms = tuple(a if isinstance(a, Term) else self.given(a) for a in arguments)
        values: list[Any] = []
        for term in terms:
            values += term.value if isinstance(term, Spread) else [term.value]
        tool = self._tools[name]
        result = self._carry_out(tool, tuple(values))
        self._count += 1
        self.code_calls += in_code
        call = PlanCall(name, _name_arguments(tool, values), terms)
        before = self.depth if self._stateful else self._depth_of(call.code)
        self.depth = max(self.depth, before + 1)
        return self._note("step", before + 1, result, call=call, writes=self._stateful)

    def let(self, value: Term) -> Term:
        """Give a value a name of its own in the solution, if it has none yet."""
        if len(value.code) == 1 and isinstance(value.code[0], Variable):
            return value
        return self._note("value", self._depth_of(value.code), value.value, value=value)

    def calculate(self, expression: str, *values: Any) -> Term:
        """Let the domain's calculator work out an expression.

        Args:
            expression: The expression, with ``{0}``, ``{1}`` … for numbers; no quotes.
            values: The numbers: terms, or values that the question gives.
        """
        text = expression.format(*(repr(plain(value)) for value in values))
        if not any(isinstance(value, Term) for value in values):
            first, *others = values
            misread = expression.format(_misread(first), *map(repr, others))
            return self.call("calculator", self.given(text, [misread]))
        pieces: list[Piece] = ["f'"]
        for literal, field, _, _ in string.Formatter().parse(expression):
            pieces.append(literal)
            if field is not None:
                value = values[int(field)]
                term = isinstance(value, Term)
                pieces += ["{", *self.let(value).code, "}"] if term else [repr(value)]
        return self.call("calculator", Term(text, (*pieces, "'")))

    def solution(self, answer: Any) -> Solution:
        """Return the solution that ends with an answer."""
        return Solution.of(self.steps, answer)

    def _note(self, name: str, depth: int, result: Any, **step: Any) -> Term:
        variable = Variable(name)
        self.steps.append(Step(variable, **step))
        self._depths[variable] = depth
        self.results.append(Term(result, (variable,)))
        return self.results[-1]

    def _depth_of(self, code: Code) -> int:
        used = (self._depths[piece] for piece in code if isinstance(piece, Variable))
        return max(used, default=0)

    def _carry_out(self, tool: Tool, values: tuple[Any, ...]) -> Any:
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


def round_amount(amount: Term) -> Term:
    """Return an amount with two digits after the point."""
    return derive(round(float(amount.value), 2), "round(float({0}), 2)", amount)


def add_up(terms: Sequence[Term]) -> Term:
    """Return the sum of some numbers."""
    code = " + ".join(f"{{{place}}}" for place in range(len(terms)))
    return derive(sum(term.value for term in terms), code, *terms)


def choose(function: Callable[[list[Any]], Any], terms: Sequence[Term]) -> Term:
    """Return what a built-in function, such as `min`, makes of a list of terms."""
    values = [term.value for term in terms]
    return derive(function(values), f"{function.__name__}({{0}})", Term(values, to_code(terms)))


def _misread(number: float) -> float:
    return number + 1 if isinstance(number, int) else round(number + 0.5, 4)


def _name_arguments(tool: Tool, values: Sequence[Any]) -> dict[str, Any]:
    """Return positional arguments by name."""
    arguments: dict[str, Any] = {}
    for position, name in enumerate(tool.parameters["properties"]):
        if name == tool.variadic:
            arguments[name] = list(values[position:])
        else:
            arguments[name] = values[position]
    return arguments
