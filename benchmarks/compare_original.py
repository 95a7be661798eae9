"""The child process of `compare_tau_bench.py` that runs the original tau-bench.

It imports the original from a checkout and changes nothing in it. The original's users are language
models behind `litellm`, so an empty module takes that name and a deterministic user takes theirs.
"""

from __future__ import annotations

import importlib.metadata
import sys
import types
from typing import Any

import compare_worker as worker

_TOOL_REPETITIONS = 200
_WRITE_REPETITIONS = 8
_FURTHER_EPISODES = 20


class StandIn:
    """A user that says its instruction and stops at the first reply."""

    def reset(self, instruction: str | None = None) -> str:
        """Begin a task."""
        return instruction or ""

    def step(self, content: str) -> str:
        """Answer a message of the agent."""
        return worker.STOP

    def get_total_cost(self) -> float:
        """Return what the user cost."""
        return 0.0


class Original:
    """The original's retail environment on its test tasks.

    Args:
        checkout: The folder that has `tau_bench`.
    """

    def __init__(self, checkout: str) -> None:
        litellm = types.ModuleType("litellm")
        litellm.completion = None  # type: ignore[attr-defined]
        sys.modules["litellm"] = litellm
        sys.path.insert(0, checkout)
        from tau_bench.envs.retail import MockRetailDomainEnv
        from tau_bench.types import Action

        self._make_env, self._make_action = MockRetailDomainEnv, Action
        self._env = self._new_env()
        self._write_envs = [self._new_env() for _ in range(_WRITE_REPETITIONS)]

    def _new_env(self) -> Any:
        env = self._make_env(user_strategy="human", task_split="test", task_index=0)
        env.user = StandIn()
        return env

    def _solution(self, task: int) -> tuple[list[Any], Any]:
        """Return the actions before the last one, and the last one."""
        wanted = self._env.tasks[task]
        before: list[Any] = []
        for action in wanted.actions:
            if action.name == worker.TRANSFER:
                return before, action
            before.append(action)
        words = worker.closing_words(wanted.outputs)
        return before, self._make_action(name="respond", kwargs={"content": words})

    def describe(self) -> dict[str, str]:
        """Return package names and versions."""
        return {"pydantic": importlib.metadata.version("pydantic")}

    def prepare(self, work: str, case: Any) -> worker.Batch:
        """Return work to time, with the index of a task or a tool call as its case."""
        env = self._env
        match work:
            case "reset":
                return worker.Batch(lambda: env.reset(case), 1)
            case "tool step":
                env.reset(0)
                name, arguments = case
                action = self._make_action(name=name, kwargs=arguments)
                return worker.Batch(lambda: self._repeat(action), _TOOL_REPETITIONS)
            case "write step":
                return self._writes(case)
            case "terminal step":
                before, last = self._solution(case)
                self._run(env, case, before)
                return worker.Batch(lambda: env.step(last), 1)
            case "episode":
                before, last = self._solution(case)
                return worker.Batch(lambda: self._run(env, case, [*before, last]), 1)
        raise ValueError(f"Expected a work of the original, got {work!r}")

    def _repeat(self, action: Any) -> None:
        for _ in range(_TOOL_REPETITIONS):
            self._env.step(action)

    def _writes(self, task: int) -> worker.Batch:
        *before, write = self._solution(task)[0]
        for env in self._write_envs:
            self._run(env, task, before)

        def run() -> None:
            for env in self._write_envs:
                env.step(write)

        return worker.Batch(run, _WRITE_REPETITIONS)

    @staticmethod
    def _run(env: Any, task: int, actions: list[Any]) -> None:
        env.reset(task)
        for action in actions:
            env.step(action)

    def play(self, task: int, reference: bool) -> list[list[Any]]:
        """Return (observation, reward, done) of the opening and every step of an episode."""
        before, last = self._solution(task)
        record: list[list[Any]] = [[self._env.reset(task).observation, 0.0, False]]
        for action in [*before, last] if reference else [last]:
            step = self._env.step(action)
            record.append([step.observation, float(step.reward), step.done])
        return record

    def look_up(self, name: str, arguments: dict[str, Any]) -> str:
        """Return the observation of a tool call in task 0."""
        self._env.reset(0)
        action = self._make_action(name=name, kwargs=arguments)
        observation: str = self._env.step(action).observation
        return observation

    def memory(self) -> dict[str, float]:
        """Return the bytes of a further episode by name of the measurement."""
        write = self._env.tasks[worker.MEMORY_TASK].actions[-1]

        def make() -> Any:
            env = self._new_env()
            env.reset(worker.MEMORY_TASK)
            return env

        made, changed = worker.weigh(make, lambda env: env.step(write), _FURTHER_EPISODES)
        return {"episode": made, "episode, after a write": changed}


if __name__ == "__main__":
    worker.serve(Original(sys.argv[1]), sys.stdin)
