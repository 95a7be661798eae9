"""Writes the pages that are made of the code: one for each environment, the gallery, a schema.

Run it from a checkout: ``python docs/build.py``. A test compares the pages with what this would
write.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import load_env_creator

import sca_envs
from sca_envs.bench.trajectory import json_schema
from sca_envs.core.mixture import Mixture
from sca_envs.envs.registration import ENVIRONMENTS

DOCS = Path(__file__).parent
SAMPLES = 6
"""Tasks of each environment in the gallery."""


def page_path(env_id: str) -> Path:
    """Return where an environment's page is, relative to the folder of the docs."""
    return Path("environments") / f"{env_id.rpartition('/')[2]}.md"


def environment_page(env_id: str) -> str:
    """Return an environment's page: the docstring of its class, and its tools."""
    env_class: Any = load_env_creator(str(gym.spec(env_id).entry_point))
    lines = [f"# {env_id}", "", inspect.cleandoc(env_class.__doc__), "", "# Tools", ""]
    lines += ["| tool | arguments | what it does |", "|---|---|---|"]
    for name in env_class.names():
        for tool in sca_envs.domain(name).tools.values():
            arguments = ", ".join(f"`{parameter}`" for parameter in tool.parameters["properties"])
            lines.append(f"| `{tool.name}` | {arguments} | {tool.description} |")
    return "\n".join(lines) + "\n"


def gallery() -> str:
    """Return a page with sample tasks of every environment's generator."""
    lines = ["# Gallery", "", "The first generated tasks of each environment, training split."]
    for env_id in ENVIRONMENTS:
        env_class: Any = load_env_creator(str(gym.spec(env_id).entry_point))
        tasks = Mixture([sca_envs.domain(name).tasks("train") for name in env_class.names()])
        lines += ["", f"## {env_id}"]
        for index in range(SAMPLES):
            lines += ["", *_sample(tasks[index])]
    return "\n".join(lines) + "\n"


def _sample(task: sca_envs.Task) -> list[str]:
    calls = [
        f"{action.name}({', '.join(f'{k}={v!r}' for k, v in action.arguments.items())})"
        for action in task.actions
    ]
    if task.expected is not None:
        end = f"The answer: `{task.expected.text}`"
    else:
        said = ", ".join(f"`{output}`" for output in task.outputs) or "nothing in particular"
        end = f"The agent must say: {said}"
    return [
        f"### {task.id} (difficulty {task.difficulty})",
        "",
        f"> {task.instruction}",
        "",
        "Reference solution:",
        "",
        "```text",
        *calls,
        "```",
        "",
        end,
    ]


def main() -> None:
    """Write the pages."""
    for env_id in ENVIRONMENTS:
        path = DOCS / page_path(env_id)
        path.parent.mkdir(exist_ok=True)
        path.write_text(environment_page(env_id), encoding="utf-8")
    (DOCS / "gallery.md").write_text(gallery(), encoding="utf-8")
    schema = json.dumps(json_schema(), indent=1) + "\n"
    (DOCS / "trajectory.schema.json").write_text(schema, encoding="utf-8")


if __name__ == "__main__":
    main()
