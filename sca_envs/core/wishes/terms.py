"""Terms: values that also know the expression that gave them.

What a tool returns while a wish is drawn is a term. Indexing, arithmetic and comparison of terms
give terms, so that the author writes once, in plain Python, what becomes a value now and code in
the solution later::

    order = customer.call("get_order_details", order_id="#W1")
    dear = order["items"].where(lambda item: item["price"] > 30)
    dear.length()   # 2; code: len([one for one in order["items"] if one["price"] > 30])

`and`, `or`, `not`, `in` and `len` cannot give terms in Python; use `&`, `|`, `~`, `contains` and
`length`.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sca_envs.core.errors import shorten
from sca_envs.core.wishes.code import LEAVES, Bound, Code, Piece, literal, write
from sca_envs.core.wishes.errors import DeadEnd

_ITEM: Code = (Bound(),)
"""Stands for an item where only the value counts."""
Function = Callable[["Term"], Any]
"""From an item of a list to a value or term of it, such as ``lambda item: item["price"]``."""


class Term:
    """A value with its expression.

    Args:
        value: The value, as JSON has it.
        code: The expression.
        atomic: Whether the expression can stand beside an operator without parentheses.
    """

    __slots__ = ("_code", "_evaluate", "_spell", "_value", "atomic")

    def __init__(self, value: Any, code: Code, *, atomic: bool = True) -> None:
        self._value, self._code = value, code
        self._evaluate: Callable[[], Any] | None = None
        self._spell: Callable[[], Code] | None = None
        self.atomic = atomic
        """Whether the expression can stand beside an operator without parentheses."""

    @classmethod
    def later(
        cls, evaluate: Callable[[], Any], spell: Callable[[], Code], *, atomic: bool = True
    ) -> Term:
        """Return a term whose value and expression are made when they are needed.

        Most never are: the tasks of the Gymnasium environments need no code, and of what a customer
        may want to hear only one thing is drawn.

        Args:
            evaluate: Returns the value.
            spell: Returns the expression.
            atomic: Whether that can stand beside an operator without parentheses.
        """
        term = cls(None, (), atomic=atomic)
        term._evaluate, term._spell = evaluate, spell
        return term

    @classmethod
    def of(cls, value: Any) -> Term:
        """Return a list or object that holds terms as one term."""
        return cls.later(lambda: plain(value), lambda: to_code(value))

    @classmethod
    def of_result(cls, result: Any, code: Code) -> Term:
        """Return the term of a tool's result; one in JSON is read when its value is needed."""
        term = cls(result, code)
        if isinstance(result, str) and result.startswith(("{", "[")):
            term._evaluate = lambda: json.loads(result)
        return term

    @property
    def value(self) -> Any:
        """The value."""
        if self._evaluate is not None:
            self._value, self._evaluate = self._evaluate(), None
        return self._value

    @property
    def code(self) -> Code:
        """The expression."""
        if self._spell is not None:
            self._code, self._spell = self._spell(), None
        return self._code

    def assume(self, value: Any) -> Term:
        """Return the term with a value that the author knows, so that nobody has to work it out.

        Nothing checks that the expression gives it; a test should.
        """
        term = Term(value, (), atomic=self.atomic)
        term._spell = lambda: self.code
        return term

    def __repr__(self) -> str:
        return f"Term({self.value!r}, {write(self.code)!r})"

    def __str__(self) -> str:
        return str(self.value)

    def __format__(self, spec: str) -> str:
        return format(self.value, spec)

    def __bool__(self) -> bool:
        raise TypeError(
            "a term is neither true nor false, because its code would be lost: use `term.value` to "
            "decide now, or `&`, `|` and `~` instead of `and`, `or` and `not`"
        )

    def __contains__(self, value: Any) -> bool:
        raise TypeError("`in` would lose the term's code: use `term.contains(value)`")

    __hash__ = None  # type: ignore[assignment]

    def __iter__(self) -> Iterator[Term]:
        if isinstance(self.value, dict):
            raise TypeError("an object has no items by number: use `term.values()`")
        return (self[index] for index in range(len(self.value)))

    # What is of it

    def __getitem__(self, key: Any) -> Term:
        return Term.later(
            lambda: self.value[plain(key)], lambda: (*self.operand, "[", *to_code(key), "]")
        )

    def get(self, key: str | Term, default: Any = None) -> Term:
        """Return a field that may be missing: ``term.get(key, default)``."""
        given = (key,) if default is None else (key, default)
        return Term.later(
            lambda: self.value.get(*plain(given)),
            lambda: (*self.operand, ".get(", *_joined(map(to_code, given)), ")"),
        )

    def values(self) -> Term:
        """Return the values of an object: ``list(term.values())``."""
        return Term.later(
            lambda: list(self.value.values()), lambda: ("list(", *self.operand, ".values())")
        )

    def length(self) -> Term:
        """Return how many there are: ``len(term)``."""
        return Term.later(lambda: len(self.value), lambda: ("len(", *self.code, ")"))

    def contains(self, value: Any) -> Term:
        """Return whether a value is in it: ``value in term``."""
        return Term.later(
            lambda: plain(value) in self.value,
            lambda: (*_operand(value), " in ", *self.operand),
            atomic=False,
        )

    # Lists

    def where(self, condition: Function) -> Term:
        """Return the items that fulfil a condition: ``[one for one in term if …]``."""
        return Term.later(
            lambda: [item for item, holds in self._apply(condition) if holds],
            lambda: ("[", *self._filtered(condition), "]"),
        )

    def first(self, condition: Function) -> Term:
        """Return the first item that fulfils a condition: ``next(one for one in term if …)``.

        If there is none, whoever asks for its value is at a `DeadEnd`.
        """

        def evaluate() -> Any:
            for item, holds in self._apply(condition):
                if holds:
                    return item
            raise DeadEnd(f"there is no {write(term.code)}")

        term = Term.later(evaluate, lambda: ("next(", *self._filtered(condition), ")"))
        return term

    def each(self, function: Function) -> Term:
        """Return something of every item: ``[… for one in term]``."""
        return Term.later(
            lambda: [value for _, value in self._apply(function)],
            lambda: ("[", *self._applied(function), "]"),
        )

    def total(self, function: Function) -> Term:
        """Return the sum over the items, to the cent: ``round(sum(…), 2)``; whole numbers exact."""

        def evaluate() -> Any:
            total = sum(value for _, value in self._apply(function))
            return round(total, 2) if isinstance(total, float) else total

        def spell() -> Code:
            inner = ("sum(", *self._applied(function), ")")
            return ("round(", *inner, ", 2)") if isinstance(term.value, float) else inner

        term = Term.later(evaluate, spell)
        return term

    def lowest(self, function: Function) -> Term:
        """Return the least value over the items: ``min(… for one in term)``."""
        return self._extreme(min, function)

    def highest(self, function: Function) -> Term:
        """Return the greatest value over the items: ``max(… for one in term)``."""
        return self._extreme(max, function)

    def smallest_by(self, function: Function) -> Term:
        """Return the item with the least value: ``min(term, key=lambda one: …)``."""
        return self._extreme_item(min, function)

    def largest_by(self, function: Function) -> Term:
        """Return the item with the greatest value: ``max(term, key=lambda one: …)``."""
        return self._extreme_item(max, function)

    def _extreme(self, choose: Callable[..., Any], function: Function) -> Term:
        return Term.later(
            lambda: choose(value for _, value in self._apply(function)),
            lambda: (f"{choose.__name__}(", *self._applied(function), ")"),
        )

    def _extreme_item(self, choose: Callable[..., Any], function: Function) -> Term:
        def spell() -> Code:
            bound, code = self._code_of(function)
            return (f"{choose.__name__}(", *self.code, ", key=lambda ", bound, ": ", *code, ")")

        return Term.later(
            lambda: choose(self._apply(function), key=operator.itemgetter(1))[0], spell
        )

    def _apply(self, function: Function) -> Iterator[tuple[Any, Any]]:
        """Yield each item with a function's value of it.

        Raises:
            DeadEnd: If there are no items, so that nobody can tell the code.
        """
        if not self.value:
            raise DeadEnd(f"there is nothing in {write(self.code)} to look through")
        for item in self.value:
            yield item, plain(function(Term(item, _ITEM)))

    def _code_of(self, function: Function) -> tuple[Bound, Code]:
        """Return what stands for an item, and a function's code of it.

        Raises:
            DeadEnd: If there are no items, so that nobody can tell the code.
            ValueError: If the code is another one for another item.
        """
        bound = Bound()
        codes = [to_code(function(Term(item, (bound,)))) for item in self.value]
        if not codes:
            raise DeadEnd(f"there is nothing in {write(self.code)} to look through")
        texts = {write(code): None for code in codes}
        if len(texts) > 1:
            raise ValueError(
                f"expected one expression for all items of {write(self.code)}, got "
                f"{shorten(' and '.join(texts))}: use the item as a term, not its `.value`"
            )
        return bound, codes[0]

    def _filtered(self, condition: Function) -> Code:
        bound, code = self._code_of(condition)
        return (bound, " for ", bound, " in ", *self.operand, " if ", *code)

    def _applied(self, function: Function) -> Code:
        bound, code = self._code_of(function)
        return (*code, " for ", bound, " in ", *self.operand)

    # Operators

    def __add__(self, other: Any) -> Term:
        return _binary(self, "+", other, operator.add)

    def __radd__(self, other: Any) -> Term:
        return _binary(other, "+", self, operator.add)

    def __sub__(self, other: Any) -> Term:
        return _binary(self, "-", other, operator.sub)

    def __rsub__(self, other: Any) -> Term:
        return _binary(other, "-", self, operator.sub)

    def __mul__(self, other: Any) -> Term:
        return _binary(self, "*", other, operator.mul)

    def __rmul__(self, other: Any) -> Term:
        return _binary(other, "*", self, operator.mul)

    def __truediv__(self, other: Any) -> Term:
        return _binary(self, "/", other, operator.truediv)

    def __rtruediv__(self, other: Any) -> Term:
        return _binary(other, "/", self, operator.truediv)

    def __eq__(self, other: object) -> Term:  # type: ignore[override]
        return _binary(self, "==", other, operator.eq)

    def __ne__(self, other: object) -> Term:  # type: ignore[override]
        return _binary(self, "!=", other, operator.ne)

    def __lt__(self, other: Any) -> Term:
        return _binary(self, "<", other, operator.lt)

    def __le__(self, other: Any) -> Term:
        return _binary(self, "<=", other, operator.le)

    def __gt__(self, other: Any) -> Term:
        return _binary(self, ">", other, operator.gt)

    def __ge__(self, other: Any) -> Term:
        return _binary(self, ">=", other, operator.ge)

    def __and__(self, other: Any) -> Term:
        return _binary(self, "and", other, lambda one, two: one and two)

    def __or__(self, other: Any) -> Term:
        return _binary(self, "or", other, lambda one, two: one or two)

    def __invert__(self) -> Term:
        return Term.later(lambda: not self.value, lambda: ("not ", *self.operand), atomic=False)

    def __neg__(self) -> Term:
        return Term.later(lambda: -self.value, lambda: ("-", *self.operand), atomic=False)

    def __abs__(self) -> Term:
        return Term.later(lambda: abs(self.value), lambda: ("abs(", *self.code, ")"))

    def __round__(self, digits: int | None = None) -> Term:
        written = "" if digits is None else f", {digits}"
        return Term.later(
            lambda: round(self.value, digits), lambda: ("round(", *self.code, f"{written})")
        )

    @property
    def operand(self) -> Code:
        """The expression as it can stand beside an operator."""
        return self.code if self.atomic else ("(", *self.code, ")")


