"""A worker: an agent with its environments, which plays the episodes that an engine hands it."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium as gym

from sca_envs.bench.agents import AgentReport, NoopAgent, RandomAgent, ReferenceAgent, StopRun
from sca_envs.bench.evaluating.recording import Finished, Job, Recording
from sca_envs.bench.evaluating.watched_user import WatchedUsers
from sca_envs.bench.loading import Maker
from sca_envs.core.errors import OptionError, SCAError
from sca_envs.core.secrets import keep_environment_secrets, redact
from sca_envs.envs.tool_use import ToolUseEnv

BATCH_SIZE = 16
"""How many episodes a batched agent plays at once unless it says otherwise."""
_LONGEST = 20_000
"""Characters at the beginning and at the end of a traceback that are kept."""


def _make_human(env: gym.Env[str, str]) -> Any:
    from sca_envs.bench.human import HumanAgent

    return HumanAgent(env.unwrapped)  # type: ignore[arg-type]


AGENTS: dict[str, Callable[..., Any]] = {
    "reference": ReferenceAgent,
    "noop": NoopAgent,
    "random": RandomAgent,
    "human": _make_human,
}
"""The built-in agents by name."""


@dataclass(frozen=True)
class WorkerSpec:
    """What a worker is made of: plain data that travels to another process."""

    env_id: str
    """Id of the environment."""
    env_options: Mapping[str, Any]
    """Keyword arguments of `gymnasium.make`, in JSON, as trajectories show them."""
    agent: Maker
    """Makes the agent."""
    agent_name: str
    """What trajectories call it."""
    user: Maker | None = None
    """Makes the user, if it is no built-in one."""
    tasks: Any = None
    """The tasks, if they are given neither by split nor by file."""
    render: bool = False
    """Whether each turn is printed as it comes."""

    def keep_secrets(self) -> None:
        """Remember the secrets in the options and the environment variables of this process."""
        keep_environment_secrets()
        for options in (self.env_options, *(one.options for one in (self.agent, self.user) if one)):
            redact(dict(options))

    def make_env(self) -> ToolUseEnv:
        """Return an environment.

        Raises:
            SCAError: If an option is wrong or something is missing.
        """
        options = dict(self.env_options)
        if self.user is not None:
            options["user"] = WatchedUsers(self.user)
        if self.tasks is not None:
            options["tasks"] = self.tasks
        if self.render:
            options["render_mode"] = "human"
        env = gym.make(self.env_id, disable_env_checker=True, **options).unwrapped
        if not isinstance(env, ToolUseEnv):
            raise OptionError(f"Expected an environment of tasks with tools; {self.env_id} is none")
        return env

    def make_agent(self, env: ToolUseEnv) -> Any:
        """Return an agent; it gets the environment if it has a parameter ``env``.

        Raises:
            OptionError: If there is no such agent, or it lacks a method of the protocol.
        """
        agent = self.agent.make(env=env)
        self._check_methods(agent, type(agent).__name__)
        return agent

    def check_agent(self) -> None:
        """Find what is wrong with the agent's name, options and methods without making it.

        Raises:
            OptionError: If something is.
        """
        target = self.agent.check("env")
        if isinstance(target, type):
            self._check_methods(target, target.__name__)

    def _check_methods(self, agent: Any, name: str) -> None:
        for method in ("reset", _act_method(agent)):
            if not callable(getattr(agent, method, None)):
                raise OptionError(
                    "Expected an agent with methods reset(observation, info) and "
                    f"act(observation, info); {self.agent_name!r} gave {name} without {method}"
                )


def _act_method(agent: Any) -> str:
    return "act_batch" if callable(getattr(agent, "act_batch", None)) else "act"


def _traceback(error: Exception) -> str:
    text = "".join(traceback.format_exception(error))
    if len(text) > 2 * _LONGEST:
        text = f"{text[:_LONGEST]}\n[…]\n{text[-_LONGEST:]}"
    return redact(text)


class Worker:
    """Plays episodes, many at once if the agent is a batched one.

    Args:
        spec: What it is made of.
    """

    def __init__(self, spec: WorkerSpec) -> None:
        self._spec = spec
        spec.keep_secrets()
        self._free = [spec.make_env()]
        self._agent = spec.make_agent(self._free[0])
        self._batched = _act_method(self._agent) == "act_batch"
        self.batch_size = (
            int(getattr(self._agent, "batch_size", BATCH_SIZE)) if self._batched else 1
        )
        """Most episodes at once."""
        self._header = {
            "env_id": spec.env_id,
            "env_options": redact(dict(spec.env_options)),
            "agent": spec.agent_name,
        }
        if spec.agent.options:
            self._header["agent_options"] = redact(dict(spec.agent.options))
        if spec.user is not None and spec.user.options:
            self._header["user_options"] = redact(dict(spec.user.options))

    def play(self, jobs: Iterator[Job]) -> Iterator[Finished]:
        """Play episodes and yield each as it ends; a job is taken when there is room for it.

        Args:
            jobs: The episodes, in any order.

        Raises:
            StopRun: If the agent wants no more.
            SCAError: If an option, a task or the agent's report is wrong.
        """
        if not self._batched:
            yield from self._play_singly(jobs)
            return
        running: list[tuple[ToolUseEnv, Recording]] = []
        more = True
        while more or running:
            while more and len(running) < self.batch_size:
                job = next(jobs, None)
                if job is None:
                    more = False
                    break
                env = self._free.pop() if self._free else self._spec.make_env()
                recording = Recording(env, job, self._header)
                running.append((env, recording))
                self._begin(recording)
            self._act([recording for _, recording in running if not recording.done])
            ended = [(env, recording) for env, recording in running if recording.done]
            if ended:
                running = [(env, recording) for env, recording in running if not recording.done]
            for env, recording in ended:
                finished = self._finish(recording)
                self._free.append(env)
                yield finished

    def _play_singly(self, jobs: Iterator[Job]) -> Iterator[Finished]:
        env, act = self._free[0], self._agent.act
        for job in jobs:
            recording = Recording(env, job, self._header)
            self._begin(recording)
            while not recording.done:
                try:
                    action = act(recording.observation, recording.info)
                except StopRun:
                    raise
                except Exception as error:
                    recording.fail("agent_error", error)
                else:
                    recording.step(action)
            yield self._finish(recording)

    def close(self) -> None:
        """Close the agent, if it has a method for it."""
        close = getattr(self._agent, "close", None)
        if callable(close):
            close()

    def _begin(self, recording: Recording) -> None:
        recording.begin()
        if not recording.done:
            try:
                self._agent.reset(recording.observation, recording.info)
            except StopRun:
                raise
            except Exception as error:
                recording.fail("agent_error", error)

    def _act(self, recordings: list[Recording]) -> None:
        """Let a batched agent act once in each of these episodes."""
        if not recordings:
            return
        try:
            actions = self._act_batch(recordings)
        except StopRun:
            raise
        except Exception as error:  # a batch fails as a whole
            for recording in recordings:
                recording.fail("agent_error", error)
            return
        for recording, action in zip(recordings, actions, strict=True):
            recording.step(action)

    def _act_batch(self, recordings: list[Recording]) -> list[Any]:
        actions = self._agent.act_batch(
            [recording.observation for recording in recordings],
            [recording.info for recording in recordings],
        )
        if len(actions) != len(recordings):
            raise ValueError(
                f"Expected act_batch to return {len(recordings)} actions, got {len(actions)}"
            )
        return list(actions)

    def _finish(self, recording: Recording) -> Finished:
        line, summary = recording.finish(self._report(recording))
        error = recording.error
        problem = None if error is None else _traceback(error)
        return Finished(recording.job, line, summary, problem)

    def _report(self, recording: Recording) -> AgentReport | None:
        report = getattr(self._agent, "report", None)
        if not callable(report):
            return None
        try:
            told = report(recording.observation, recording.info)
        except Exception as error:
            if recording.error is not None:  # it never came to a report
                return None
            raise SCAError(
                f"Expected report(observation, info) of agent {self._spec.agent_name!r} to return "
                f"an AgentReport or None; it raised {type(error).__name__}: "
                f"{redact(str(error))}"
            ) from error
        if told is not None and not isinstance(told, AgentReport):
            raise SCAError(
                f"Expected report(observation, info) of agent {self._spec.agent_name!r} to return "
                f"an AgentReport or None; got {type(told).__name__}"
            )
        return told
