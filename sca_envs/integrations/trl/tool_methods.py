"""Environment classes whose methods are the tools, generated from the tools' schemas.

TRL reads a tool's schema off its function: type hints and a Google docstring. So each tool becomes
a function with the signature, the hints and the docstring that give its own schema again. What a
hint cannot say (the fields of nested objects) is said in words.
"""

from __future__ import annotations

import functools
import inspect
import operator
import re
from collections.abc import Callable
from typing import Any, Literal

from sca_envs.core.actions import Action, Answer, Malformed, Reply, ToolCall
from sca_envs.core.errors import OptionError
from sca_envs.core.formats import ANSWER, RESPOND, action_format
from sca_envs.core.tools import Tool
from sca_envs.envs.tool_use import ToolUseEnv
from sca_envs.integrations.trl.episodes import Rollout

MALFORMED = "_malformed"
"""Argument under which a tokeniser that was prepared hands over a call that nobody can read."""
UNKNOWN = "_unknown"
"""Argument under which it hands over a call of a tool that does not exist: name and arguments."""

_TYPES = {"string": str, "integer": int, "number": float, "boolean": bool, "object": dict}
_SAID: dict[str, tuple[type[Reply] | type[Answer], str, str]] = {
    RESPOND: (Reply, "Say something to the user and read the answer.", "What to say."),
    ANSWER: (Answer, "Give the final answer.", "The answer, without words around it."),
}


class ToolRollout(Rollout):
    """A rollout in which every action is a tool call of TRL's loop.

    That loop ends with the first message that calls no tool. If the episode is not over then, the
    message counts as a reply to the user, which may end it.
    """

    def _finish(self, completion: Any) -> None:
        last = completion[-1] if isinstance(completion, list) and completion else {}
        if self._done() or last.get("role") != "assistant" or last.get("tool_calls"):
            return
        action = action_format("hermes").parse(str(last.get("content") or ""))
        if isinstance(action, Malformed) or (isinstance(action, Reply) and action.text.strip()):
            self._step(action)

    def _call(self, name: str, arguments: dict[str, Any]) -> str:
        """Return what the model reads after a call, whether it can be carried out or not."""
        if MALFORMED in arguments:
            text, problem = arguments[MALFORMED]
            return self._act(Malformed(text, problem))
        if UNKNOWN in arguments:
            name, arguments = arguments[UNKNOWN]
            return self._act(ToolCall(name, arguments))
        return self._act(ToolCall(name, arguments))

    def _say(self, name: str, arguments: dict[str, Any]) -> str:
        if MALFORMED in arguments or UNKNOWN in arguments:
            return self._call(name, arguments)
        content = arguments.get("content")
        if len(arguments) != 1 or not isinstance(content, str):
            problem = f"invalid arguments for {name}: expected one, 'content', of type string"
            return self._act(Malformed(str(arguments), problem))
        action: Action = _SAID[name][0](content)
        return self._act(action)


def tool_rollout(
    env: ToolUseEnv, domain: str, label: str, *, talks: bool, answers: bool
) -> type[ToolRollout]:
    """Return an environment class for TRL with a method for each tool of a domain.

    Args:
        env: Begins the episodes.
        domain: Name of one of its domains.
        label: What metrics call the environment.
        talks: Whether there is somebody to talk to, so that there is a method ``respond``.
        answers: Whether tasks have a final answer, so that there is a method ``answer``.

    Raises:
        OptionError: If a tool has a name that TRL or these classes need.
    """
    tools = env.domains[domain].tools
    methods: dict[str, Any] = {tool.name: _method(tool) for tool in tools.values()}
    said = [name for name, wanted in ((RESPOND, talks), (ANSWER, answers)) if wanted]
    for name in said:
        if name in methods:
            raise OptionError(f"Expected no tool called {name!r} in {domain}; TRL cannot tell them")
        methods[name] = _speaking(name)
    for name in methods:
        if name in ("reset", "get_reward") or name.startswith("_") or not name.isidentifier():
            raise OptionError(f"Expected tools whose names TRL can use; {domain} has {name!r}")
    class_name = "".join(word.capitalize() for word in re.split(r"[^A-Za-z0-9]+", label))
    doc = f"Tasks of {domain} for TRL."
    return type(
        class_name, (ToolRollout,), {**methods, "_env": env, "_label": label, "__doc__": doc}
    )


def _method(tool: Tool) -> Callable[..., str]:
    """Return a tool as a method that TRL can read."""

    def method(self: ToolRollout, /, **arguments: Any) -> str:
        return self._call(tool.name, arguments)

    return _dress(method, tool.name, tool.description, tool.parameters)


def _speaking(name: str) -> Callable[..., str]:
    """Return the method that talks to the user or answers."""

    def method(self: ToolRollout, /, **arguments: Any) -> str:
        return self._say(name, arguments)

    _, description, about = _SAID[name]
    content = {"content": {"type": "string", "description": about}}
    return _dress(method, name, description, {"properties": content, "required": ["content"]})


def _dress(
    method: Callable[..., str], name: str, description: str, schema: dict[str, Any]
) -> Callable[..., str]:
    """Give a function the name, signature, hints and docstring of a schema."""
    properties: dict[str, Any] = schema["properties"]
    required = schema.get("required", [])
    hints: dict[str, Any] = {key: _hint(value) for key, value in properties.items()}
    # Hints are matched by name, but a parameter without a default may not follow one with.
    ordered = sorted(properties, key=lambda key: key not in required)
    parameters = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)]
    for key in ordered:
        default = inspect.Parameter.empty if key in required else None
        parameters.append(
            inspect.Parameter(
                key, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hints[key]
            )
        )
    lines = [description]
    if properties:
        lines += ["", "Args:"]
        lines += [f"    {key}: {_about(value)}" for key, value in properties.items()]
    method.__name__ = method.__qualname__ = name
    method.__doc__ = "\n".join(lines)
    method.__annotations__ = {**{key: hints[key] for key in ordered}, "return": str}
    method.__signature__ = inspect.Signature(parameters, return_annotation=str)  # type: ignore[attr-defined]
    return method


def _hint(schema: dict[str, Any]) -> Any:
    """Return the type hint of a JSON schema."""
    if "enum" in schema:
        return Literal[tuple(schema["enum"])]
    if "anyOf" in schema:
        return functools.reduce(operator.or_, (_hint(one) for one in schema["anyOf"]))
    kind = schema.get("type")
    if kind == "array":
        items = schema.get("items")
        return list[_hint(items)] if items else list  # type: ignore[misc]
    if kind == "null":
        return type(None)
    return _TYPES.get(str(kind), Any)


def _about(schema: dict[str, Any]) -> str:
    """Return the description of a parameter on one line, with the fields of nested objects."""
    text = " ".join(str(schema.get("description", "")).split()) or "A value."
    nested = schema.get("items", schema)
    if fields := nested.get("properties"):
        told = (
            f"{name} ({field.get('type', 'any')}: {' '.join(field.get('description', '').split())})"
            for name, field in fields.items()
        )
        text = f"{text} {'Each' if 'items' in schema else 'It'} has {', '.join(told)}"
    return text
