"""Checks of what the agent reads before it plays: the policy, and what describes the tools."""

from __future__ import annotations

import inspect
import keyword
import re
from collections.abc import Iterator

import numpy as np

from sca_envs.bench.conformance.report import Finding
from sca_envs.bench.conformance.sample import Sample
from sca_envs.core.errors import ToolError
from sca_envs.core.tools import Tool

_FEWEST_WORDS = 10
"""Fewest words of a policy."""
_TOOL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,63}")  # OpenAI's limit, and Python's rule
_RESERVED = frozenset({"answer", "print"})
"""What code actions call by other means."""
_PLACEHOLDER = re.compile(r"\b(?:TODO|FIXME|XXX)\b|\blorem ipsum\b|\{\w*\}")


def check_policy(sample: Sample) -> Iterator[Finding]:
    """The policy is there."""
    words = len(sample.domain.policy.split())
    if words < _FEWEST_WORDS:
        yield Finding(
            "policy",
            f"the rules of the domain in at least {_FEWEST_WORDS} words",
            f"{words} words" if words else "an empty text",
            "write down what the agent may do and must not do",
        )
    yield from placeholders("policy", sample.domain.policy)


def check_descriptions(sample: Sample) -> Iterator[Finding]:
    """Tools and parameters have names and descriptions."""
    if not sample.domain.tools:
        yield Finding("tools", "at least one tool", "none", "give `tools` of the domain some")
    for key, tool in sample.domain.tools.items():
        where = f"tool {key}"
        if key != tool.name:
            yield Finding(
                where,
                "the tool's own name as its key",
                f"a tool that is called {tool.name!r}",
                "make the tools with `toolset`, which takes care of that",
            )
        if (
            not _TOOL_NAME.fullmatch(tool.name)
            or keyword.iskeyword(tool.name)
            or tool.name in _RESERVED
        ):
            yield Finding(
                where,
                "a name of at most 64 letters, digits and underscores that is no word of Python "
                f"and none of {', '.join(sorted(_RESERVED))}",
                repr(tool.name),
                "rename it",
            )
        if not tool.description.strip():
            yield Finding(
                where,
                "a description",
                "none",
                "say in the function's docstring what it does; the agent reads nothing else",
            )
        yield from placeholders(where, tool.description)
        for name, schema in tool.parameters["properties"].items():
            if not str(schema.get("description", "")).strip():
                yield Finding(
                    f"{where}, parameter {name}",
                    "a description",
                    "none",
                    "describe it in the section Args of the function's docstring",
                )


def check_schemas(sample: Sample) -> Iterator[Finding]:
    """The schemas are those of the functions, and the names that the domain mentions exist."""
    domain = sample.domain
    for key, tool in domain.tools.items():
        yield from _signature(tool, f"tool {key}")
        yield from _defaults(sample, tool, f"tool {key}")
    for name in sorted(domain.terminal_tools - domain.tools.keys()):
        yield Finding(
            "terminal_tools",
            f"names of tools ({', '.join(domain.tools)})",
            repr(name),
            "correct the name; no episode ends by it",
        )
    for name in sorted(domain.view_tables - domain.base.tables.keys()):
        yield Finding(
            "view_tables",
            f"names of tables ({', '.join(domain.base.tables) or 'there are none'})",
            repr(name),
            "correct the name; changes of no table are left out by it",
        )


def _signature(tool: Tool, where: str) -> Iterator[Finding]:
    """Compare a schema with the function that carries it out."""
    taken = dict(list(inspect.signature(tool.function).parameters.items())[1:])
    known = tool.parameters["properties"]
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in taken.values()):
        return
    if list(known) != list(taken):
        yield Finding(
            where,
            f"the parameters of its schema ({', '.join(known) or 'none'}) in its function",
            ", ".join(taken) or "none",
            "make the tool again with `Tool.from_function` of this function",
        )
        return
    optional = {
        name
        for name, parameter in taken.items()
        if parameter.default is not parameter.empty or parameter.kind is parameter.VAR_POSITIONAL
    }
    for name in known:
        if (name in tool.parameters.get("required", [])) == (name in optional):
            yield Finding(
                f"{where}, parameter {name}",
                "a schema that requires it exactly if the function has no default for it",
                "optional in one and required in the other",
                "make the tool again with `Tool.from_function` of this function",
            )


def _defaults(sample: Sample, tool: Tool, where: str) -> Iterator[Finding]:
    """Try the defaults, which nothing compares with the type hints."""
    rng = np.random.default_rng(sample.seed)
    for name, schema in tool.parameters["properties"].items():
        if "default" not in schema:
            continue
        try:
            others = sample.domain.sample_arguments(rng, tool)
        except Exception:  # the check of the samples tells
            return
        try:
            tool.check(others | {name: schema["default"]})
        except ToolError as error:
            if f"{name!r}:" in str(error):
                yield Finding(
                    f"{where}, parameter {name}",
                    "a default that its type hint allows",
                    repr(schema["default"]),
                    "change one of the two, to `str | None = None` for instance",
                )


def placeholders(where: str, text: str) -> Iterator[Finding]:
    """Yield what was left to be filled in."""
    match = _PLACEHOLDER.search(text)
    if match:
        yield Finding(where, "a finished text", f"{match.group()!r} in it", "fill it in")
