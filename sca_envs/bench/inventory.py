"""What there is: environments, the data of each, and tasks that need a language model as judge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import load_env_creator

from sca_envs.challenge.workshop import SPLITS
from sca_envs.core.domain import Domain
from sca_envs.core.errors import DataNotInstalledError
from sca_envs.core.mixture import Mixture
from sca_envs.core.task import TaskSet
from sca_envs.data import DATA_SETS
from sca_envs.domains import domain
from sca_envs.domains.registry import find_spec
from sca_envs.envs.challenger import ChallengerEnv
from sca_envs.envs.code_as_task import CodeAsTaskEnv
from sca_envs.envs.registration import ENVIRONMENTS
from sca_envs.envs.tool_use import ToolUseEnv


def environments() -> Iterator[tuple[str, str, str, str]]:
    """Yield environment id, data, splits with numbers of tasks, and how to get missing data."""
    for env_id in ENVIRONMENTS:
        kind = _class(env_id)
        if issubclass(kind, ChallengerEnv | CodeAsTaskEnv):
            made = "a task set" if issubclass(kind, CodeAsTaskEnv) else "that of the domain"
            yield env_id, made, ", ".join(f"{split} (no end)" for split in SPLITS), ""
            continue
        for data in find_spec(_names(env_id)[0]).data:
            try:
                found = [domain(name, data) for name in _names(env_id)]
            except DataNotInstalledError:
                yield env_id, data, "not installed", DATA_SETS[data].command
            else:
                yield env_id, data, _splits(found), ""


def judged_tasks() -> Iterator[str]:
    """Yield a line for every split that has tasks with criteria only a language model can judge."""
    for env_id in ENVIRONMENTS:
        if issubclass(_class(env_id), ChallengerEnv | CodeAsTaskEnv):
            continue
        for data in find_spec(_names(env_id)[0]).data:
            try:
                found = [domain(name, data) for name in _names(env_id)]
            except DataNotInstalledError:
                continue
            for split in found[0].splits:
                sources = (one.tasks(split) for one in found)
                sets = (tasks for tasks in sources if isinstance(tasks, TaskSet))
                ids = [task.id for tasks in sets for task in tasks if task.judge]
                if ids:
                    yield (
                        f"{env_id}, {data}, {split}: {len(ids)} tasks have criteria that only a "
                        f"language model could judge; these are not scored: {', '.join(ids)}"
                    )


def _class(env_id: str) -> type[ToolUseEnv]:
    env_class: Any = load_env_creator(str(gym.spec(env_id).entry_point))
    found: type[ToolUseEnv] = env_class
    return found


def _names(env_id: str) -> tuple[str, ...]:
    return _class(env_id).names()


def _splits(found: list[Domain]) -> str:
    sizes = (
        (split, Mixture([one.tasks(split) for one in found]).size) for split in found[0].splits
    )
    return ", ".join(f"{split} ({'no end' if n is None else n})" for split, n in sizes)
