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

import ast
import itertools
import json
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sca_envs.core.errors import shorten
from sca_envs.core.wishes.errors import DeadEnd

_BOUND_NAMES = ("one", "other", "third", "fourth")
_ATOMIC = (ast.Call, ast.Subscript, ast.Attribute, ast.Name, ast.List, ast.IfExp, ast.Lambda)
_LEAVES = (str, int, float, bool, type(None), slice)


@dataclass(frozen=True, eq=False)
class Given:
    """A value that the customer gives, which an attempt can get wrong."""

    value: Any
    """The right one, a JSON value."""
    confusable: tuple[Any, ...] = ()
    """Values that it could be mistaken for, the most telling first."""


@dataclass(frozen=True, eq=False)
class Variable:
    """A name of the solution; its number is drawn up when the solution is written."""

    name: str


@dataclass(frozen=True, eq=False)
class Bound:
    """The variable of one comprehension; its name is drawn up when the expression is written."""


Piece = str | Given | Variable | Bound
Code = tuple[Piece, ...]
"""An expression: source text with what is only known when the solution is written."""

Function = Callable[["Term"], Any]
"""From an item of a list to a value or term of it, such as ``lambda item: item["price"]``."""


class Term:
    """A value with its expression.

    Args:
        value: The value, as JSON has it.
        code: The expression.
        atomic: Whether the expression can stand beside an operator without parentheses.
    """

    __slots__ = ("_text", "_value", "atomic", "code")

    def __init__(self, value: Any, code: Code, *, atomic: bool = True) -> None:
        self._value = value
        self._text: str | None = None
        self.code = code
        """The expression."""
        self.atomic = atomic
        """Whether the expression can stand beside an operator without parentheses."""

    @classmethod
    def of(cls, value: Any) -> Term:
        """Return a list or object that holds terms as one term."""
        return cls(plain(value), to_code(value))

    @classmethod
    def of_result(cls, result: Any, code: Code) -> Term:
        """Return the term of a tool's result; one in JSON is read when its value is needed."""
        term = cls(result, code)
        if isinstance(result, str) and result.startswith(("{", "[")):
            term._text = result
        return term

    @property
    def value(self) -> Any:
        """The value."""
        if self._text is not None:
            self._value, self._text = json.loads(self._text), None
        return self._value

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
        return Term(self.value[plain(key)], (*self._operand(), "[", *to_code(key), "]"))

    def get(self, key: str | Term, default: Any = None) -> Term:
        """Return a field that may be missing: ``term.get(key, default)``."""
        written = () if default is None else (", ", *to_code(default))
        code = (*self._operand(), ".get(", *to_code(key), *written, ")")
        return Term(self.value.get(plain(key), plain(default)), code)

    def values(self) -> Term:
        """Return the values of an object: ``list(term.values())``."""
        return Term(list(self.value.values()), ("list(", *self._operand(), ".values())"))

    def length(self) -> Term:
        """Return how many there are: ``len(term)``."""
        return Term(len(self.value), ("len(", *self.code, ")"))

    def contains(self, value: Any) -> Term:
        """Return whether a value is in it: ``value in term``."""
        code = (*_operand(value), " in ", *self._operand())
        return Term(plain(value) in self.value, code, atomic=False)

    # Lists

    def where(self, condition: Function) -> Term:
        """Return the items that fulfil a condition: ``[one for one in term if …]``."""
        bound, code, verdicts = self._apply(condition)
        chosen = [item for item, holds in zip(self.value, verdicts, strict=True) if holds]
        return Term(chosen, ("[", bound, *self._each(bound), " if ", *code, "]"))

    def first(self, condition: Function) -> Term:
        """Return the first item that fulfils a condition: ``next(one for one in term if …)``.

        Raises:
            DeadEnd: If there is none.
        """
        bound, code, verdicts = self._apply(condition)
        written = ("next(", bound, *self._each(bound), " if ", *code, ")")
        for item, holds in zip(self.value, verdicts, strict=True):
            if holds:
                return Term(item, written)
        raise DeadEnd(f"there is no {write(written)}")

    def each(self, function: Function) -> Term:
        """Return something of every item: ``[… for one in term]``."""
        bound, code, values = self._apply(function)
        return Term(values, ("[", *code, *self._each(bound), "]"))

    def total(self, function: Function) -> Term:
        """Return the sum over the items, to the cent: ``round(sum(…), 2)``; whole numbers exact."""
        bound, code, values = self._apply(function)
        inner = ("sum(", *code, *self._each(bound), ")")
        if any(isinstance(value, float) for value in values):
            return Term(round(sum(values), 2), ("round(", *inner, ", 2)"))
        return Term(sum(values), inner)

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
        bound, code, values = self._apply(function)
        return Term(choose(values), (f"{choose.__name__}(", *code, *self._each(bound), ")"))

    def _extreme_item(self, choose: Callable[..., Any], function: Function) -> Term:
        bound, code, values = self._apply(function)
        item = self.value[values.index(choose(values))]
        written = (f"{choose.__name__}(", *self.code, ", key=lambda ", bound, ": ", *code, ")")
        return Term(item, written)

    def _each(self, bound: Bound) -> Code:
        return (" for ", bound, " in ", *self._operand())

    def _apply(self, function: Function) -> tuple[Bound, Code, list[Any]]:
        """Return what stands for an item, a function's code of it, and its values over the items.

        Raises:
            DeadEnd: If there are no items, so that nobody can tell the code.
            ValueError: If the code is another one for another item.
        """
        bound = Bound()
        results = [function(Term(item, (bound,))) for item in self.value]
        if not results:
            raise DeadEnd(f"there is nothing in {write(self.code)} to look through")
        codes = [to_code(result) for result in results]
        texts = {write(code): None for code in codes}
        if len(texts) > 1:
            raise ValueError(
                f"expected one expression for all items of {write(self.code)}, got "
                f"{shorten(' and '.join(texts))}: use the item as a term, not its `.value`"
            )
        return bound, codes[0], [plain(result) for result in results]

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
        return Term(not self.value, ("not ", *self._operand()), atomic=False)

    def __neg__(self) -> Term:
        return Term(-self.value, ("-", *self._operand()), atomic=False)

    def __abs__(self) -> Term:
        return Term(abs(self.value), ("abs(", *self.code, ")"))

    def __round__(self, digits: int | None = None) -> Term:
        written = "" if digits is None else f", {digits}"
        return Term(round(self.value, digits), ("round(", *self.code, f"{written})"))

    def _operand(self) -> Code:
        return self.code if self.atomic else ("(", *self.code, ")")


