"""What there is: environments, the data of each, and tasks that need a language model as judge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import load_env_creator

from sca_envs.core.domain import Domain
from sca_envs.core.errors import DataNotInstalledError
from sca_envs.core.task import TaskSet
from sca_envs.data import DATA_SETS
from sca_envs.domains import data_of, domain
from sca_envs.envs.registration import ENVIRONMENTS


def environments() -> Iterator[tuple[str, str, str, str]]:
    """Yield environment id, data, splits with numbers of tasks, and how to get missing data."""
    for env_id in ENVIRONMENTS:
        for data in data_of(_domain_name(env_id)):
            try:
                found = domain(_domain_name(env_id), data)
            except DataNotInstalledError:
                yield env_id, data, "not installed", DATA_SETS[data].command
            else:
                yield env_id, data, _splits(found), ""


def judged_tasks() -> Iterator[str]:
    """Yield a line for every split that has tasks with criteria only a language model can judge."""
    for env_id in ENVIRONMENTS:
        for data in data_of(_domain_name(env_id)):
            try:
                found = domain(_domain_name(env_id), data)
            except DataNotInstalledError:
                continue
            for split in found.splits:
                tasks = found.tasks(split)
                ids = [t.id for t in tasks if t.judge] if isinstance(tasks, TaskSet) else []
                if ids:
                    yield (
                        f"{env_id}, {data}, {split}: {len(ids)} tasks have criteria that only a "
                        f"language model could judge; these are not scored: {', '.join(ids)}"
                    )


def _domain_name(env_id: str) -> str:
    env_class: Any = load_env_creator(str(gym.spec(env_id).entry_point))
    name: str = env_class.domain_name
    return name


def _splits(found: Domain) -> str:
    sizes = ((split, found.tasks(split).size) for split in found.splits)
    return ", ".join(f"{split} ({'no end' if n is None else n})" for split, n in sizes)
