"""Many episodes in one process, as a Gymnasium vector environment.

`gymnasium.vector.SyncVectorEnv` holds an environment with its wrappers for each episode and adds up
their infos key by key. This one holds the episodes themselves, which all share the domain's data,
schemas and policy. What comes out is the same.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from sca_envs.core.episode import Episode, EpisodeSnapshot, Outcome
from sca_envs.core.errors import OptionError
from sca_envs.core.frozen import freeze
from sca_envs.core.users import User
from sca_envs.envs.registration import environment_class
from sca_envs.envs.render import render_text, show
from sca_envs.envs.spaces import AssistantTurn
from sca_envs.envs.tool_use import ToolUseEnv
from sca_envs.envs.vector_infos import Info, batch_infos

Observations = tuple[str, ...]
Floats = np.ndarray[Any, np.dtype[np.float64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Seeds = int | Sequence[int | None] | None

_LISTED = 10


class VectorSnapshot(NamedTuple):
    """The state of a vector environment: its episodes and their random generators."""

    episodes: tuple[EpisodeSnapshot, ...]
    random_states: tuple[dict[str, Any], ...]


class ToolUseVectorEnv(VectorEnv[Observations, Sequence[str], np.ndarray[Any, Any]]):
    """Many episodes of one environment, stepped one after the other in this process.

    Observations, rewards, ends and infos are those of `gymnasium.vector.SyncVectorEnv` from the
    same seeds. `gymnasium.make_vec` makes one unless told otherwise::

        envs = gym.make_vec("sca/TauRetail-v0", num_envs=1024, split="train")
        observations, infos = envs.reset(seed=0)

    Actions and observations are tuples of strings. `reset` takes a seed (episode `i` gets
    ``seed + i``) or one for each episode, and ``options={"reset_mask": mask, …}`` begins only
    those episodes anew where the mask, a Boolean array of shape ``(num_envs,)``, is true.

    Args:
        make_env: Makes an environment of keyword options, such as its class.
        num_envs: Number of episodes.
        autoreset_mode: When an episode that ended is followed by another: at the next step, whose
            action is ignored for it (``NextStep``); at once, its end in ``infos["final_obs"]`` and
            ``infos["final_info"]`` (``SameStep``); or when `reset` says so (``Disabled``).
        **options: The environment's options. A `user` for several episodes is a name, a class or
            a function that makes one: they cannot share a user.

    Raises:
        OptionError: If an option has a value that is not allowed.
        DataNotInstalledError: If the data set was not imported yet.
        TaskFileError: If the task file is broken; the message names the line.
    """

    def __init__(
        self,
        make_env: Callable[..., ToolUseEnv],
        *,
        num_envs: int = 1,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        **options: Any,
    ) -> None:
        if isinstance(num_envs, bool) or not isinstance(num_envs, int) or num_envs < 1:
            raise OptionError(f"Expected num_envs to be an integer from 1; got {num_envs!r}")
        user = options.get("user")
        if num_envs > 1 and isinstance(user, User) and not isinstance(user, type):
            raise OptionError(
                "Expected user to be a name, a class or a function that makes one, because "
                f"{num_envs} episodes cannot share a user; got {user!r}"
            )
        self.num_envs = num_envs
        self.autoreset_mode = _autoreset_mode(autoreset_mode)
        self._env = make_env(**options)  # has the options; its own episode is not used
        self._episodes: list[Episode] = []
        self._rngs: list[np.random.Generator | None] = [None] * num_envs
        self._seeds: list[int] = [-1] * num_envs
        # Key -> array of what an episode's infos say from its beginning to its end.
        self._fixed: dict[str, np.ndarray[Any, np.dtype[np.object_]]] = {}
        self.render_mode = self._env.render_mode
        self.metadata = {**self._env.metadata, "autoreset_mode": self.autoreset_mode}
        self.single_observation_space = self._env.observation_space
        self.single_action_space = self._env.action_space
        self._make_spaces()

    def _make_spaces(self) -> None:
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)

    @property
    def episodes(self) -> tuple[Episode, ...]:
        """The present episodes.

        Raises:
            ResetNeeded: Before the first `reset`.
        """
        self._require_reset()
        return tuple(self._episodes)

    @property  # type: ignore[misc]
    def np_random(self) -> tuple[np.random.Generator, ...]:  # type: ignore[override]
        """The random generator of each episode, as in `gymnasium.vector.SyncVectorEnv`."""
        self._seed(None, range(self.num_envs))
        return tuple(rng for rng in self._rngs if rng is not None)

    @property
    def np_random_seed(self) -> tuple[int, ...]:  # type: ignore[override]
        """The seed of each episode's random generator."""
        self._seed(None, range(self.num_envs))
        return tuple(self._seeds)

    def reset(
        self, *, seed: Seeds = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, Info]:
        """Begin all episodes, or those of a mask.

        Args:
            seed: An integer, from which the episodes' seeds are counted; or one or None for each
                episode. It fixes tasks and users, and those of the episodes that follow.
            options: ``{"reset_mask": mask}`` chooses the episodes, and ``{"task": id or index}``
                their task.

        Returns:
            The newest text of each episode, and the infos of those that began.

        Raises:
            OptionError: If the seeds or options are not as said; all episodes stay as they were.
            UnknownTaskError: If the task does not exist; likewise.
            ResetNeeded: If there is a mask and never was a reset without one.
        """
        options = dict(options or {})
        chosen = self._chosen(options.pop("reset_mask", None))
        self._seed(seed, chosen)
        begun = {i: self._new_episode(i, options) for i in chosen}  # all of them, or none
        if not self._episodes:
            self._episodes = list(begun.values())
        infos: list[Info] = [{} for _ in range(self.num_envs)]
        for i, episode in begun.items():
            self._enter(i, episode)
            infos[i] = self._env.describe(episode)
        return tuple(episode.observation for episode in self._episodes), batch_infos(infos)

    def step(self, actions: Sequence[str]) -> tuple[Observations, Floats, Mask, Mask, Info]:
        """Take one turn in every episode.

        Args:
            actions: The text of each turn, in the action format.

        Returns:
            Observations, rewards, terminations, truncations and infos.

        Raises:
            OptionError: If there are more or fewer actions than episodes; they are as before.
            TypeError: If an action is not a string; the episodes are as before.
            ResetNeeded: Before the first `reset`, and in mode ``Disabled`` after the end of an
                episode; the episodes are as before.
        """
        self._check(actions)
        env, episodes = self._env, self._episodes
        at_once = self.autoreset_mode is AutoresetMode.SAME_STEP
        steps: list[Outcome] = []
        infos: list[Info] = []
        for i, action in enumerate(actions):
            episode = episodes[i]
            end: Info | None = None
            if episode.done:
                episode = self._enter(i, self._new_episode(i))
                step = Outcome(episode.opening, 0.0, False, False)
            else:
                step = episode.step(env.parse(action))
                if self.render_mode == "human":
                    show(episode)
                if at_once and episode.done:
                    end = {"final_obs": step.observation, "final_info": env.describe(episode)}
                    episode = self._enter(i, self._new_episode(i))
                    step = step._replace(observation=episode.opening)
            steps.append(step)
            info = env.describe_turn(episode)
            infos.append(info if end is None else end | info)
        observations, rewards, terminated, truncated = zip(*steps, strict=True)
        return (
            observations,
            np.array(rewards, dtype=np.float64),
            np.array(terminated, dtype=np.bool_),
            np.array(truncated, dtype=np.bool_),
            self._fixed_infos() | batch_infos(infos),
        )

    def _fixed_infos(self) -> Info:
        """Return the infos that stay the same through an episode."""
        infos: Info = {}
        for key, column in self._fixed.items():
            infos[key], infos[f"_{key}"] = column.copy(), np.ones(self.num_envs, dtype=np.bool_)
        return infos

    def _check(self, actions: Sequence[str]) -> None:
        """Raise if a step cannot be taken, before any episode has changed."""
        self._require_reset()
        if isinstance(actions, str):
            raise TypeError(f"Expected {self.num_envs} actions of type str, got one str")
        if len(actions) != self.num_envs:
            raise OptionError(f"Expected {self.num_envs} actions, got {len(actions)}")
        if self.autoreset_mode is AutoresetMode.DISABLED:
            over = [str(i) for i, episode in enumerate(self._episodes) if episode.done]
            if over:
                raise ResetNeeded(
                    "Expected reset(options={'reset_mask': …}) after the end of the episodes "
                    f"{', '.join(over[:_LISTED])}{', …' if len(over) > _LISTED else ''}"
                )
        for i, action in enumerate(actions):
            if not isinstance(action, str) and not self._episodes[i].done:
                kind = type(action).__name__
                raise TypeError(f"Expected actions of type str, got {kind} for episode {i}")

    def _new_episode(self, i: int, options: dict[str, Any] | None = None) -> Episode:
        rng = self._rngs[i]
        assert rng is not None
        return self._env.begin(*self._env.draw(rng, options))

    def _enter(self, i: int, episode: Episode) -> Episode:
        """Make an episode one of the present ones."""
        self._episodes[i] = episode
        self._set_up(i)
        if self.render_mode == "human":
            show(episode, opening=True)
        return episode

    def _set_up(self, i: int) -> None:
        """Learn what stays the same through an episode."""
        episode = self._episodes[i]
        assert isinstance(self.action_space, gym.spaces.Tuple)
        space = self.action_space.spaces[i]
        assert isinstance(space, AssistantTurn)
        space.domain = episode.domain
        changing = self._env.describe_turn(episode)
        for key, value in self._env.describe(episode).items():
            if key not in changing:
                column = self._fixed.setdefault(key, np.full(self.num_envs, None, dtype=object))
                column[i] = freeze(value)

    def _require_reset(self) -> None:
        if not self._episodes:
            raise ResetNeeded("Expected reset() before the first use of the episodes")

    def _chosen(self, mask: Any) -> list[int]:
        """Return the numbers of the episodes that a reset begins."""
        if mask is None:
            return list(range(self.num_envs))
        self._require_reset()
        shape = (self.num_envs,)
        if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.shape != shape:
            kind = f"{mask.dtype} {mask.shape}" if isinstance(mask, np.ndarray) else repr(mask)
            raise OptionError(
                f"Expected option 'reset_mask' to be a NumPy array of bool and shape {shape}; "
                f"got {kind}"
            )
        if not mask.any():
            raise OptionError("Expected option 'reset_mask' to be true somewhere")
        return [int(i) for i in mask.nonzero()[0]]

    def _seed(self, seeds: Seeds, chosen: Iterable[int]) -> None:
        """Seed the random generators of episodes; without a seed only those that have none yet."""
        if seeds is None or isinstance(seeds, int | np.integer):
            first = seeds
            seeds = [None if first is None else int(first) + i for i in range(self.num_envs)]
        if len(seeds) != self.num_envs:
            raise OptionError(f"Expected one seed or {self.num_envs}; got {len(seeds)}")
        for i in chosen:
            if seeds[i] is not None or self._rngs[i] is None:
                self._rngs[i], self._seeds[i] = seeding.np_random(seeds[i])

    def render(self) -> tuple[Any, ...]:
        """Return each conversation as text in mode ``ansi``; ``human`` prints every turn at once.

        Raises:
            ResetNeeded: In mode ``ansi`` before the first `reset`.
        """
        if self.render_mode != "ansi":
            return (None,) * self.num_envs
        return tuple(map(render_text, self.episodes))

    # States

    def snapshot(self) -> VectorSnapshot:
        """Return the present state, to `restore` later here or in a fork.

        Raises:
            ResetNeeded: Before the first `reset`.
        """
        return VectorSnapshot(
            tuple(episode.snapshot() for episode in self.episodes),
            tuple(dict(rng.bit_generator.state) for rng in self.np_random),
        )

    def restore(self, snapshot: VectorSnapshot) -> None:
        """Go back to a snapshot of this vector environment, or of one with the same options."""
        self._episodes = [self._env.resume(episode) for episode in snapshot.episodes]
        for i in range(self.num_envs):
            self._set_up(i)
        for rng, state in zip(self.np_random, snapshot.random_states, strict=True):
            rng.bit_generator.state = state

    def fork(self) -> ToolUseVectorEnv:
        """Return an independent vector environment in the same state."""
        forked = copy.copy(self)
        forked._rngs, forked._seeds = [None] * self.num_envs, list(self._seeds)
        forked._fixed = {}
        forked._make_spaces()
        forked.restore(self.snapshot())
        return forked


def _autoreset_mode(value: AutoresetMode | str) -> AutoresetMode:
    try:
        return AutoresetMode(value)
    except ValueError:
        expected = ", ".join(repr(mode.value) for mode in AutoresetMode)
        raise OptionError(f"Expected autoreset_mode to be {expected}; got {value!r}") from None


def __getattr__(name: str) -> Callable[..., ToolUseVectorEnv]:
    """Return the vector entry point of an environment id, such as ``sca/TauRetail-v0``.

    Gymnasium looks entry points up as text, so that a spec can be saved; a class in each
    environment's module would do nothing else.
    """
    if name in gym.registry:
        return functools.partial(ToolUseVectorEnv, environment_class(name))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
