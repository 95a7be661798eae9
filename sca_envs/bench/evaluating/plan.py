"""The plan of a run: its options, its tasks, and the seed of each episode."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any

import sca_envs
from sca_envs.bench.evaluating.guarded_user import WatchedUsers
from sca_envs.bench.evaluating.player import AGENTS, PlayerSpec
from sca_envs.bench.evaluating.recording import EpisodeSpec
from sca_envs.bench.evaluating.results import RunRecord
from sca_envs.bench.loading import Factory
from sca_envs.bench.trajectories.trajectory import to_json
from sca_envs.core.code_runner import is_unsafe
from sca_envs.core.errors import OptionError
from sca_envs.core.secrets import redact
from sca_envs.core.task import Task, TaskSet
from sca_envs.core.task_files import load_tasks
from sca_envs.core.users import USERS
from sca_envs.domains.registry import domains_of, find_spec
from sca_envs.envs.registration import check_id, environment_class
from sca_envs.envs.tool_use import ToolUseEnv

NUM_TASKS = 100
"""Tasks of a run on a split without end that does not say how many."""
_SEEDS = 2**31 - 1


def episode_seed(seed: int, task_id: str, trial: int) -> int:
    """Return the seed of an episode, a function of these three and of nothing else.

    Args:
        seed: Seed of the run.
        task_id: Id of the task.
        trial: Which repetition of it, from 0.
    """
    text = f"{seed}/{trial}/{task_id}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") % _SEEDS


@dataclass(frozen=True)
class Plan:
    """What a run plays."""

    spec: PlayerSpec
    """Makes its players."""
    record: RunRecord
    """All that is needed to repeat it."""
    episodes: tuple[EpisodeSpec, ...]
    """Its episodes: the first trial of every task, then the second one, and so on."""


def make_plan(
    env_id: str,
    agent: str | Callable[..., Any],
    *,
    agent_options: Mapping[str, Any],
    env_options: Mapping[str, Any],
    tasks: str | PathLike[str] | Iterable[Task] | None,
    num_tasks: int | None,
    trials: int,
    seed: int,
    user: str | Callable[..., Any] | None,
    user_options: Mapping[str, Any],
    agent_name: str | None = None,
    episode_timeout: float | None = None,
) -> Plan:
    """Return the plan of a run; see `sca_envs.evaluate` for the arguments.

    Args:
        env_id: Id of the environment.
        agent: A built-in agent's name, ``module:name``, or something that makes one.
        agent_options: Keyword arguments of it.
        env_options: Keyword arguments of `gymnasium.make`, those that are None left out.
        tasks: Instead of a split: a task file or tasks.
        num_tasks: How many tasks.
        trials: Episodes of each task.
        seed: Seed of the run.
        user: A built-in user's name, ``module:name``, or something that makes one.
        user_options: Keyword arguments of it.
        agent_name: What trajectories call the agent.
        episode_timeout: Seconds that the agent may take in an episode.

    Raises:
        SCAError: If something is missing or does not exist.
    """
    env_id = check_id(env_id)
    _check_numbers(num_tasks, trials, seed)
    maker = _agent_maker(agent, agent_options)
    user_maker = _user_maker(user, user_options)
    options = {key: value for key, value in env_options.items() if value is not None}
    own = None
    if tasks is not None:
        own, label = _own_tasks(tasks, env_id)
        options["tasks"] = label
        options.setdefault("data", own[0].data)
    spec = PlayerSpec(
        env_id=env_id,
        env_options=_resolve(env_id, _with_user(options, user, user_maker)),
        agent=maker,
        agent_name=agent_name
        or (agent if isinstance(agent, str) and agent in AGENTS else _recorded_name(maker, "env")),
        user=user_maker,
        tasks=own,
        render=agent == "human",
        episode_timeout=episode_timeout,
    )
    spec.keep_secrets()
    spec.check_agent()
    env = spec.make_env()
    if user_maker is not None:
        WatchedUsers(user_maker)()  # a wrong option shall not wait for the first episode
    ids = _task_ids(env, num_tasks)
    record = RunRecord(
        options={
            "env_id": env_id,
            "env_options": dict(spec.env_options),
            "agent": spec.agent_name,
            "agent_options": dict(agent_options),
            "user_options": dict(user_options),
            "tasks_digest": None if own is None else tasks_digest(own),
            "trials": trials,
            "seed": seed,
        },
        data={
            name: {"name": domain.data, "digest": domain.base.digest()}
            for name, domain in env.domains.items()
        },
        tasks=ids,
        split_size=env.tasks.size if own is None else None,
        versions=_versions(),
        unsafe_sandbox=is_unsafe(),
    )
    episodes = tuple(
        EpisodeSpec(task, trial, episode_seed(seed, task, trial))
        for trial in range(trials)
        for task in ids
    )
    return Plan(spec, record, episodes)


def tasks_digest(tasks: Iterable[Task]) -> str:
    """Return the sha256 of tasks, as hex digits."""
    sha = hashlib.sha256()
    for task in tasks:
        sha.update(to_json(task.model_dump(mode="json")) + b"\n")
    return sha.hexdigest()


def _check_numbers(num_tasks: int | None, trials: int, seed: int) -> None:
    least = {"num_tasks": (num_tasks, 1), "trials": (trials, 1), "seed": (seed, 0)}
    for name, (value, lowest) in least.items():
        if name == "num_tasks" and value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < lowest:
            raise OptionError(f"Expected {name} to be an integer from {lowest}; got {value!r}")


def _agent_maker(agent: Any, options: Mapping[str, Any]) -> Factory:
    if isinstance(agent, str) and agent in AGENTS:
        return Factory("agent", AGENTS[agent], options)
    if isinstance(agent, str) and ":" not in agent:
        raise OptionError(
            f"Expected agent to be {', '.join(AGENTS)}, or module:name of your own; got {agent!r}"
        )
    if not isinstance(agent, str | type) and hasattr(agent, "reset"):
        if options:
            raise OptionError("Expected no agent_options for an agent that is made already")
        return Factory("agent", Instance(agent))
    if not isinstance(agent, str) and not callable(agent):
        raise OptionError(
            "Expected agent to be a name, an agent, or something that makes one; got "
            f"{type(agent).__name__}"
        )
    return Factory("agent", agent, options)


class Instance:
    """Gives an object that exists already, wherever a maker is wanted.

    Args:
        value: The object.
    """

    def __init__(self, value: Any) -> None:
        self.value = value
        self.__module__ = type(value).__module__
        self.__qualname__ = type(value).__qualname__

    def __call__(self) -> Any:
        """Return the object."""
        return self.value


def _user_maker(user: Any, options: Mapping[str, Any]) -> Factory | None:
    if user is None or (isinstance(user, str) and user in USERS):
        if options:
            raise OptionError(
                f"Expected no user options for the built-in user; got {redact(dict(options))}"
            )
        return None
    if isinstance(user, str) and ":" not in user:
        raise OptionError(
            f"Expected user to be {', '.join(USERS)}, or module:name of your own; got {user!r}"
        )
    return Factory("user", user, options)


def _with_user(options: dict[str, Any], user: Any, maker: Factory | None) -> dict[str, Any]:
    if maker is not None:
        return options | {"user": _recorded_name(maker)}
    return options if user is None else options | {"user": user}


def _own_tasks(tasks: Any, env_id: str) -> tuple[TaskSet, str]:
    """Return tasks, and what trajectories say of where they come from."""
    if isinstance(tasks, str | PathLike):
        found, label = _load_tasks(tasks, env_id), str(tasks)
    else:
        found = tasks if isinstance(tasks, TaskSet) else TaskSet(tasks)
        label = f"sha256:{tasks_digest(found)}"
    if not len(found):
        raise OptionError(f"Expected at least one task, got none in {label}")
    return found, label


def _resolve(env_id: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return all options of an environment as they are read again from a file."""
    resolved = environment_class(env_id).resolve_options(options)
    told = {name: value for name, value in resolved.items() if value is not None}
    try:
        as_read: dict[str, Any] = json.loads(json.dumps(told, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise OptionError(f"Expected env_options that JSON can say: {error}") from None
    return as_read


def _recorded_name(maker: Factory, *offered: str) -> str:
    """Return what trajectories call an agent or user; one of this package has one name only."""
    target = maker.check(*offered)
    own = target in AGENTS.values() or maker.name.startswith(("sca_envs.", "sca_envs:"))
    return Factory(maker.what, target).name if own else maker.name


def _load_tasks(path: str | PathLike[str], env_id: str) -> TaskSet:
    """Read the tasks of an environment, so that errors name the line."""
    names = domains_of(env_id)
    if not names:  # each task has its own
        from sca_envs.challenge.files import load_code_tasks

        code_tasks = load_code_tasks(path, lambda task: task.load_domain())
        return TaskSet((task.to_task() for task in code_tasks), str(path))

    def accept(task: Task) -> None:
        if task.domain not in names:
            raise OptionError(f"Expected a task of {' or '.join(names)}; got {task.domain!r}")
        find_spec(task.domain).parse_data(task.data)

    return load_tasks(path, accept)


def _task_ids(env: ToolUseEnv, num_tasks: int | None) -> list[str]:
    size = env.tasks.size
    if size is not None and num_tasks is not None and num_tasks > size:
        raise OptionError(f"Expected num_tasks to be at most {size}; got {num_tasks}")
    number = num_tasks or size or NUM_TASKS
    ids = [env.tasks.id_of(index) for index in range(number)]
    if size is not None:
        for key in ids:
            env.tasks.find(key)  # raises where two splits of a file share an id
    return ids


def _versions() -> dict[str, str]:
    return {
        "sca_envs": sca_envs.__version__,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in ("gymnasium", "numpy", "pydantic")},
    }
