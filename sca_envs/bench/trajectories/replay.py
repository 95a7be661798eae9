"""Replaying trajectories: the same actions in the same environment, and what comes out differently.

A reward that somebody edited, an observation that never was, a domain whose tools changed since:
a replay finds each and says in which turn. Of a task that is another one by now it says just that.
It needs the environment and its data, not the agent. A user who is no built-in one is not asked
again; its words are taken from the trajectory.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sca_envs.bench.evaluating.player import PlayerSpec
from sca_envs.bench.evaluating.recording import EpisodeSpec, Recording
from sca_envs.bench.loading import Factory
from sca_envs.bench.trajectories.trajectory import (
    AGENT_TIMEOUT,
    INFRASTRUCTURE_ERROR,
    Trajectory,
    TrajectoryTurn,
)
from sca_envs.core.conversation import UserTurn
from sca_envs.core.database import canonical_json
from sca_envs.core.errors import (
    InfrastructureError,
    OptionError,
    SCAError,
    UnknownTaskError,
)
from sca_envs.core.task import Task
from sca_envs.core.task_files import load_tasks
from sca_envs.core.users import USERS
from sca_envs.envs.registration import check_id
from sca_envs.envs.tool_use import ToolUseEnv

_HEADER = ("domain", "data", "data_digest", "split", "instruction", "opening")
_END = ("reward", "reward_components", "termination_reason", "truncated")
_TURN = ("observation", "source", "reward", "changes")
OTHER_VERSION = "task, made by another version"
"""What differs where the task is not the one that was played."""
_BREAKS = ("agent_error", AGENT_TIMEOUT, "environment_error", INFRASTRUCTURE_ERROR)
"""Ends that may come between two turns."""


@dataclass(frozen=True)
class Difference:
    """One thing that a replay gave differently."""

    turn: int | None
    """Index of the turn, from 0; None for the episode as a whole."""
    what: str
    """What differs, such as ``observation`` or ``reward``."""
    recorded: Any
    """What the trajectory says."""
    replayed: Any
    """What the replay gave."""

    def __str__(self) -> str:
        where = "episode" if self.turn is None else f"turn {self.turn}"
        return (
            f"{where}, {self.what}: recorded {_shorten(self.recorded)}, "
            f"replayed {_shorten(self.replayed)}"
        )


@dataclass(frozen=True)
class Replay:
    """What a replay of one trajectory gave."""

    trajectory: Trajectory
    """The trajectory."""
    differences: list[Difference] = field(default_factory=list)
    """What came out differently; empty if nothing did."""
    reward: float | None = None
    """The reward of the replay; None if it could not be played to where the trajectory ends."""
    user_recorded: bool = False
    """Whether the user's words were taken from the trajectory, and so not verified."""

    @property
    def ok(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    @property
    def other_version(self) -> bool:
        """Whether the task is not the one that was played, so that nothing could be compared."""
        return any(difference.what == OTHER_VERSION for difference in self.differences)


def replay(
    trajectory: Trajectory, tasks: str | os.PathLike[str] | Iterable[Task] | None = None
) -> Replay:
    """Run a trajectory again and compare observations, sources, changes, rewards and the end.

    Args:
        trajectory: The trajectory; one that says nonsense gives differences, not an error.
        tasks: The tasks, if they came from a file; by default the file that the trajectory names.

    Raises:
        SCAError: If the data or the file with the tasks is missing.
    """
    return Replayer(tasks).replay(trajectory)


class Replayer:
    """Replays many trajectories; environments are made once.

    Args:
        tasks: The tasks of all trajectories, if they came from a file.
    """

    def __init__(self, tasks: str | os.PathLike[str] | Iterable[Task] | None = None) -> None:
        if isinstance(tasks, str | os.PathLike):
            tasks = load_tasks(tasks)
        self._tasks = None if tasks is None else tuple(tasks)
        self._envs: dict[str, tuple[ToolUseEnv, RecordedUsers]] = {}

    def replay(self, trajectory: Trajectory) -> Replay:
        """Run a trajectory again; see `replay`."""
        try:
            env, users = self._env(trajectory)
        except (OptionError, TypeError) as error:
            return Replay(trajectory, [Difference(None, "environment", None, str(error))])
        users.trajectory, users.turn = trajectory, 0
        spec = EpisodeSpec(trajectory.task_id, trajectory.trial, trajectory.seed)
        header = {"env_id": trajectory.env_id, "env_options": trajectory.env_options}
        recording = Recording(env, spec, {**header, "agent": trajectory.agent})
        try:
            recording.begin()
        except (UnknownTaskError, ValueError) as error:
            return Replay(trajectory, [Difference(None, "task", trajectory.task_id, str(error))])
        played, present = trajectory.task_digest, env.tasks.find(trajectory.task_id).digest
        if played not in (None, present):
            return Replay(trajectory, [Difference(None, OTHER_VERSION, played, present)])
        again, problem = _play(recording, trajectory, users)
        differences = [*_compare(trajectory, again), *problem]
        reward = None if problem else again.reward
        return Replay(
            trajectory, differences, reward, trajectory.env_options.get("user") not in USERS
        )

    def _env(self, trajectory: Trajectory) -> tuple[ToolUseEnv, RecordedUsers]:
        env_id = check_id(trajectory.env_id)
        options = dict(trajectory.env_options)
        key = canonical_json([trajectory.env_id, options])
        if key not in self._envs:
            if "tasks" in options and self._tasks is None:
                self._check_tasks(options["tasks"])
            users = RecordedUsers()
            builtin = options.setdefault("user", "scripted") in USERS
            spec = PlayerSpec(
                env_id=env_id,
                env_options=options | {"action_format": options.get("action_format", "json")},
                agent=Factory("agent", "none"),
                agent_name="none",
                user=None if builtin else Factory("user", users),
                tasks=self._tasks if "tasks" in options else None,
            )
            self._envs[key] = spec.make_env(), users
        return self._envs[key]

    @staticmethod
    def _check_tasks(path: Any) -> None:
        if not isinstance(path, str) or not os.path.isfile(path):
            raise SCAError(
                f"Expected the tasks of the trajectory in {path}, found none there; give the task "
                "file (--tasks)"
            )


class RecordedUsers:
    """Makes users that say what the users of a trajectory said."""

    def __init__(self) -> None:
        self.trajectory: Trajectory | None = None
        """The trajectory."""
        self.turn = 0
        """The turn that is being played."""

    def __call__(self) -> RecordedUser:
        """Return the user of the trajectory."""
        return RecordedUser(self)


class RecordedUser:
    """Says again what the user of a trajectory said in the same turn.

    Args:
        recorded: The trajectory and the turn.
    """

    def __init__(self, recorded: RecordedUsers) -> None:
        self._recorded = recorded

    def reset(self, task: Task, seed: int) -> str:
        """Return the recorded opening."""
        trajectory = self._recorded.trajectory
        assert trajectory is not None
        if not trajectory.turns:
            self._fail(trajectory)
        return trajectory.opening

    def respond(self, message: str) -> UserTurn:
        """Return the recorded answer, and the end if it is the last one."""
        trajectory, turn = self._recorded.trajectory, self._recorded.turn
        assert trajectory is not None
        said = trajectory.turns[turn].observation
        if turn < len(trajectory.turns) - 1 or trajectory.truncated:
            return UserTurn(said)
        self._fail(trajectory)
        # What broke off the episode between two turns, or spoilt its verdict, is not the user's.
        reason = trajectory.termination_reason
        end = dict.fromkeys(_BREAKS) | {"verifier_error": "user_stop"}
        return UserTurn(said, end.get(reason, reason))

    @staticmethod
    def _fail(trajectory: Trajectory) -> None:
        error = trajectory.error
        if error is not None and error.kind == "user_error":
            raise _RecordedError
        # It is the user's model that was not reached if the error is the user's.
        if error is not None and (error.kind, error.type) == (INFRASTRUCTURE_ERROR, "UserError"):
            raise InfrastructureError


class _RecordedError(Exception):
    """Stands for what the user raised."""


def _play(
    recording: Recording, trajectory: Trajectory, users: RecordedUsers
) -> tuple[Trajectory, list[Difference]]:
    """Play the recorded actions; return what came out, and whether the end is another one."""
    for index, turn in enumerate(trajectory.turns):
        if recording.done:
            break
        users.turn = index
        recording.step(turn.action)
    problems = []
    played = recording.turns_played
    if played < len(trajectory.turns):
        problems.append(Difference(None, "turns", len(trajectory.turns), played))
    broken_off = trajectory.termination_reason in _BREAKS
    if not recording.done:
        if not broken_off:
            reason = trajectory.termination_reason
            problems.append(Difference(None, "end", reason, "the episode goes on"))
        recording.fail("agent_error", _RecordedError())
    line, _ = recording.finish()
    again = Trajectory.from_line(line)
    if broken_off and again.termination_reason == "agent_error":
        again.termination_reason = trajectory.termination_reason
    return again, problems


def _compare(recorded: Trajectory, replayed: Trajectory) -> Iterator[Difference]:
    for name in _HEADER:
        yield from _differ(None, name, getattr(recorded, name), getattr(replayed, name))
    for index, (old, new) in enumerate(zip(recorded.turns, replayed.turns, strict=False)):
        yield from _compare_turns(index, old, new)
    for number, (one, other) in enumerate(zip(recorded.messages, replayed.messages, strict=False)):
        yield from _differ(None, f"messages[{number}]", one, other)
    yield from _differ(None, "number of messages", len(recorded.messages), len(replayed.messages))
    for name in _END:
        yield from _differ(None, name, getattr(recorded, name), getattr(replayed, name))


def _compare_turns(index: int, old: TrajectoryTurn, new: TrajectoryTurn) -> Iterator[Difference]:
    for name in _TURN:
        before, after = getattr(old, name), getattr(new, name)
        if name == "changes":
            before = [change.model_dump() for change in before]
            after = [change.model_dump() for change in after]
        yield from _differ(index, name, before, after)


def _differ(turn: int | None, what: str, recorded: Any, replayed: Any) -> Iterator[Difference]:
    if canonical_json(recorded) != canonical_json(replayed):
        yield Difference(turn, what, recorded, replayed)


def _shorten(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return repr(text) if len(text) <= 200 else f"{text[:200]!r}… ({len(text)} characters)"
