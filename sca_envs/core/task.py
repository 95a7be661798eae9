"""Tasks, and sets of them in files.

A task says what a user wants, which data it is about, and what the right result is. Everything is
plain data, so task sets travel as JSON Lines, Parquet or Hugging Face datasets.
"""

from __future__ import annotations

import ast
import hashlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Protocol, Self, runtime_checkable

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from sca_envs.core.actions import Action, Answer, Reply, ToolCall
from sca_envs.core.database import canonical_json
from sca_envs.core.errors import UnknownTaskError, shorten
from sca_envs.core.patterns import check_patterns


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _check_name(text: str) -> str:
    if not text.isprintable():
        raise ValueError(f"expected printable characters, got {shorten(text)}")
    return text


MAX_ITEMS = 1_000
"""Most members of a list in a task."""
Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_check_name)]
"""A name or id: it is printed, and it names files."""
Strings = Annotated[tuple[str, ...], Field(max_length=MAX_ITEMS)]
_PHRASES = ("yes", "no", "next", "thanks", "leave_it", "unsure", "give_up")


class Fact(_Model):
    """Something that the user knows and tells when asked."""

    key: Name
    """Its name within the request, such as ``reason``."""
    cues: Strings
    """Regular expressions; a question that matches one (in lower case) asks for this fact."""
    text: str
    """What the user says."""
    given: bool = Field(False, strict=True)
    """Whether the request's opening already says it."""
    value: Any = None
    """What the text says, as a JSON value that a tool takes; None where it is words only."""


class Request(_Model):
    """One thing that the user wants from the agent."""

    opening: str
    """What the user says to raise it."""
    facts: tuple[Fact, ...] = Field((), max_length=MAX_ITEMS)
    """What the user knows about it."""
    ids: Strings = ()
    """Ids that the agent may name when it asks for confirmation; another one is refused."""
    outputs: Strings = ()
    """What the user waits to hear, if it is a question."""


class UserScript(_Model):
    """What a scripted user knows, wants and says (see `sca_envs.core.users.ScriptedUser`)."""

    facts: tuple[Fact, ...] = Field(max_length=MAX_ITEMS)
    """Who the user is: what can be told at any time."""
    requests: tuple[Request, ...] = Field(min_length=1, max_length=MAX_ITEMS)
    """What the user wants, raised one after the other."""
    id_pattern: str = r"(?!)"
    """Regular expression of the ids that occur in the domain."""
    greeting: str
    """Said before the first request."""
    phrases: dict[str, str]
    """How the user says ``yes``, ``no``, ``next``, ``thanks``, ``leave_it``, ``unsure`` and
    ``give_up``."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if missing := [name for name in _PHRASES if name not in self.phrases]:
            raise ValueError(f"expected phrases for {', '.join(_PHRASES)}; {missing} are missing")
        facts = itertools.chain(self.facts, *(request.facts for request in self.requests))
        check_patterns(itertools.chain([self.id_pattern], *(fact.cues for fact in facts)))
        return self


class ReferenceAction(_Model):
    """One tool call of the reference solution."""

    name: Name
    arguments: dict[str, Any] = {}

    def to_call(self) -> ToolCall:
        """Return it as an action."""
        return ToolCall(self.name, self.arguments)


class ExpectedAnswer(_Model):
    """The right answer of a task that has one.

    A literal rather than a JSON value: answers can be tuples, and a float keeps every bit, whatever
    Python computes it again.
    """

    literal: str = Field(max_length=100_000)
    """`repr` of the value, such as ``('A', 3)``."""
    type: Name
    """Name of its type, such as ``tuple``."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        try:
            kind = type(self.value).__name__
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
            raise ValueError(
                f"expected a Python literal, got {shorten(self.literal)}: {type(error).__name__}"
            ) from None
        if kind != self.type:
            raise ValueError(f"expected a {shorten(self.type)}, got {shorten(self.literal)}")
        return self

    @classmethod
    def of(cls, value: Any) -> ExpectedAnswer:
        """Return the expected answer with a value (anything that `ast.literal_eval` reads)."""
        return cls(literal=repr(value), type=type(value).__name__)

    @property
    def value(self) -> Any:
        """The value."""
        return ast.literal_eval(self.literal)

    @property
    def text(self) -> str:
        """The answer as an agent would write it: a string without quotes."""
        return str(self.value)


