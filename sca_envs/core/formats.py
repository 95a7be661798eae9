"""Action formats: the text of an assistant turn to an action, and back.

Parsing is total: every string gives an action, and text that tries to be a tool call and fails
gives `Malformed`, whose problem the agent reads. It is never dropped silently.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Protocol

from sca_envs.core.actions import (
    Action,
    Answer,
    Code,
    Malformed,
    PositionalCall,
    Reply,
    ToolCall,
)
from sca_envs.core.errors import OptionError
from sca_envs.core.m3_formats import M3CodeFormat, M3JSONFormat, M3TextFormat
from sca_envs.core.python_format import PythonFormat

RESPOND = "respond"
"""Name of the pseudo tool whose ``content`` is a reply; canonical where plain text would not do."""
ANSWER = "answer"
"""Name of the pseudo tool whose ``content`` is the final answer."""

_SPOKEN: dict[str, type[Reply] | type[Answer]] = {RESPOND: Reply, ANSWER: Answer}
_EXPECTED = 'Expected {"name": <tool>, "arguments": {<parameter>: <value>, …}}'


class ActionFormat(Protocol):
    """How an assistant turn is written."""

    name: str
    """The value of the `action_format` option."""
    positional: bool
    """Whether arguments have no names, so that it writes a `PositionalCall`, not a `ToolCall`."""

    def parse(self, text: str) -> Action:
        """Return the action that a text means; never raises."""
        ...

    def render(self, action: Action) -> str:
        """Return a text that parses to the action.

        Raises:
            ValueError: If the format cannot say it (code, say).
        """
        ...


class JSONFormat:
    """A JSON object with `name` and `arguments` is a tool call; anything else is a reply.

    The object may stand in a Markdown code fence. Text that begins with ``{`` and is no such object
    is malformed, because nobody speaks to a user like that.
    """

    name = "json"
    positional = False

    def parse(self, text: str) -> Action:
        """Return the action that a text means; never raises."""
        body = text.strip()
        if body.startswith("```") and body.endswith("```"):
            # Not by a regular expression: its time would grow with the cube of the blanks.
            opening, _, rest = body.partition("\n")
            if opening.rstrip() in ("```", "```json"):
                body = rest[:-3].strip()
        if not body.startswith("{"):
            return Reply(text)
        return _parse_call(body, text)

    def render(self, action: Action) -> str:
        """Return a text that parses to the action."""
        if isinstance(action, Malformed):
            return action.text
        if isinstance(action, Reply) and self.parse(action.text) == action:
            return action.text
        return _render_call(self.name, action)


class HermesFormat:
    """A tool call stands between `<tool_call>` and `</tool_call>`, as Hermes and Qwen models write.

    A `<think>…</think>` block at the beginning is dropped: it is not said to the user. Other text
    around a call is ignored, and text without a call is a reply. Exactly one call a turn.
    """

    name = "hermes"
    positional = False
    _THINK = re.compile(r"\s*<think>.*?(?:</think>|\Z)", re.DOTALL)
    _CALL = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)", re.DOTALL)

    def parse(self, text: str) -> Action:
        """Return the action that a text means; never raises."""
        spoken = text
        if thought := self._THINK.match(text):
            spoken = text[thought.end() :].lstrip()
            if not thought[0].endswith("</think>"):
                return Malformed(text, "Expected </think> and then a reply or a tool call")
        calls = self._CALL.findall(spoken)
        if len(calls) > 1:
            return Malformed(text, f"Expected at most one <tool_call> a turn, got {len(calls)}")
        if calls:
            return _parse_call(calls[0].strip(), text)
        if "</tool_call>" in spoken:
            return Malformed(text, "Expected <tool_call> before </tool_call>")
        return Reply(spoken)

    def render(self, action: Action) -> str:
        """Return a text that parses to the action."""
        if isinstance(action, Malformed):
            return action.text
        if isinstance(action, Reply) and self.parse(action.text) == action:
            return action.text
        # In JSON a "<" stands in strings only, where it may be escaped: no text closes the call.
        call = _render_call(self.name, action).replace("</tool_call>", "\\u003c/tool_call>")
        return f"<tool_call>\n{call}\n</tool_call>"


def _shorten(text: str, limit: int = 200) -> str:
    return text if len(text) <= limit else text[:limit] + "…"


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{_shorten(text)} is too large for a number")
    return value


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)


def _parse_call(body: str, text: str) -> Action:
    """Return the action that a JSON object means; `text` is the whole turn."""
    try:
        value, end = _DECODER.raw_decode(body)
        if end != len(body):
            _DECODER.decode(body)  # says what is wrong with the rest
    except (ValueError, RecursionError) as error:
        return Malformed(text, f"{_EXPECTED}, got invalid JSON: {error}")
    if not isinstance(value, dict):
        return Malformed(text, f"{_EXPECTED}, got JSON of type {type(value).__name__}")
    name, arguments = value.get("name"), value.get("arguments", {})
    if not isinstance(name, str):
        return Malformed(text, f'{_EXPECTED}, got an object without a string "name"')
    if not isinstance(arguments, dict):
        kind = type(arguments).__name__
        return Malformed(text, f'{_EXPECTED}, got "arguments" of type {kind}')
    if len(value) > 1 + ("arguments" in value):
        unknown = sorted(value.keys() - {"name", "arguments"})
        return Malformed(text, f"{_EXPECTED}, got further keys {_shorten(str(unknown))}")
    if spoken := _SPOKEN.get(name):
        content = arguments.get("content")
        if not isinstance(content, str) or len(arguments) != 1:
            return Malformed(
                text, f'Expected {{"name": "{name}", "arguments": {{"content": <text>}}}}'
            )
        return spoken(content)
    return ToolCall(name, arguments)


def _render_call(format_name: str, action: Action) -> str:
    match action:
        case ToolCall(name, arguments):
            call: dict[str, Any] = {"name": name, "arguments": arguments}
        case Reply(text):
            call = {"name": RESPOND, "arguments": {"content": text}}
        case Answer(text):
            call = {"name": ANSWER, "arguments": {"content": text}}
        case PositionalCall() | Code() | Malformed():
            raise ValueError(
                f"The action format {format_name!r} cannot render {type(action).__name__}"
            )
    return json.dumps(call)


FORMATS: dict[str, ActionFormat] = {
    "json": JSONFormat(),
    "hermes": HermesFormat(),
    "python": PythonFormat(),
    "m3-text": M3TextFormat(),
    "m3-json": M3JSONFormat(),
    "m3-code": M3CodeFormat(),
}
"""The action formats by name."""


CODE_FORMATS = ("python", "m3-code")
"""Names of the formats in which an agent writes code."""


def action_format(name: str) -> ActionFormat:
    """Return an action format by its name.

    Raises:
        OptionError: If there is none of that name.
    """
    try:
        return FORMATS[name]
    except (KeyError, TypeError):
        expected = ", ".join(FORMATS)
        raise OptionError(f"Expected action_format to be one of {expected}; got {name!r}") from None
