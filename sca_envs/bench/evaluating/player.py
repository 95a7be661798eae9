"""A player: an agent with its environments, which plays the episodes that an engine hands it."""

from __future__ import annotations

import contextlib
import os
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

import gymnasium as gym

from sca_envs.bench.agents import AgentReport, NoopAgent, RandomAgent, ReferenceAgent, StopRun
from sca_envs.bench.evaluating.guarded_user import WatchedUsers
from sca_envs.bench.evaluating.recording import (
    AgentTimeoutError,
    EpisodeRecord,
    EpisodeSpec,
    Recording,
)
from sca_envs.bench.loading import Factory
from sca_envs.core.engines import RunnerSpec, Take
from sca_envs.core.errors import OptionError, SCAError
from sca_envs.core.secrets import keep_environment_secrets, redact
from sca_envs.envs.tool_use import ToolUseEnv

if TYPE_CHECKING:
    from sca_envs.bench.evaluating.agent_thread import AgentThread

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
class PlayerSpec(RunnerSpec[EpisodeSpec, EpisodeRecord]):
    """What a player is made of: plain data that travels to another process."""

    env_id: str
    """Id of the environment."""
    env_options: Mapping[str, Any]
    """Keyword arguments of `gymnasium.make`, in JSON, as trajectories show them."""
    agent: Factory
    """Makes the agent."""
    agent_name: str
    """What trajectories call it."""
    user: Factory | None = None
    """Makes the user, if it is no built-in one."""
    tasks: Any = None
    """The tasks, if they are given neither by split nor by file."""
    render: bool = False
    """Whether each turn is printed as it comes."""
    episode_timeout: float | None = None
    """Seconds that the agent may take in an episode; None is without end."""

    @property
    def time_limit(self) -> float | None:  # type: ignore[override]
        """Seconds that the agent may take in an episode."""
        return self.episode_timeout

    def make(self, seat: int | None) -> Player:
        """Return a player."""
        return Player(self)

    def describe(self, job: EpisodeSpec) -> str:
        """Return what errors call an episode."""
        return f"episode {job.episode_id}"

    def expire(self, job: EpisodeSpec) -> EpisodeRecord:
        """Return the episode of an agent that stopped its whole process; its turns are lost."""
        assert self.episode_timeout is not None
        recording = Recording(self.make_env(), job, self.header)
        recording.begin()
        if not recording.done:
            recording.expire(self.episode_timeout)
        return EpisodeRecord(job, *recording.finish(), None)

    @property
    def header(self) -> dict[str, Any]:
        """What all trajectories of the run have in common."""
        header: dict[str, Any] = {
            "env_id": self.env_id,
            "env_options": redact(dict(self.env_options)),
            "agent": self.agent_name,
        }
        if self.agent.options:
            header["agent_options"] = redact(dict(self.agent.options))
        if self.user is not None and self.user.options:
            header["user_options"] = redact(dict(self.user.options))
        return header

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
    text = "".join(traceback.format_exception(type(error), error, _outside(error)))
    if len(text) > 2 * _LONGEST:
        text = f"{text[:_LONGEST]}\n[…]\n{text[-_LONGEST:]}"
    return redact(text)


