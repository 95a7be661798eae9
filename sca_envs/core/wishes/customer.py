"""A customer who draws wishes over a real state: what the author of a domain writes against."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sca_envs.core.database import Base, Database, Record, copy_json
from sca_envs.core.errors import ToolError, shorten
from sca_envs.core.task import Fact, Request
from sca_envs.core.tools import Tool
from sca_envs.core.wishes.code import Given, Variable
from sca_envs.core.wishes.errors import WishError, pick
from sca_envs.core.wishes.solution import Call, Step
from sca_envs.core.wishes.terms import Term, plain
from sca_envs.core.wishes.wish import Introduction, Wish, required_outputs
from sca_envs.core.wishes.wordings import Wordings

_VERBS = re.compile(r"^(get|find|search|list|show|look_up)_|_(details|by_.*)$")
_RESULT = "done"
"""What the result of a call that changed something is called in the solution."""


@dataclass
class _Recording:
    """What a wish has said and done so far."""

    name: str
    facts: list[Fact] = field(default_factory=list)
    spoken: list[str] = field(default_factory=list)
    """Texts of facts that the opening has to say."""
    steps: list[Step] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    mistakes: list[tuple[Call, ...]] = field(default_factory=list)


class Customer:
    """One customer, and the state as the wishes so far leave it.

    Args:
        tools: The domain's tools by name.
        base: The world.
        wordings: How customers of the domain say things.
        pool: Which of the wordings to use: ``train`` or ``test``.
        key: The customer's key in the table of customers.
        rng: Draws whatever a wish is made of.
        openness: Probability that a detail is told before anybody asks, from 0 to 1.
        id_pattern: Regular expression of the ids that occur in the domain.
    """

    def __init__(
        self,
        tools: Mapping[str, Tool],
        base: Base,
        wordings: Wordings,
        pool: str,
        key: str,
        rng: random.Random,
        *,
        openness: float = 1.0,
        id_pattern: str = r"(?!)",
    ) -> None:
        self.key = key
        """The customer's key in the table of customers."""
        self.rng = rng
        """Draws whatever a wish is made of."""
        self.db = Database(base)
        """The state as the wishes so far leave it; read it, and change it by calls only."""
        self.used: set[str] = set()
        """Keys of records that a wish is about already."""
        self.id = self.given(key)
        """The key as a term; the function that identifies sets the one that a tool returned."""
        self._profile: Term | None = None
        self._tools, self._wordings, self._pool = tools, wordings, pool
        self._openness, self._ids = openness, re.compile(id_pattern, re.IGNORECASE)
        self._recording = _Recording("")
        self._texts_said: set[str] = set()

    @property
    def profile(self) -> Term:
        """The customer's record as a tool showed it; the function that identifies sets it."""
        if self._profile is None:
            raise self._error("expected `identify` of the WishBook to set customer.profile")
        return self._profile

    @profile.setter
    def profile(self, profile: Term) -> None:
        self._profile = profile

    # Drawing

    def record(self, table: str, key: str) -> Record:
        """Return a record as it is now, to choose by it."""
        if table not in self.db.base.tables:
            tables = ", ".join(self.db.base.tables)
            raise self._error(f"expected a table out of {tables}; got {table!r}")
        record = self.db.get(table, key)
        if record is None:
            raise self._error(f"expected a record {key!r} in the table {table!r}; there is none")
        return record

    def records(self, table: str, keys: Iterable[str]) -> list[Record]:
        """Return those of some records that no wish is about yet, in an order that is drawn."""
        found = [self.record(table, key) for key in keys if key not in self.used]
        self.rng.shuffle(found)
        return found

    def pick(self, values: Iterable[Any]) -> Any:
        """Draw one of some values.

        Raises:
            DeadEnd: If there is none.
        """
        return pick(self.rng, values)

    def tells(self) -> bool:
        """Draw whether the customer tells a detail before anybody asks."""
        return self.rng.random() < self._openness

    def use(self, *keys: str) -> None:
        """Note that a wish is about some records, so that no later one is."""
        self.used.update(keys)

    # Saying

    def say(self, key: str, /, **slots: Any) -> str:
        """Draw a wording of the wish, one that was not used yet if there is any, and fill it in.

        Args:
            key: Which wordings of the domain's file, of the wish or shared.
            slots: Slot -> what stands there.
        """
        texts = self._texts(key)
        text = self.rng.choice([one for one in texts if one not in self._texts_said] or texts)
        self._texts_said.add(text)
        return self._fill_in(text, slots)

    def tell(
        self,
        key: str,
        value: Any = None,
        /,
        *,
        wording: str | None = None,
        confusable: Iterable[Any] = (),
        given: bool | None = None,
        **slots: Any,
    ) -> Term:
        """Let the customer know a fact: said in the opening, or when the agent asks.

        Args:
            key: Name of the fact; ``[cues]`` of the wordings has what asks for it.
            value: What the customer knows, for the calls; None where it is only said.
            wording: Which wordings say it; by default those called as the fact.
            confusable: Values that it could be mistaken for, the most telling first.
            given: Whether the opening says it by a slot of its own; by default it is drawn whether
                the fact's text follows the opening.
            slots: Slot -> what stands there, besides the value under the fact's name.

        Returns:
            The value as a term.
        """
        texts = {key: value, **slots}
        text = self.say(wording or key, **texts)
        spoken = self.tells() if given is None else given
        if given is None and spoken:
            self._recording.spoken.append(text)
        cues = self._wordings.cues.get(key, ())
        if not cues:
            raise self._error(f"expected cues for {key!r} under [cues] of its wordings.toml")
        fact = Fact(key=key, cues=cues, text=text, given=spoken, value=plain(value))
        self._recording.facts.append(fact)
        return self.given(value, confusable)

    def given(self, value: Any, confusable: Iterable[Any] = ()) -> Term:
        """Return a value that the customer gives, as a term.

        Args:
            value: A JSON value.
            confusable: Values that it could be mistaken for, the most telling first.
        """
        value = plain(value)
        return Term(value, (Given(value, tuple(confusable)),))

    def name(self, key: str, value: Any, known: str, /, **options: Any) -> tuple[Term, str]:
        """Let the customer know which record is meant: named in the opening, or vaguely.

        Args:
            key: Name of the fact, such as ``order``; ``vague_order`` are wordings of what the
                opening says instead of it.
            value: What the customer knows of it.
            known: How the opening names the record.
            options: As for `tell`.

        Returns:
            The value as a term, and the words for the opening.
        """
        given = self.tells()
        vague = self.say(f"vague_{key}")
        term = self.tell(key, value, given=given, **options)
        return term, known if given else vague

    def about(self, *values: Any) -> None:
        """Say which records or ids the wish is about: the agent may name their ids.

        Args:
            values: Records, ids or terms.
        """
        for value in values:
            self._recording.ids += _ids_in(value, self._ids)

    # Doing

    def call(self, tool: str, /, *, as_: Any = None, **arguments: Any) -> Term:
        """Call a tool, as a step of the solution.

        Args:
            tool: Name of the tool.
            as_: What the result is called in the solution; by default the tool's noun, or ``done``
                if the call changed something.
            arguments: Argument name -> JSON value or term.

        Returns:
            The result; one in JSON comes as what it stands for.

        Raises:
            WishError: If there is no such tool, or it refuses.
        """
        call = Call(tool, arguments)
        value, writes = self._carry_out(call)
        return self._note(call, value, writes, as_)

    def either(
        self,
        condition: Term,
        then: tuple[str, Mapping[str, Any]],
        otherwise: tuple[str, Mapping[str, Any]] | None = None,
    ) -> Term:
        """Call one of two tools, as a condition decides that the solution looks up.

        Args:
            condition: Decides.
            then: Tool and arguments if it holds.
            otherwise: Tool and arguments if not; None to do nothing then.

        Returns:
            The result of the call that was made; None as a value where there was none.

        Raises:
            WishError: As for `call`.
        """
        first = Call(*then)
        second = None if otherwise is None else Call(*otherwise)
        for call in filter(None, (first, second)):
            self._tool(call)
        made = first if condition.value else second
        value, writes = (None, False) if made is None else self._carry_out(made)
        return self._note(first, value, writes, _RESULT, condition=condition, otherwise=second)

    def let(self, name: str, value: Term) -> Term:
        """Give a value a name of its own in the solution, to make that easy to read."""
        variable = self._variable(name)
        self._recording.steps.append(Step(variable, value=value))
        return Term.later(lambda: value.value, lambda: (variable,))

    def mistake(self, *calls: tuple[str, Mapping[str, Any]]) -> None:
        """Say what could be done by mistake instead of what the wish changes.

        Args:
            calls: Tool and arguments of each call.
        """
        mistake = tuple(Call(*call) for call in calls)
        for call in mistake:
            self._tool(call)
        self._recording.mistakes.append(mistake)

    # The end

    def wish(
        self,
        /,
        asks: Mapping[str, Term] | None = None,
        *,
        question: bool = False,
        opening: str = "opening",
        **slots: Any,
    ) -> Wish:
        """Return the wish that was recorded.

        Args:
            asks: What the customer may want to hear at the end: words, with the opening's slots, ->
                term. One is drawn; the others of its type are wrong answers.
            question: Whether that is all that the customer wants; the opening asks for it, with
                the words in its slot ``{ask}`` if there are several.
            opening: Which wordings open the wish.
            slots: Slot of the opening -> what stands there.
        """
        choices = list((asks or {}).items())
        if not choices or not all(isinstance(term, Term) for _, term in choices):
            raise self._error(
                f"expected `asks` with words and a term for each; got {shorten(asks)}"
            )
        self.rng.shuffle(choices)
        recording = self._recording
        ask = self._fill_in(choices[0][0], slots)
        text = self.say(opening, **{"ask": ask, **slots})
        text = " ".join([text[:1].upper() + text[1:], *recording.spoken])
        answer = choices[0][1].value  # found out even if only the challenger needs it: it may fail
        said = [text, *(fact.text for fact in recording.facts)]
        request = Request(
            opening=text,
            facts=tuple(recording.facts),
            ids=tuple(dict.fromkeys(recording.ids)),
            outputs=required_outputs(answer, said) if question else (),
        )
        return Wish(
            recording.name,
            request,
            tuple(recording.steps),
            ((ask, choices[0][1]), *choices[1:]),
            question,
            tuple(recording.mistakes),
        )

    def state(self) -> tuple[Any, ...]:
        """Return what wishes change, for `WishBook` to restore."""
        return self.db.snapshot(), set(self.used), self._profile, set(self._texts_said)

    def restore(self, state: tuple[Any, ...]) -> None:
        """Go back to a state, as if what was drawn since had not been; for `WishBook`."""
        snapshot, self.used, self._profile, self._texts_said = state
        self.db.restore(snapshot)

    def begin(self, name: str) -> None:
        """Begin to record a wish; for `WishBook`."""
        self._recording = _Recording(name)

    def introduction(self) -> Introduction:
        """Return what was recorded as who the customer is; for `WishBook`."""
        return Introduction(tuple(self._recording.facts), tuple(self._recording.steps))

    def _texts(self, key: str) -> Sequence[str]:
        return self._wordings.of(self._pool, self._recording.name, key)

    def _fill_in(self, text: str, slots: Mapping[str, Any]) -> str:
        try:
            return text.format(**slots)
        except KeyError as error:
            raise self._error(
                f"expected a slot {error} out of {', '.join(slots) or 'none'} in {shorten(text)}; "
                "give it a value where this is said"
            ) from None
        except (ValueError, TypeError) as error:
            raise self._error(f"{error} in {shorten(text)}, with {shorten(dict(slots))}") from None

    def _error(self, problem: str) -> WishError:
        return WishError(f"the wish {self._recording.name}: {problem}")

    def _tool(self, call: Call) -> Tool:
        if call.tool not in self._tools:
            names = ", ".join(self._tools)
            raise self._error(f"expected a tool out of {names}; got {call.tool!r}")
        return self._tools[call.tool]

    def _carry_out(self, call: Call) -> tuple[Any, bool]:
        before = self.db.snapshot()
        try:
            result = copy_json(self._tool(call).run(self.db, call.values))  # later calls write
        except ToolError as error:
            raise self._error(f"{call.tool}({call.values}) was refused: {error}") from None
        return result, self.db.was_written(before)

    def _note(self, call: Call, value: Any, writes: bool, name: str | None, **more: Any) -> Term:
        noun = _VERBS.sub("", call.tool) or call.tool
        variable = self._variable(name or (_RESULT if writes else noun))
        self._recording.steps.append(Step(variable, call, writes=writes, **more))
        return Term.of_result(value, (variable,))

    def _variable(self, name: str) -> Variable:
        if not name.isidentifier():
            raise self._error(f"expected a name that a variable can have; got {name!r}")
        return Variable(name)


def _ids_in(value: Any, pattern: re.Pattern[str]) -> Sequence[str]:
    """Return the ids in a JSON value or term."""
    if isinstance(value, str):
        return pattern.findall(value)
    items = plain(value)
    if isinstance(items, dict):
        items = items.values()
    elif not isinstance(items, list):
        return pattern.findall(items) if isinstance(items, str) else ()
    return [key for item in items for key in _ids_in(item, pattern)]