def plain(value: Any) -> Any:
    """Return a value without terms: each is replaced by its value, in lists and objects, too."""
    if type(value) in LEAVES:
        return value
    if isinstance(value, Term):
        return value.value
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def to_code(value: Any) -> Code:
    """Return the expression of a value that may hold terms.

    Raises:
        TypeError: If it holds something that JSON cannot say.
    """
    if isinstance(value, Term):
        return value.code
    if isinstance(value, list | tuple):
        return ("[", *_joined(to_code(item) for item in value), "]")
    if isinstance(value, Mapping):
        entries = ((*to_code(key), ": ", *to_code(item)) for key, item in value.items())
        return ("{", *_joined(entries), "}")
    return (literal(value),)


def _joined(codes: Any) -> Code:
    pieces: list[Piece] = []
    for number, code in enumerate(codes):
        pieces += [", ", *code] if number else code
    return tuple(pieces)


def _operand(value: Any) -> Code:
    return value.operand if isinstance(value, Term) else to_code(value)


def _binary(left: Any, sign: str, right: Any, function: Callable[[Any, Any], Any]) -> Term:
    return Term.later(
        lambda: function(plain(left), plain(right)),
        lambda: (*_operand(left), f" {sign} ", *_operand(right)),
        atomic=False,
    )