class Player:
    """Plays episodes, many at once if the agent is a batched one.

    With a limit to its time, the agent has a thread of its own from its making to its end. If it
    does not come back in time the player is `spent`: the episodes that waited for it end, and
    another player has to play the rest.

    Args:
        spec: What it is made of.
    """

    def __init__(self, spec: PlayerSpec) -> None:
        self._spec = spec
        spec.keep_secrets()
        self._limit = spec.episode_timeout
        self._thread: AgentThread | None = None
        self._playing: list[Recording] = []
        """The episodes that wait for the agent whenever it is called."""
        self.spent = False
        """Whether the agent was left behind; no more episodes are played."""
        self._free = [spec.make_env()]
        if self._limit is None:
            self._agent = spec.make_agent(self._free[0])
        else:
            from sca_envs.bench.evaluating.agent_thread import AgentThread

            self._thread = AgentThread()
            self._agent = self._thread.call(spec.make_agent, self._free[0])
        self._batched = _act_method(self._agent) == "act_batch"
        self.capacity = int(getattr(self._agent, "batch_size", BATCH_SIZE)) if self._batched else 1
        """Most episodes at once."""
        self._header = spec.header

    def run(self, take: Take[EpisodeSpec]) -> Iterator[tuple[int, EpisodeRecord]]:
        """Play episodes; see `Runner.run`.

        Raises:
            StopRun: If the agent wants no more.
            SCAError: If an option, a task or the agent's report is wrong.
        """
        running: list[tuple[int, ToolUseEnv, Recording]] = []
        while True:
            while not self.spent and len(running) < self.capacity:
                if (item := take(not running)) is None:
                    break
                env = self._free.pop() if self._free else self._spec.make_env()
                recording = Recording(env, item.job, self._header)
                running.append((item.number, env, recording))
                self._playing.append(recording)
                self._begin(recording)
            if not running:
                return
            self._act([recording for *_, recording in running if not recording.done])
            ended = [one for one in running if one[2].done]
            if ended:
                running = [one for one in running if not one[2].done]
                self._playing = [recording for *_, recording in running]
            for number, env, recording in ended:
                record = self._finish(recording)
                self._free.append(env)
                yield number, record

    def close(self) -> None:
        """Close the agent, if it has a method for it."""
        close = getattr(self._agent, "close", None)
        if callable(close) and not self.spent:
            self._playing = []
            with contextlib.suppress(AgentTimeoutError):
                self._call(close)
        if self._thread is not None:
            self._thread.close()

    def _call(self, method: Callable[..., Any], *arguments: Any) -> Any:
        """Call the agent, for as long as an episode that waits for it may still go on.

        Raises:
            AgentTimeoutError: If it takes longer. Then all of them have ended.
        """
        if self._thread is None or self._limit is None:
            return method(*arguments)
        waiting = [recording for recording in self._playing if not recording.done]
        left = max((self._limit - one.agent_seconds for one in waiting), default=self._limit)
        start = time.monotonic()
        try:
            value = self._thread.call(method, *arguments, seconds=max(0.0, left))
        except AgentTimeoutError:
            self.spent = True
            self._thread.abandon()
            for recording in waiting:
                recording.expire(self._limit)
            raise
        finally:
            passed = time.monotonic() - start
            for recording in waiting:
                recording.agent_seconds += passed
        for recording in waiting:
            if recording.agent_seconds > self._limit:
                recording.expire(self._limit)
        return value

    def _begin(self, recording: Recording) -> None:
        recording.begin()
        if not recording.done:
            try:
                self._call(self._agent.reset, recording.observation, recording.info)
            except StopRun:
                raise
            except Exception as error:
                _blame(recording, error)

    def _act(self, recordings: list[Recording]) -> None:
        """Let the agent act once in each of these episodes."""
        if not recordings:
            return
        try:
            if self._batched:
                actions = self._act_batch(recordings)
            else:
                (only,) = recordings
                actions = [self._call(self._agent.act, only.observation, only.info)]
        except StopRun:
            raise
        except Exception as error:  # a batch fails as a whole
            for recording in recordings:
                _blame(recording, error)
            return
        for recording, action in zip(recordings, actions, strict=True):
            if not recording.done:
                recording.step(action)

    def _act_batch(self, recordings: list[Recording]) -> list[Any]:
        actions = self._call(
            self._agent.act_batch,
            [recording.observation for recording in recordings],
            [recording.info for recording in recordings],
        )
        if len(actions) != len(recordings):
            raise ValueError(
                f"Expected act_batch to return {len(recordings)} actions, got {len(actions)}"
            )
        return list(actions)

    def _finish(self, recording: Recording) -> EpisodeRecord:
        line, summary = recording.finish(self._report(recording))
        error = recording.error
        problem = None
        if error is not None and not isinstance(error, AgentTimeoutError):
            problem = _traceback(error)
        return EpisodeRecord(recording.spec, line, summary, problem)

    def _report(self, recording: Recording) -> AgentReport | None:
        report = getattr(self._agent, "report", None)
        if not callable(report) or self.spent:
            return None
        try:
            told = self._call(report, recording.observation, recording.info)
        except AgentTimeoutError:  # the verdict stands
            return None
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


def _blame(recording: Recording, error: Exception) -> None:
    """End an episode by the agent's error, unless it has ended because the agent did not return."""
    if not recording.done:
        recording.fail("agent_error", error)


def _outside(error: Exception) -> TracebackType | None:
    """Return the traceback without our own calls, which depend on how the agent is called."""
    ours = os.path.dirname(__file__)
    at = error.__traceback__
    while at is not None and os.path.dirname(at.tb_frame.f_code.co_filename) == ours:
        at = at.tb_next
    return at
