"""The child process of `compare_tau_bench.py` that runs this project on tau-bench's tasks.

Each work is done in the kernel (`Episode`), and again through the Gymnasium environment as
`gym.make` gives it. The user is the same stand-in as the original's.
"""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable, Iterable
from typing import Any

import compare_worker as worker
import gymnasium as gym

import sca_envs
from sca_envs import Action, Episode, Reply, Task, ToolCall, UserTurn

_ENV = "sca/TauRetail-v0"
_RESETS = 200
_EPISODES = 20
_STEPS = 20
_FORKS = 40
_FURTHER_EPISODES = 1000


class StandIn:
    """A user that says its instruction and stops at the first reply."""

    def reset(self, task: Task, seed: int) -> str:
        """Begin a task."""
        return task.instruction

    def respond(self, message: str) -> UserTurn:
        """Answer a message of the agent."""
        return UserTurn(worker.STOP, "user_stop")


class Ours:
    """The retail domain on tau-bench's data and test tasks."""

    def __init__(self) -> None:
        self._domain = sca_envs.domain("tau_retail", data="tau-bench")
        self._tasks = self._domain.tasks("test")
        self._envs = [self._new_env() for _ in range(_FORKS)]

    @staticmethod
    def _new_env() -> gym.Env[str, str]:
        return gym.make(_ENV, data="tau-bench", split="test", user=StandIn)

    def _begin(self, task: Task) -> Episode:
        return Episode(self._domain, task, StandIn())

    def _solution(self, task: Task) -> list[Action]:
        """Return the reference actions and, if none of them ends the episode, a last reply."""
        actions: list[Action] = []
        for action in task.actions:
            actions.append(action.to_call())
            if action.name == worker.TRANSFER:
                return actions
        return [*actions, Reply(worker.closing_words(task.outputs))]

    def _texts(self, actions: Iterable[Action]) -> list[str]:
        render: Callable[[Action], str] = self._envs[0].get_wrapper_attr("render_action")
        return [render(action) for action in actions]

    def describe(self) -> dict[str, str]:
        """Return package names and versions."""
        names = ("gymnasium", "numpy", "pydantic")
        versions = {name: importlib.metadata.version(name) for name in names}
        return {"sca-envs": sca_envs.__version__, **versions}

    def tool_calls(self) -> list[tuple[str, dict[str, Any]]]:
        """Return calls of every tool that reads, and of one that refuses to write."""
        tables = self._domain.base.tables
        order_id, order = next(
            (key, order)
            for key, order in tables["orders"].items()
            if order["status"] == "delivered"
        )
        user_id, item = order["user_id"], order["items"][0]
        user = tables["users"][user_id]
        return [
            ("get_user_details", {"user_id": user_id}),
            ("get_order_details", {"order_id": order_id}),
            ("get_product_details", {"product_id": item["product_id"]}),
            ("find_user_id_by_email", {"email": user["email"]}),
            ("find_user_id_by_name_zip", {**user["name"], "zip": user["address"]["zip"]}),
            ("list_all_product_types", {}),
            ("calculate", {"expression": f"({item['price']} + 26.49) * 2"}),
            ("think", {"thought": "The order was delivered, so it can be returned."}),
            ("cancel_pending_order", {"order_id": order_id, "reason": "no longer needed"}),
        ]

    def writing_tasks(self, tasks: int) -> list[int]:
        """Return the indices of the first tasks whose last tool call changes the database."""
        return [index for index in range(tasks) if self._ends_with_write(self._tasks[index])]

    def _ends_with_write(self, task: Task) -> bool:
        if not task.actions or task.actions[-1].name == worker.TRANSFER:
            return False
        database = self._domain.database()
        for action in task.actions[:-1]:
            self._domain.call(database, action.name, action.arguments)
        before = database.fork()
        self._domain.call(database, task.actions[-1].name, task.actions[-1].arguments)
        return database != before

    def prepare(self, work: str, case: Any) -> worker.Batch:
        """Return work to time, with the index of a task or a tool call as its case."""
        match work:
            case "reset":
                return self._resets(self._tasks[case])
            case "reset, Gymnasium":
                return self._env_resets(case)
            case "tool step":
                return self._tool_steps(ToolCall(*case))
            case "tool step, Gymnasium":
                return self._env_tool_steps(ToolCall(*case))
            case "write step":
                return self._writes(self._tasks[case])
            case "terminal step":
                return self._last_steps(self._tasks[case], cached=True)
            case "terminal step, uncached":
                return self._last_steps(self._tasks[case], cached=False)
            case "terminal step, Gymnasium":
                return self._env_last_steps(case)
            case "episode":
                return self._episodes(self._tasks[case])
            case "episode, Gymnasium":
                return self._env_episodes(case)
        raise ValueError(f"Expected a work of ours, got {work!r}")

    def _resets(self, task: Task) -> worker.Batch:
        def run() -> None:
            for _ in range(_RESETS):
                self._begin(task)

        return worker.Batch(run, _RESETS)

    def _env_resets(self, case: int) -> worker.Batch:
        def run() -> None:
            for _ in range(_RESETS):
                self._envs[0].reset(options={"task": case})

        return worker.Batch(run, _RESETS)

    def _tool_steps(self, call: ToolCall) -> worker.Batch:
        episodes = [self._begin(self._tasks[0]) for _ in range(_EPISODES)]

        def run() -> None:
            for episode in episodes:
                for _ in range(_STEPS):
                    episode.step(call)

        return worker.Batch(run, _EPISODES * _STEPS)

    def _env_tool_steps(self, call: ToolCall) -> worker.Batch:
        (text,) = self._texts([call])
        envs = self._envs[:_EPISODES]
        for env in envs:
            env.reset(options={"task": 0})

        def run() -> None:
            for env in envs:
                for _ in range(_STEPS):
                    env.step(text)

        return worker.Batch(run, _EPISODES * _STEPS)

    def _writes(self, task: Task) -> worker.Batch:
        *before, write = self._solution(task)[:-1]
        return self._on_forks(self._play(task, before), write)

    def _last_steps(self, task: Task, *, cached: bool) -> worker.Batch:
        *before, last = self._solution(task)
        episode = self._play(task, before)
        self._domain.reference_state(task)
        if cached:
            return self._on_forks(episode, last)
        # The state is cached by the task's identity.
        return self._on_forks(episode, last, task.model_copy)

    def _play(self, task: Task, actions: Iterable[Action]) -> Episode:
        episode = self._begin(task)
        for action in actions:
            episode.step(action)
        return episode

    @staticmethod
    def _on_forks(
        episode: Episode, action: Action, new_task: Callable[[], Task] | None = None
    ) -> worker.Batch:
        forks = [episode.fork() for _ in range(_FORKS)]
        for fork in forks:
            fork.task = new_task() if new_task else fork.task

        def run() -> None:
            for fork in forks:
                fork.step(action)

        return worker.Batch(run, _FORKS)

    def _env_last_steps(self, case: int) -> worker.Batch:
        task = self._tasks[case]
        *before, last = self._texts(self._solution(task))
        for env in self._envs:
            env.reset(options={"task": case})
            for text in before:
                env.step(text)
        self._domain.reference_state(task)

        def run() -> None:
            for env in self._envs:
                env.step(last)

        return worker.Batch(run, _FORKS)

    def _episodes(self, task: Task) -> worker.Batch:
        actions = self._solution(task)

        def run() -> None:
            for _ in range(_EPISODES):
                episode = self._begin(task)
                for action in actions:
                    episode.step(action)

        return worker.Batch(run, _EPISODES)

    def _env_episodes(self, case: int) -> worker.Batch:
        texts = self._texts(self._solution(self._tasks[case]))
        env = self._envs[0]

        def run() -> None:
            for _ in range(_EPISODES):
                env.reset(options={"task": case})
                for text in texts:
                    env.step(text)

        return worker.Batch(run, _EPISODES)

    def play(self, task: int, reference: bool) -> list[list[Any]]:
        """Return (observation, reward, done) of the opening and every step of an episode."""
        actions = self._solution(self._tasks[task])
        episode = self._begin(self._tasks[task])
        record: list[list[Any]] = [[episode.opening, 0.0, False]]
        for action in actions if reference else actions[-1:]:
            step = episode.step(action)
            record.append([step.observation, step.reward, step.terminated])
        return record

    def look_up(self, name: str, arguments: dict[str, Any]) -> str:
        """Return the observation of a tool call in task 0."""
        return self._begin(self._tasks[0]).step(ToolCall(name, arguments)).observation

    def memory(self) -> dict[str, float]:
        """Return the bytes of a further episode by name of the measurement."""
        task = self._tasks[worker.MEMORY_TASK]
        write = task.actions[-1].to_call()
        (text,) = self._texts([write])

        def make_env() -> gym.Env[str, str]:
            env = self._new_env()
            env.reset(options={"task": worker.MEMORY_TASK})
            return env

        kernel = worker.weigh(
            lambda: self._begin(task), lambda episode: episode.step(write), _FURTHER_EPISODES
        )
        envs = worker.weigh(make_env, lambda env: env.step(text), _FURTHER_EPISODES // 10)
        return {
            "episode": kernel[0],
            "episode, after a write": kernel[1],
            "environment": envs[0],
            "environment, after a write": envs[1],
        }


if __name__ == "__main__":
    worker.serve(Ours(), sys.stdin)