class Task(_Model):
    """One task of a domain."""

    id: Name
    """Unique within its data and split."""
    domain: Name
    """Name of the domain, such as ``tau_retail``."""
    data: Name
    """Which data it runs on, such as ``generated:0`` or ``tau-bench``."""
    split: Name
    """Name of the split it belongs to."""
    instruction: str
    """All that the user wants and knows, as prose."""
    script: UserScript | None = None
    """The same as a script; None where there is only prose."""
    actions: tuple[ReferenceAction, ...] = Field((), max_length=MAX_ITEMS)
    """A reference solution, whose end state is the right one."""
    outputs: Strings = ()
    """Strings that the agent must say."""
    expected: ExpectedAnswer | None = None
    """The right answer; None where the task is not a question."""
    solution: str | None = None
    """The reference solution as code that calls the tools and ends with ``answer(…)``."""
    difficulty: int = Field(0, strict=True, ge=0, le=2**63 - 1)
    """What the domain counts, 0 where unknown: requests and withheld details, dependent calls."""
    audit: str | None = None
    """Why the reference solution is known or reported to be wrong."""
    judge: Strings = ()
    """Further criteria that only a language model could judge; they are not scored."""

    @property
    def digest(self) -> str:
        """sha256 of the canonical JSON of all that it says, as hex digits.

        A task that a generator of another version made under the same id has another one.
        """
        return hashlib.sha256(canonical_json(self.model_dump(mode="json")).encode()).hexdigest()

    def reference_turns(self) -> list[Action]:
        """Return the reference solution, up to the words or the answer that end the episode."""
        calls: list[Action] = [action.to_call() for action in self.actions]
        if self.expected is not None:
            return [*calls, Answer(self.expected.text)]
        return [*calls, Reply(" ".join(["Everything has been done.", *self.outputs]))]


@runtime_checkable
class TaskSource(Protocol):
    """Tasks of one split: a finite `TaskSet` or a generator without end."""

    size: int | None
    """Number of tasks; None means that there is no end."""

    def __getitem__(self, index: int, /) -> Task:
        """Return a task by its index.

        Raises:
            IndexError: If there is none.
        """
        ...

    def id_of(self, index: int, /) -> str:
        """Return a task's id by its index, without making the task.

        Raises:
            IndexError: If there is none.
        """
        ...

    def find(self, key: str | int) -> Task:
        """Return a task by its id, or by its index where ids are no numbers.

        Raises:
            UnknownTaskError: If there is none.
        """
        ...


class TaskSet(Sequence[Task]):
    """A finite sequence of tasks.

    Args:
        tasks: The tasks, in order.
        name: What error messages call it.

    Raises:
        ValueError: If two tasks of one split have the same id.
    """

    def __init__(self, tasks: Iterable[Task], name: str = "task set") -> None:
        self._tasks = tuple(tasks)
        self.name = name
        self.size: int | None = len(self._tasks)
        self._by_id: dict[str, dict[str, Task]] = {}  # by id, then by split
        for task in self._tasks:
            same_id = self._by_id.setdefault(task.id, {})
            if task.split in same_id:
                raise ValueError(f"Expected unique ids in {name}; {task.id!r} occurs twice")
            same_id[task.split] = task
        self._numbered = bool(self._tasks) and all(task.id.isdecimal() for task in self._tasks)

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits, in order of appearance."""
        return tuple(dict.fromkeys(task.split for task in self._tasks))

    def split(self, name: str) -> TaskSet:
        """Return the tasks of one split (perhaps none)."""
        return TaskSet((task for task in self._tasks if task.split == name), f"{self.name}/{name}")

    def id_of(self, index: int) -> str:
        """Return a task's id by its index.

        Raises:
            IndexError: If there is none.
        """
        return self._tasks[index].id

    def find(self, key: str | int) -> Task:
        """Return a task by its id, or by its index where ids are no numbers.

        Raises:
            UnknownTaskError: If there is none.
        """
        matches = list(self._by_id.get(str(key), {}).values())
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise UnknownTaskError(f"Task {key!r} is in several splits of {self.name}; choose one")
        if not isinstance(key, str) and not self._numbered and -len(self) <= key < len(self):
            return self._tasks[key]
        if not self._tasks:
            raise UnknownTaskError(f"{self.name} has no tasks; got {key!r}")
        sample = ", ".join(repr(task.id) for task in self._tasks[:3])
        raise UnknownTaskError(
            f"Expected the id of one of the {len(self)} tasks of {self.name} ({sample}, …)"
            f"{'' if self._numbered else f' or an index below {len(self)}'}; got {key!r}"
        )

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return TaskSet(self._tasks[index], self.name)
        return self._tasks[index]

    def __len__(self) -> int:
        return len(self._tasks)

    def __iter__(self) -> Iterator[Task]:
        return iter(self._tasks)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TaskSet):
            return NotImplemented
        return self._tasks == other._tasks

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"TaskSet({self.name!r}, {len(self)} tasks)"
