"""The three action formats of M3ToolEval, with the original's parsing.

A turn is ``Action: … End Action`` or ``Answer: …``, thoughts around it. The formats differ in what
stands in an action: a tool's name and arguments between commas, a JSON object, or Python code. The
texts that answer a malformed turn are the original's, because a policy's behaviour depends on them.
"""

from __future__ import annotations

import abc
import json
import re
from typing import Any

from sca_envs.core.actions import (
    Action,
    Answer,
    Code,
    Malformed,
    PositionalCall,
    Reply,
    ToolCall,
)

_MARKER = re.compile(r"Answer:|Action:")
_END = "End Action"
_INVALID = "Invalid generation. Your output should contain either 'Action:' or 'Answer:'"
_INVALID_JSON = (
    "Invalid action. You should output a JSON object with the following fields: 'tool' (the name "
    "of the tool), 'args' (a list of arguments to the tool). Error: "
)


def first_step(text: str) -> str:
    """Return a turn up to the end of its first action or answer.

    Where there is no ``Action:``, the original looks for the end from the seventh character on (-1,
    the result of its search, plus the marker's length), which parity needs.
    """
    text = text.lstrip()
    markers = [found.start() for found in _MARKER.finditer(text)]
    if len(markers) > 1:
        text = text[: markers[1]].strip()
    start = text.find("Action:") + len("Action:")
    end = text.find(_END, start)
    if end >= 0:
        text = text[: end + len(_END)]
    thought = text.find("Thought:", start)
    return text if thought < 0 else text[:thought]


class _M3Format(abc.ABC):
    """What the three have in common; a subclass reads and writes the inside of an action."""

    name: str
    positional = True

    def parse(self, text: str) -> Action:
        """Return the action that a text means; never raises."""
        step = first_step(text)
        _, answered, answer = step.partition("Answer:")
        if answered:
            return Answer(answer.strip())
        _, acted, inside = step.partition("Action:")
        if not acted:
            return Malformed(text, _INVALID, verbatim=True)
        return self._read(inside.lstrip().partition(_END)[0], text)

    def render(self, action: Action) -> str:
        """Return a text that parses to the action."""
        match action:
            case Malformed(text):
                return text
            case Answer(answer):
                text = f"Answer: {answer}"
                faithful = self.parse(text) == Answer(answer.strip())
            case ToolCall() | Reply():
                faithful = False
            case _:
                inside = self._write(action)
                text = f"Action: {inside} {_END}"
                faithful = inside is not None and self._keeps(action, self.parse(text))
        if not faithful:
            raise ValueError(f"The action format {self.name!r} cannot say {action!r}")
        return text

    @abc.abstractmethod
    def _read(self, inside: str, text: str) -> Action:
        """Return the action that the inside of an action means; `text` is the whole turn."""

    @abc.abstractmethod
    def _write(self, action: Action) -> str | None:
        """Return the inside of an action, or None if the format has no such action."""

    def _keeps(self, action: Action, parsed: Action) -> bool:
        """Return whether a parsed action does for the one that was written."""
        return parsed == action


class M3TextFormat(_M3Format):
    """``Action: tool, argument, argument End Action``; what looks like a number becomes one."""

    name = "m3-text"

    def _read(self, inside: str, text: str) -> Action:
        tool, *arguments = inside.split(",")
        return PositionalCall(tool.strip(), tuple(map(_number_or_text, arguments)))

    def _write(self, action: Action) -> str | None:
        if not isinstance(action, PositionalCall):
            return None
        return ", ".join([action.name, *map(str, action.values)])

    def _keeps(self, action: Action, parsed: Action) -> bool:
        # The format has no types: "3132" comes back as a number, which M3ToolEval's tools take if
        # it still reads the same.
        return repr(_as_texts(action)) == repr(_as_texts(parsed))


def _number_or_text(argument: str) -> int | float | str:
    argument = argument.strip()
    for kind in (int, float):
        try:
            return kind(argument)
        except ValueError:
            pass
    return argument


def _as_texts(action: Action) -> Any:
    if isinstance(action, PositionalCall):
        return action.name, [str(value) for value in action.values]
    return action


class M3JSONFormat(_M3Format):
    """``Action: {"tool": tool, "args": [argument, …]} End Action``."""

    name = "m3-json"

    def _read(self, inside: str, text: str) -> Action:
        try:
            call: Any = json.loads(inside)
            tool, values = call["tool"], call["args"]
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            return Malformed(text, f"{_INVALID_JSON}{error}", verbatim=True)
        # A name that is no text crashes the original; here it is a tool that does not exist.
        return PositionalCall(str(tool), tuple(values) if isinstance(values, list) else (values,))

    def _write(self, action: Action) -> str | None:
        if not isinstance(action, PositionalCall):
            return None
        return json.dumps({"tool": action.name, "args": list(action.values)})


class M3CodeFormat(_M3Format):
    """``Action: <Python code> End Action``; the code calls tools and prints."""

    name = "m3-code"

    def _read(self, inside: str, text: str) -> Action:
        return Code(inside)

    def _write(self, action: Action) -> str | None:
        match action:
            case Code(source):
                return source
            case PositionalCall(name, values):
                return f"print({name}({', '.join(map(repr, values))}))"
            case _:
                return None

    def _keeps(self, action: Action, parsed: Action) -> bool:
        return (
            isinstance(parsed, Code)
            and parsed.source.strip() == (self._write(action) or "").strip()
        )
