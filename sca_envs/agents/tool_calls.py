"""Native tool calls as a model wrote them: as text for an environment, and in a chat."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from sca_envs.agents.endpoint import CalledTool
from sca_envs.core.actions import Malformed, ToolCall
from sca_envs.core.formats import ActionFormat


def render_call(call: CalledTool, format: ActionFormat) -> str:
    """Return a native tool call as text, such that what is malformed in it stays so.

    Args:
        call: The call, with a name and arguments that may be anything.
        format: The environment's action format, ``json`` or ``hermes``.
    """
    arguments = _parse_arguments(call)
    if arguments is not None:
        return format.render(ToolCall(call.name, arguments))
    for raw in (call.arguments, json.dumps(call.arguments)):
        text = f'{{"name": {json.dumps(call.name)}, "arguments": {raw}}}'
        if format.name == "hermes":
            text = f"<tool_call>\n{text}\n</tool_call>"
        if isinstance(format.parse(text), Malformed):
            break
    return text


def message_calls(calls: Sequence[CalledTool]) -> list[dict[str, Any]]:
    """Return calls as ``tool_calls`` of an assistant's message in the chat's history.

    Servers refuse names and arguments that are none, so what is malformed is written as a
    well-formed call.
    """
    written = []
    for call in calls:
        arguments = call.arguments.strip() or "{}"
        if _parse_arguments(call) is None:
            arguments = json.dumps({"malformed": call.arguments})
        name = re.sub(r"[^a-zA-Z0-9_-]", "_", call.name)[:64] or "unnamed"
        function = {"name": name, "arguments": arguments}
        written.append({"id": call.id, "type": "function", "function": function})
    return written


def _parse_arguments(call: CalledTool) -> dict[str, Any] | None:
    """Return a call's arguments, or None if they are no JSON object."""
    try:
        value = json.loads(call.arguments.strip() or "{}")
        json.dumps(value)  # as deep as can be written, too
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
