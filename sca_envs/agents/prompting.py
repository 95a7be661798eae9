"""What agents are told: Jinja templates in ``prompts/``, one for each way to write a turn.

An environment tells the policy and the tools but not how the agent should write its turns, because
that is an option of both. A system prompt here is the policy, the tools and that explanation.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from sca_envs.core.errors import OptionError

_PROMPTS = Path(__file__).parent / "prompts"
_TYPES = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "array": "list",
    "object": "dict",
}

_ANSWER_TOOL = {
    "type": "function",
    "function": {
        "name": "answer",
        "description": "Give the final answer.",
        "parameters": {
            "type": "object",
            "properties": {
                "content": {"type": "string", "description": "The answer, without words around it."}
            },
            "required": ["content"],
        },
    },
}


def prompt(name: str, **values: Any) -> str:
    """Return a prompt, the text of ``prompts/NAME.md.jinja`` with values filled in.

    Raises:
        OptionError: If there is no such prompt.
    """
    path = _PROMPTS / f"{name}.md.jinja"
    if not path.is_file():
        known = ", ".join(sorted(file.name.partition(".")[0] for file in _PROMPTS.glob("*.jinja")))
        raise OptionError(f"Expected one of the prompts {known}; got {name!r}")
    text: str = _template(path).render(**values)
    return text.strip()


@cache
def _template(path: Path) -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(path.parent),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # prompts are plain text
    )
    environment.filters |= {"signature": signature, "schema": json.dumps}
    return environment.get_template(path.name)


def system_prompt(name: str, info: dict[str, Any], **values: Any) -> str:
    """Return the system prompt of an episode.

    Args:
        name: Which prompt, such as the name of an action format.
        info: The info of `reset`, with ``policy`` and ``tools``.
        values: Further values that the prompt needs.
    """
    return prompt(
        name,
        policy=info["policy"].strip(),
        tools=[tool["function"] for tool in info["tools"]],
        final_answer=wants_answer(info),
        **values,
    )


def wants_answer(info: dict[str, Any]) -> bool:
    """Return whether a task ends with a final answer, which is for the policy to say.

    Where tasks are made, the policy talks about answers, too, but a submission ends the episode.
    """
    submits = any(tool["function"]["name"] == "submit_task" for tool in info["tools"])
    return "final answer" in info["policy"] and not submits


def native_tools(info: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the schemas of the tools, for a model that is given them apart from the prompt."""
    return [*info["tools"], *([_ANSWER_TOOL] if wants_answer(info) else [])]


def read_aloud(observation: str, info: dict[str, Any]) -> str:
    """Return an observation so that a model sees who speaks, where all come as user messages."""
    source = info["source"]
    if source in ("user", "environment"):
        return observation
    return f"{'Output' if source == 'code' else f'Result of {source}'}:\n{observation}"


def signature(function: dict[str, Any]) -> str:
    """Return a tool as the head of a Python function, such as ``add(a: float, b: float)``."""
    schema = function["parameters"]
    required = schema.get("required", [])
    parts = []
    for name, property_ in schema["properties"].items():
        kind = _TYPES.get(property_.get("type", ""), "object")
        if "enum" in property_:
            kind = f"Literal[{', '.join(map(repr, property_['enum']))}]"
        parts.append(f"{name}: {kind}" + ("" if name in required else " = …"))
    return f"{function['name']}({', '.join(parts)})"


def without_thought(text: str) -> str:
    """Return what a model said without the ``<think>…</think>`` block that it begins with."""
    if not text.lstrip().startswith("<think>"):
        return text
    _, closed, said = text.partition("</think>")
    return said.lstrip() if closed else text
