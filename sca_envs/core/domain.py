"""A domain: one world with its records, tools, rules and tasks."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, SupportsIndex

import numpy as np

from sca_envs.core.actions import Action, LoggedCall, PositionalCall, ToolCall
from sca_envs.core.database import Base, Change, Database, Snapshot
from sca_envs.core.errors import OptionError
from sca_envs.core.formats import ActionFormat
from sca_envs.core.frozen import freeze
from sca_envs.core.task import Task, TaskSource
from sca_envs.core.tools import Tool, refused
from sca_envs.core.verifiers import STATE_AND_OUTPUTS, Verifier
from sca_envs.core.wishes.draft import DraftSource

ArgumentSampler = Callable[[np.random.Generator, Base, str], Any]
"""Draws a plausible value: (random generator, base tables, parameter name) -> JSON value."""

CodeCall = Callable[[Tool, Database, dict[str, Any]], Any]
"""Carries out a tool call of an agent's code: (tool, database, arguments) -> JSON value. What it
raises, the code sees."""


class RecordReader(NamedTuple):
    """A tool that shows a record by its key."""

    tool: str
    """Name of the tool."""
    parameter: str
    """The parameter that takes the key."""
    noun: str
    """What the record is called in code, such as ``order``."""


_CACHED_REFERENCES = 4096
_MAX_PRINTED = 2_000
_NO_OUTPUT = "[The code printed nothing; print what you want to see.]"


def truncate_output(printed: str) -> str:
    """Return what code printed as the agent reads it: cut off after 2000 characters."""
    if len(printed) > _MAX_PRINTED:  # as M3ToolEval does
        return f"{printed[:_MAX_PRINTED]}...\n[Output Truncated]"
    return printed or _NO_OUTPUT


def call_validated(tool: Tool, database: Database, arguments: dict[str, Any]) -> Any:
    """Carry out a tool call of an agent's code; a result in JSON comes as what it stands for.

    Raises:
        ToolError: If the arguments are not those of the schema, or the tool refuses.
    """
    result = tool.run(database, arguments)
    if isinstance(result, str) and result.startswith(("{", "[")):
        return json.loads(result)
    return result


class Domain:
    """One world on one set of data, shared by all episodes of the process.

    Args:
        name: The domain's name, such as ``tau_retail``.
        data: The data it stands on, such as ``generated:0`` or ``tau-bench``.
        base: The initial tables.
        tools: The tools by name.
        policy: The rules that the agent must follow, as Markdown.
        splits: Split name -> function that gives its tasks.
        sample_argument: Draws plausible arguments, for random policies and mutations.
        terminal_tools: Names of the tools whose call ends the episode.
        verifier: How the domain's tasks are judged.
        show_output: Turns what an agent's code printed into what the agent reads.
        call_from_code: Carries out a tool call of an agent's code.
        code_prelude: Python code that runs before an agent's first code, in its globals.
        view_tables: Names of the tables that hold what the agent looks at (the browser and its
            history, say), so that a change there is not a change of the world.
        scored_view_fields: Paths of the fields in them that a task can be about: which page is
            open, say.
        wishes: What its customers may want: the procedural challenger makes tasks of them.
        record_readers: Table -> the tool that shows a record of it; a verification function looks
            at what changed through these.
        origin: A function and its arguments that give this domain again, for pickling; without it
            everything above is pickled.
    """

    def __init__(
        self,
        *,
        name: str,
        data: str,
        base: Base,
        tools: Mapping[str, Tool],
        policy: str,
        splits: Mapping[str, Callable[[], TaskSource]],
        sample_argument: ArgumentSampler,
        terminal_tools: frozenset[str] = frozenset(),
        verifier: Verifier[Any] = STATE_AND_OUTPUTS,
        show_output: Callable[[str], str] = truncate_output,
        call_from_code: CodeCall = call_validated,
        code_prelude: str = "",
        view_tables: frozenset[str] = frozenset(),
        scored_view_fields: frozenset[str] = frozenset(),
        wishes: DraftSource | None = None,
        record_readers: Mapping[str, RecordReader] | None = None,
        origin: tuple[Callable[..., Domain], tuple[Any, ...]] | None = None,
    ) -> None:
        self.name = name
        self.data = data
        self.base = base
        self.tools = dict(tools)
        self.schemas: tuple[dict[str, Any], ...] = tuple(
            freeze(tool.schema) for tool in self.tools.values()
        )
        """The tools' schemas in OpenAI's function format; nobody can change them."""
        self.policy = policy
        self.terminal_tools = terminal_tools
        self.verifier = verifier
        self.show_output = show_output
        self.call_from_code = call_from_code
        self.code_prelude = code_prelude
        self.view_tables = view_tables
        self.scored_view_fields = scored_view_fields
        self.wishes = wishes
        """What its customers may want, if it has customers."""
        self.record_readers = dict(record_readers or {})
        """Table -> the tool that shows a record of it."""
        self._splits = dict(splits)
        self._sources: dict[str, TaskSource] = {}
        self._sample_argument = sample_argument
        self._origin = origin
        # Keyed by identity; the task is kept with its state, so that its id stays its own.
        self._references: OrderedDict[int, tuple[Task, Snapshot]] = OrderedDict()

    def __reduce_ex__(self, protocol: SupportsIndex) -> str | tuple[Any, ...]:
        return self._origin or super().__reduce_ex__(protocol)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_references": OrderedDict(), "_sources": {}}

    def __repr__(self) -> str:
        return f"Domain({self.name!r}, data={self.data!r})"

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits."""
        return tuple(self._splits)

    def tasks(self, split: str) -> TaskSource:
        """Return the tasks of a split.

        Raises:
            OptionError: If there is no such split.
        """
        if split not in self._splits:
            raise OptionError(
                f"Expected split to be one of {', '.join(self._splits)} for {self.name} with "
                f"data={self.data!r}; got {split!r}"
            )
        if split not in self._sources:
            self._sources[split] = self._splits[split]()
        return self._sources[split]

    def database(self) -> Database:
        """Return a database in the initial state."""
        return Database(self.base)

    def call(self, database: Database, name: str, arguments: Mapping[str, Any]) -> str:
        """Call a tool and return what the agent reads.

        Args:
            database: The database to read and change.
            name: The tool's name.
            arguments: Argument name -> JSON value.

        Returns:
            The tool's result, or a text that begins with ``Error:``.
        """
        tool = self.tools.get(name)
        if tool is None:
            return f"Error: unknown tool {name[:60]!r}; the tools are {', '.join(self.tools)}"
        return tool.call(database, arguments)

    def call_positional(self, database: Database, name: str, values: tuple[Any, ...]) -> str:
        """Call a tool with arguments that have no names; see `Tool.call_positional`."""
        tool = self.tools.get(name)
        if tool is None:
            return f"Cound not find tool with name {name}"  # M3ToolEval's spelling
        return tool.call_positional(database, values)

    def log(
        self, name: str, arguments: dict[str, Any] | tuple[Any, ...], observation: str
    ) -> tuple[LoggedCall, ...]:
        """Return the record of a tool call; none if there is no such tool.

        Args:
            name: The tool's name.
            arguments: What the agent gave, by name or by position.
            observation: What it read.
        """
        tool = self.tools.get(name)
        if tool is None:
            return ()
        named = arguments if isinstance(arguments, dict) else tool.named(arguments)
        return (LoggedCall(name, named, not refused(observation)),)

    def end_by(self, calls: Iterable[LoggedCall], database: Database) -> str | None:
        """Return why an episode ends after calls; None if it goes on.

        Args:
            calls: The calls of the turn.
            database: The state that they left.
        """
        return "transfer" if any(call.name in self.terminal_tools for call in calls) else None

    def write(self, action: Action, action_format: ActionFormat) -> str:
        """Return an action as text; a call loses its arguments' names where the format has none.

        Raises:
            ValueError: If the format cannot say it.
        """
        if action_format.positional and isinstance(action, ToolCall) and action.name in self.tools:
            values = self.tools[action.name].order(action.arguments)
            action = PositionalCall(action.name, values)
        return action_format.render(action)

    def reference_state(self, task: Task) -> Snapshot:
        """Return the state that a task's reference actions leave, cached by task."""
        cached = self._references.get(id(task))
        if cached is not None:
            return cached[1]
        database = self.database()
        for action in task.actions:
            self.call(database, action.name, action.arguments)
        state = database.snapshot()
        self._references[id(task)] = (task, state)
        if len(self._references) > _CACHED_REFERENCES:
            self._references.popitem(last=False)
        return state

    def changes(
        self, database: Database, since: Snapshot | None = None, *, position: bool = False
    ) -> list[Change]:
        """Return what differs in the world from the initial or an earlier state.

        Args:
            database: The present state.
            since: The earlier state; by default the initial one.
            position: Whether the world includes `scored_view_fields`; nothing else of
                `view_tables` belongs to it.
        """
        return [
            change
            for change in database.diff(since)
            if change.path.split("/", 2)[1] not in self.view_tables
            or (position and change.path in self.scored_view_fields)
        ]

    def sample_argument(self, rng: np.random.Generator, name: str) -> Any:
        """Draw a plausible value for the parameter of that name: a JSON value."""
        return self._sample_argument(rng, self.base, name)

    def sample_call(self, rng: np.random.Generator) -> tuple[str, dict[str, Any]]:
        """Draw a valid call of one of the tools: its name and plausible arguments."""
        tool = self.tools[list(self.tools)[int(rng.integers(len(self.tools)))]]
        return tool.name, self.sample_arguments(rng, tool)

    def sample_arguments(self, rng: np.random.Generator, tool: Tool) -> dict[str, Any]:
        """Draw plausible arguments of a tool."""
        arguments: dict[str, Any] = {}
        for name, schema in tool.parameters["properties"].items():
            if "enum" in schema:
                arguments[name] = schema["enum"][int(rng.integers(len(schema["enum"])))]
            else:
                arguments[name] = self.sample_argument(rng, name)
        return arguments
