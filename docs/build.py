"""Writes the pages that are made of the code: one for each environment, the gallery, a schema.

Run it from a checkout: ``python docs/build.py``. A test compares the pages with what this would
write.
"""

from __future__ import annotations

import json
from pathlib import Path

import gymnasium as gym

import sca_envs
from sca_envs.bench.leaderboard.submission import submission_schema
from sca_envs.bench.trajectories.trajectory import json_schema
from sca_envs.challenge.task import CodeAsTask, VerifiedTask
from sca_envs.envs.challenger import ChallengerEnv
from sca_envs.envs.code_as_task import CodeAsTaskEnv
from sca_envs.envs.registration import environment_ids
from sca_envs.envs.tool_use import ToolUseEnv

DOCS = Path(__file__).parent
OUR_IDS = [env_id for env_id in environment_ids() if env_id.startswith("sca/")]
SAMPLES = 6
"""Tasks of each environment in the gallery."""


def page_path(env_id: str) -> Path:
    """Return where an environment's page is, relative to the folder of the docs."""
    return Path("environments") / f"{env_id.rpartition('/')[2]}.md"


def environment_page(env_id: str) -> str:
    """Return an environment's page: the docstring of its class, and its tools."""
    env = _make(env_id)
    lines = [f"# {env_id}", "", env.documentation, "", "# Tools", ""]
    if isinstance(env, CodeAsTaskEnv):
        return "\n".join([*lines, "Those of the task's domain.", ""])
    lines += ["| tool | arguments | what it does |", "|---|---|---|"]
    for domain in env.domains.values():
        for tool in domain.tools.values():
            arguments = ", ".join(f"`{parameter}`" for parameter in tool.parameters["properties"])
            lines.append(f"| `{tool.name}` | {arguments} | {tool.description} |")
    return "\n".join(lines) + "\n"


def gallery() -> str:
    """Return a page with sample tasks of every environment's generator."""
    lines = ["# Gallery", "", "The first generated tasks of each environment, training split."]
    for env_id in OUR_IDS:
        env = _make(env_id)
        if isinstance(env, ChallengerEnv):
            continue  # it is the agent who makes tasks there
        lines += ["", f"## {env_id}"]
        for index in range(2 if isinstance(env, CodeAsTaskEnv) else SAMPLES):
            lines += ["", *_sample(env.tasks[index])]
    return "\n".join(lines) + "\n"


def _make(env_id: str) -> ToolUseEnv:
    env = gym.make(env_id, disable_env_checker=True).unwrapped
    assert isinstance(env, ToolUseEnv)
    return env


def _sample(task: sca_envs.Task) -> list[str]:
    if isinstance(task, VerifiedTask):
        return _code_sample(task)
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


def _code_sample(task: VerifiedTask) -> list[str]:
    lines = [f"### {task.id}", "", f"> {task.instruction}"]
    for name, source in (("Verification function", task.verify), ("Solution", task.solution)):
        lines += ["", f"{name}:", "", "```text", *str(source).strip().splitlines(), "```"]
    return lines


def main() -> None:
    """Write the pages."""
    for env_id in OUR_IDS:
        path = DOCS / page_path(env_id)
        path.parent.mkdir(exist_ok=True)
        path.write_text(environment_page(env_id), encoding="utf-8")
    (DOCS / "gallery.md").write_text(gallery(), encoding="utf-8")
    schema = json.dumps(json_schema(), indent=1) + "\n"
    (DOCS / "trajectory.schema.json").write_text(schema, encoding="utf-8")
    schema = json.dumps(CodeAsTask.model_json_schema(), indent=1) + "\n"
    (DOCS / "code_as_task.schema.json").write_text(schema, encoding="utf-8")
    schema = json.dumps(submission_schema(), indent=1) + "\n"
    (DOCS / "submission.schema.json").write_text(schema, encoding="utf-8")


if __name__ == "__main__":
    main()