def derive(value: Any, code: str, *terms: Term) -> Term:
    """Return a term that the methods of `Term` cannot say.

    Args:
        value: Its value.
        code: Its expression, with ``{0}``, ``{1}`` … for the terms, in parentheses where they need
            them; no other braces.
        terms: What it is made of.

    Raises:
        ValueError: If that is no expression.
    """
    pieces: list[Piece] = []
    for number, part in enumerate(code.split("{")):
        index, brace, rest = part.partition("}")
        if number == 0:
            pieces.append(part)
        elif not brace or not index.isdecimal() or int(index) >= len(terms):
            raise ValueError(f"expected {{0}} … for {len(terms)} terms, no other braces: {code!r}")
        else:
            pieces += [*terms[int(index)]._operand(), rest]
    try:
        kind = ast.parse(write(tuple(pieces)), mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"expected an expression in Python, got {code!r}: {error}") from None
    if isinstance(kind, ast.IfExp | ast.Lambda):  # these cannot stand behind an `if`
        pieces = ["(", *pieces, ")"]
    return Term(value, tuple(pieces), atomic=isinstance(kind, _ATOMIC))


def plain(value: Any) -> Any:
    """Return a value without terms: each is replaced by its value, in lists and objects, too."""
    if isinstance(value, Term):
        return value.value
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
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
    if type(value) not in _LEAVES or (isinstance(value, float) and not math.isfinite(value)):
        raise TypeError(f"expected a value as JSON has it, or a term; got {shorten(value)}")
    return (repr(value),)


def write(
    code: Code,
    names: Mapping[Variable, str] | None = None,
    instead: Mapping[Given, Any] | None = None,
) -> str:
    """Return an expression as source.

    Args:
        code: The expression.
        names: What variables are called; by default their own names.
        instead: Values to put in the place of given ones.
    """
    called: dict[Any, str] = {p: p.name for p in code if isinstance(p, Variable)}
    called |= names or {}
    more = (f"item_{number}" for number in itertools.count(len(_BOUND_NAMES) + 1))
    free = (name for name in itertools.chain(_BOUND_NAMES, more) if name not in called.values())
    text = ""
    for piece in code:
        match piece:
            case str():
                text += piece
            case Given():
                text += write(to_code((instead or {}).get(piece, piece.value)))
            case _:
                if piece not in called:
                    called[piece] = next(free)
                text += called[piece]
    return text


def _joined(codes: Any) -> Code:
    pieces: list[Piece] = []
    for number, code in enumerate(codes):
        pieces += [", ", *code] if number else code
    return tuple(pieces)


def _operand(value: Any) -> Code:
    return value._operand() if isinstance(value, Term) else to_code(value)


def _binary(left: Any, sign: str, right: Any, function: Callable[[Any, Any], Any]) -> Term:
    code = (*_operand(left), f" {sign} ", *_operand(right))
    return Term(function(plain(left), plain(right)), code, atomic=False)
