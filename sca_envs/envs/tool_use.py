"""The Gymnasium view of an episode in a tool domain."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from typing import Any, ClassVar, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded

from sca_envs.core.actions import Action, Malformed
from sca_envs.core.domain import Domain
from sca_envs.core.episode import Episode, EpisodeSnapshot
from sca_envs.core.errors import OptionError
from sca_envs.core.formats import action_format as find_format
from sca_envs.core.mixture import Mixture
from sca_envs.core.task import Task, TaskSet, TaskSource
from sca_envs.core.task_files import load_tasks
from sca_envs.core.users import NoUser, User, user_factory
from sca_envs.core.verifiers import Verifier
from sca_envs.domains.spec import full_data_name
from sca_envs.envs.options import (
    SEED_LIMIT,
    DomainOption,
    draw_limit,
    load_domains,
    positive,
    runner_for,
)
from sca_envs.envs.render import render_text, show
from sca_envs.envs.spaces import MAX_ACTION_LENGTH, AssistantTurn, Text

_KEPT_OF_HUGE = 200


class EnvSnapshot(NamedTuple):
    """The state of an environment: its episode and its random generator."""

    episode: EpisodeSnapshot | None
    random_state: dict[str, Any]


class ToolUseEnv(gym.Env[str, str]):
    """A domain's tasks as a multi-turn text environment.

    A subclass may name its domain and document it; see `sca_envs.envs.tau_retail.TauRetailEnv`.

    Args:
        domain: The domain, or its name; or several, whose tasks are mixed, each with its domain's
            tools. An id that was registered with `sca_envs.register_env` brings it along.
        data: The data: ``generated``, ``generated:SEED``, or the name of an imported data set.
        split: Which tasks, such as ``train`` or ``test``.
        tasks: Instead of a split: a task set, tasks, or the path of a task file.
        num_tasks: Draw from the first so many tasks only.
        user: ``none``, ``scripted``, an object with the two methods of
            `sca_envs.core.users.User`, or a function that makes one.
        action_format: How a turn is written: a name in `sca_envs.core.formats.FORMATS`.
        max_turns: Most actions in an episode.
        render_mode: ``ansi``, ``human`` or None.

    Raises:
        OptionError: If an option has a value that is not allowed.
        DataNotInstalledError: If the data set was not imported yet.
        TaskFileError: If the task file is broken; the message names the line.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi", "human"], "render_fps": 1}  # noqa: RUF012
    domain_name: ClassVar[str] = ""
    """Name of a subclass's domain in `sca_envs.list_domains`."""
    registered_options: ClassVar[tuple[str, ...]] = ("domain",)
    """Options that belong to an id, so that no run chooses them."""

    def __init__(
        self,
        *,
        domain: DomainOption = None,
        data: str = "generated",
        split: str = "train",
        tasks: TaskSet | Iterable[Task] | str | PathLike[str] | None = None,
        num_tasks: int | None = None,
        user: str | User | Callable[[], User] = "scripted",
        action_format: str = "json",
        max_turns: int = 30,
        render_mode: str | None = None,
    ) -> None:
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            modes = ", ".join(self.metadata["render_modes"])
            raise OptionError(f"Expected render_mode to be {modes} or None; got {render_mode!r}")
        self.render_mode = render_mode
        self.max_turns = positive("max_turns", max_turns)
        self._episode: Episode | None = None
        self.domains = self._find_domains(domain, data)
        self.tasks = self._split(split) if tasks is None else self._own_tasks(tasks)
        self._drawn_from = draw_limit(self.tasks, num_tasks)
        self._format = find_format(action_format)
        self._make_user = user_factory(user)
        self._verifier: Verifier[Episode] | None = None
        self._code_runner = runner_for(self._format)
        self.observation_space: gym.Space[str] = Text()
        self.action_space: gym.Space[str] = self._make_action_space()

    @property
    def domain(self) -> Domain:
        """The domain of the present task; before the first `reset`, the first one."""
        if self._episode is not None:
            return self._episode.domain
        return next(iter(self.domains.values()))

    @property
    def action_format(self) -> str:
        """Name of the format that a turn is written in."""
        return self._format.name

    @property
    def documentation(self) -> str:
        """What there is to know about the environment, as Markdown."""
        return inspect.cleandoc(type(self).__doc__ or "")

    @classmethod
    def resolve_options(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return options with the defaults of those that are left out or None.

        Environments of a class with equal resolved options are alike, however they were written.

        Args:
            options: Keyword arguments of `gymnasium.make`.

        Raises:
            OptionError: If the environment has no such option.
        """
        parameters = dict(inspect.signature(cls).parameters)
        for name in cls.registered_options:
            del parameters[name]
        unknown = sorted(set(options) - set(parameters))
        if unknown:
            raise OptionError(
                f"Expected options out of {', '.join(parameters)}; got {', '.join(unknown)}"
            )
        defaults = {name: parameter.default for name, parameter in parameters.items()}
        given = {name: value for name, value in options.items() if value is not None}
        resolved: dict[str, Any] = defaults | given
        if isinstance(resolved["data"], str):
            resolved["data"] = full_data_name(resolved["data"])
        if resolved.get("tasks") is not None:
            resolved["split"] = None  # the tasks come instead of it
        return resolved

    def _find_domains(self, domain: DomainOption, data: str) -> dict[str, Domain]:
        """Return the domains that tasks come from, by name."""
        return load_domains(domain, self.domain_name, data)

    def _make_action_space(self) -> AssistantTurn:
        first, *others = self.domains.values()
        return AssistantTurn(first, self._format.name, others=others)

    def _split(self, split: str) -> TaskSource:
        sources = [domain.tasks(split) for domain in self.domains.values()]
        return sources[0] if len(sources) == 1 else Mixture(sources)

    def _own_tasks(self, tasks: TaskSet | Iterable[Task] | str | PathLike[str]) -> TaskSet:
        if isinstance(tasks, str | PathLike):
            return load_tasks(tasks, self._check_task)
        found = tasks if isinstance(tasks, TaskSet) else TaskSet(tasks)
        for task in found:
            self._check_task(task)
        return found

    def _check_task(self, task: Task) -> None:
        if task.domain not in self.domains or task.data != self.domain.data:
            raise OptionError(
                f"Expected tasks of {' or '.join(self.domains)} on data {self.domain.data!r}; "
                f"got task {task.id!r} of {task.domain} on {task.data!r}"
            )

    @property
    def episode(self) -> Episode:
        """The present episode.

        Raises:
            ResetNeeded: Before the first `reset`.
        """
        if self._episode is None:
            raise ResetNeeded("Expected reset() before the first use of the episode")
        return self._episode

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Begin an episode.

        Args:
            seed: Fixes the task and everything random about the user.
            options: ``{"task": id or index}`` chooses the task; otherwise it is drawn.

        Returns:
            The user's first message, and `info`.

        Raises:
            OptionError: If an option is unknown.
            UnknownTaskError: If the task does not exist.
        """
        super().reset(seed=seed)
        episode = self._enter(self.begin(*self.draw(self.np_random, options)))
        if self.render_mode == "human":
            show(episode, opening=True)
        return episode.opening, self.describe(episode)

    def _enter(self, episode: Episode) -> Episode:
        """Make an episode the present one."""
        self._episode = episode
        assert isinstance(self.action_space, AssistantTurn)
        self.action_space.domain = episode.domain
        return episode

    # What `reset` and `step` are made of, for views of other episodes than the present one. None of
    # these changes the environment.

    def draw(
        self, rng: np.random.Generator, options: dict[str, Any] | None = None
    ) -> tuple[Task, int]:
        """Return the task of an episode and the seed of its user.

        Args:
            rng: Draws both.
            options: See `reset`.

        Raises:
            OptionError: If an option is unknown.
            UnknownTaskError: If the task does not exist.
        """
        task = self._choose(rng, options or {})
        return task, int(rng.integers(SEED_LIMIT))

    def begin(self, task: Task, seed: int, user: User | None = None) -> Episode:
        """Return a new episode with this environment's options.

        Args:
            task: A task of one of the environment's domains.
            seed: Fixes everything random about the user.
            user: Who speaks to the agent; by default the one of the environment's options.
        """
        return Episode(
            self.domains[task.domain],
            task,
            self._make_user() if user is None else user,
            max_turns=self.max_turns,
            seed=seed,
            verifier=self._verifier,
            code_runner=self._code_runner,
        )

    def _choose(self, rng: np.random.Generator, options: dict[str, Any]) -> Task:
        unknown = options.keys() - {"task"}
        if unknown:
            raise OptionError(
                f"Expected options to have the key 'task' only; got {sorted(unknown)}"
            )
        key = options.get("task")
        if key is None:
            return self.tasks[int(rng.integers(self._drawn_from))]
        if isinstance(key, bool) or not isinstance(key, int | np.integer | str):
            kind = type(key).__name__
            raise OptionError(f"Expected option 'task' to be an id or an index; got {kind}")
        return self.tasks.find(key if isinstance(key, str) else int(key))

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Take one turn of the agent.

        Args:
            action: The text of the turn, in the action format.

        Returns:
            Observation, reward, terminated, truncated and `info`.

        Raises:
            TypeError: If the action is not a string; the episode is as before.
            ResetNeeded: Before the first `reset` and after the end of the episode.
        """
        episode = self.episode
        if episode.done:
            raise ResetNeeded(
                f"Expected reset() after the end of the episode ({episode.termination_reason})"
            )
        outcome = episode.step(self.parse(action))
        if self.render_mode == "human":
            show(episode)
        return *outcome, self.describe(episode)

    def parse(self, action: str) -> Action:
        """Return the action that a text of the environment's action format means.

        Raises:
            TypeError: If it is not a string.
        """
        if not isinstance(action, str):
            raise TypeError(f"Expected an action of type str, got {type(action).__name__}")
        if len(action) > MAX_ACTION_LENGTH:
            problem = f"Expected at most {MAX_ACTION_LENGTH} characters, got {len(action)}"
            return Malformed(action[:_KEPT_OF_HUGE], problem)
        return self._format.parse(action)

    def reference_actions(self) -> list[Action]:
        """Return a solution of the present task, up to the words or the answer that end it."""
        return self.episode.task.reference_turns()

    def render_action(self, action: Action) -> str:
        """Return an action as text in the environment's action format.

        Raises:
            ValueError: If the format cannot say it.
        """
        return self.domain.write(action, self._format)

    def describe(self, episode: Episode) -> dict[str, Any]:
        """Return the `info` of an episode with this environment's options, fresh each time."""
        return {
            "task_id": episode.task.id,
            "turn": 0,  # it has its place here; its value is below
            "tools": list(episode.domain.schemas),
            "policy": episode.domain.policy,
            **self.describe_turn(episode),
        }

    def describe_turn(self, episode: Episode) -> dict[str, Any]:
        """Return the part of the `info` that changes from turn to turn."""
        info: dict[str, Any] = {
            "turn": episode.turn,
            "source": episode.source,
            "termination_reason": episode.termination_reason,
        }
        if episode.done:
            info["reward_components"] = dict(episode.components)
        return info

    def render(self) -> str | None:
        """Return the conversation as text in mode ``ansi``; ``human`` prints each turn as it comes.

        Raises:
            ResetNeeded: In mode ``ansi`` before the first `reset`.
        """
        if self.render_mode is None:
            gym.logger.warn(
                "render() was called without a render mode; expected for instance "
                f'gym.make("{self.spec.id if self.spec else self}", render_mode="ansi")'
            )
        return render_text(self.episode) if self.render_mode == "ansi" else None

    # States

    def snapshot(self) -> EnvSnapshot:
        """Return the present state, to `restore` later here or in a fork."""
        episode = None if self._episode is None else self._episode.snapshot()
        return EnvSnapshot(episode, dict(self.np_random.bit_generator.state))

    def restore(self, snapshot: EnvSnapshot) -> None:
        """Go back to a snapshot of this environment, or of one with the same options."""
        self.np_random.bit_generator.state = snapshot.random_state
        if snapshot.episode is None:
            self._episode = None
            return
        if self._episode is None or self._episode.domain.name != snapshot.episode.task.domain:
            self._enter(self.resume(snapshot.episode))
        else:
            self._episode.restore(snapshot.episode)

    def resume(self, snapshot: EpisodeSnapshot) -> Episode:
        """Return a new episode in the state of a snapshot; see `begin`."""
        episode = self.begin(snapshot.task, 0, NoUser())  # the snapshot has the user
        episode.restore(snapshot)
        return episode

    def fork(self) -> ToolUseEnv:
        """Return an independent environment in the same state, at the cost of what changed."""
        forked = type(self).__new__(type(self))
        forked.__dict__.update(self.__dict__)
        forked._episode = None
        forked._np_random = np.random.default_rng()
        forked.action_space = self._make_action_space()
        forked.observation_space = Text()
        forked.restore(self.snapshot())
        return forked
