"""What there is: environments, the data of each, and tasks that need a language model as judge."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from sca_envs.challenge.workshop import SPLITS
from sca_envs.core.domain import Domain
from sca_envs.core.errors import DataNotInstalledError, SCAError
from sca_envs.core.mixture import Mixture
from sca_envs.core.task import TaskSet
from sca_envs.data import DATA_SETS
from sca_envs.domains import domain
from sca_envs.domains.registry import domains_of, find_spec, load_plugins
from sca_envs.envs.challenger import ChallengerEnv
from sca_envs.envs.code_as_task import CodeAsTaskEnv
from sca_envs.envs.registration import environment_class, environment_ids


def environments() -> Iterator[tuple[str, str, str, str]]:
    """Yield environment id, data, splits with numbers of tasks, and how to get missing data."""
    for env_id in environment_ids():
        try:
            yield from _rows(env_id)
        except SCAError as error:  # of a package that is not ours
            yield env_id, "", "broken", str(error)


def broken_plugins() -> Iterator[str]:
    """Yield a line for every installed package whose domains cannot be imported."""
    for name, problem in load_plugins().items():
        yield f"{name}: {problem}"


def judged_tasks() -> Iterator[str]:
    """Yield a line for every split that has tasks with criteria only a language model can judge."""
    for env_id in environment_ids():
        with contextlib.suppress(SCAError):  # `environments` says what is wrong
            yield from _judged(env_id)


def _rows(env_id: str) -> Iterator[tuple[str, str, str, str]]:
    kind = environment_class(env_id)
    if issubclass(kind, ChallengerEnv | CodeAsTaskEnv):
        made = "a task set" if issubclass(kind, CodeAsTaskEnv) else "that of the domain"
        yield env_id, made, ", ".join(f"{split} (no end)" for split in SPLITS), ""
        return
    for data, found in _loaded(env_id):
        if isinstance(found, DataNotInstalledError):
            how = DATA_SETS[data].command if data in DATA_SETS else str(found)
            yield env_id, data, "not installed", how
        else:
            yield env_id, data, _splits(found), ""


def _judged(env_id: str) -> Iterator[str]:
    if issubclass(environment_class(env_id), ChallengerEnv | CodeAsTaskEnv):
        return
    for data, found in _loaded(env_id):
        if isinstance(found, DataNotInstalledError):
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


def _loaded(env_id: str) -> Iterator[tuple[str, list[Domain] | DataNotInstalledError]]:
    """Yield the data sets of an environment with its domains on them."""
    names = domains_of(env_id)
    for data in find_spec(names[0]).data:
        try:
            yield data, [domain(name, data) for name in names]
        except DataNotInstalledError as error:
            yield data, error


def _splits(found: list[Domain]) -> str:
    sizes = (
        (split, Mixture([one.tasks(split) for one in found]).size) for split in found[0].splits
    )
    return ", ".join(f"{split} ({'no end' if n is None else n})" for split, n in sizes)
