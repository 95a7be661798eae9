"""A tokeniser whose reading of tool calls never loses one.

TRL takes a tool call that it cannot read for plain text, which ends the rollout without a word, and
answers the call of a tool that does not exist by itself. Here both become calls that reach the
episode, which answers them, counts them and takes a turn for them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from sca_envs.core.actions import Malformed, ToolCall
from sca_envs.core.formats import action_format
from sca_envs.integrations.trl.tool_methods import MALFORMED, UNKNOWN

_EXPECTED = (
    "Expected a tool call as a JSON object with a string `name` and an object `arguments`, in the "
    "form that the system message shows"
)


class _Reading:
    """Replaces `parse_response` of one tokeniser."""

    def __init__(self, tokenizer: Any, parse: Callable[..., Any]) -> None:
        self._tokenizer = tokenizer
        self._parse = parse

    def __call__(self, ids: Any, *args: Any, **options: Any) -> Any:
        tools = options.get("tools")
        try:
            parsed = self._parse(ids, *args, **options)
            problem = None
        except (ValueError, TypeError) as error:
            parsed, problem = None, f"{_EXPECTED}; got {_first_line(error)}"
        if not tools:
            if parsed is None:
                raise ValueError(problem)
            return parsed
        names = [getattr(tool, "__name__", "") for tool in tools]
        if isinstance(parsed, dict) and parsed.get("tool_calls"):
            calls = [self._check(call, names) for call in _listed(parsed["tool_calls"])]
            return {**parsed, "tool_calls": calls}
        text: str = self._tokenizer.decode(ids, skip_special_tokens=True)
        action = action_format("hermes").parse(text)
        if isinstance(action, Malformed):
            problem = problem or action.problem
        elif isinstance(action, ToolCall) and action.name not in names:
            return _said(_call(names[0], {UNKNOWN: [action.name, action.arguments]}))
        if problem is None:
            return parsed
        return _said(_call(names[0], {MALFORMED: [text, problem]}))

    def _check(self, call: Any, names: Sequence[str]) -> dict[str, Any]:
        """Return a call that TRL can carry out."""
        function = call.get("function", call) if isinstance(call, dict) else {}
        name, arguments = function.get("name"), function.get("arguments")
        if arguments is None:
            arguments = {}
        if not isinstance(name, str) or not isinstance(arguments, dict):
            text = json.dumps(call, default=str)
            return _call(names[0], {MALFORMED: [text, f"{_EXPECTED}; got {text[:200]}"]})
        if name not in names:
            return _call(names[0], {UNKNOWN: [name, arguments]})
        # Only the tokeniser says that a call is one of the above, never the model.
        told = {key: value for key, value in arguments.items() if key not in (MALFORMED, UNKNOWN)}
        return _call(name, told)


def prepare(tokenizer: Any) -> Any:
    """Return the tokeniser, which from now on hands over tool calls that cannot be carried out.

    Args:
        tokenizer: A tokeniser of transformers; changed in place, once.
    """
    if not isinstance(getattr(tokenizer, "parse_response", None), _Reading):
        tokenizer.parse_response = _Reading(tokenizer, tokenizer.parse_response)
    return tokenizer


def _listed(calls: Any) -> list[Any]:
    return calls if isinstance(calls, list) else [calls]


def _call(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "arguments": arguments}}


def _said(call: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": "", "tool_calls": [call]}


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
