"""What the options of environments mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sca_envs.core.code_runner import CodeRunner
from sca_envs.core.domain import Domain
from sca_envs.core.episode import Episode
from sca_envs.core.errors import OptionError, SCAError
from sca_envs.core.formats import CODE_FORMATS, ActionFormat
from sca_envs.core.task import TaskSource
from sca_envs.domains import domain as find_domain
from sca_envs.domains.spec import full_data_name

SEED_LIMIT = 2**31 - 1
"""Seeds and indexes are drawn below it."""

DomainOption = str | Domain | Sequence[str | Domain] | None
"""A domain or its name, or several."""


def load_domains(domain: DomainOption, own: str, data: str) -> dict[str, Domain]:
    """Return the domains of an environment by name.

    Args:
        domain: The option.
        own: Name of the domain that the environment's class has; empty if it has none.
        data: The data.

    Raises:
        OptionError: If there is no domain, or another one than the class has.
        DataNotInstalledError: If the data set was not imported yet.
    """
    given = [domain] if isinstance(domain, str | Domain) else list(domain or ())
    if own and given and given != [own]:
        raise OptionError(f"Expected no domain but {own}, which the environment has; got {given}")
    domains = [_load_domain(one, data) for one in given or [own] if one]
    if not domains:
        raise OptionError("Expected a domain or its name, such as domain='tau_retail'; got none")
    return {one.name: one for one in domains}


def _load_domain(domain: str | Domain, data: str) -> Domain:
    if isinstance(domain, str):
        return find_domain(domain, data)
    if full_data_name(data) not in (full_data_name("generated"), domain.data):
        raise OptionError(f"Expected the data of {domain!r}, which is loaded; got {data!r}")
    return domain


def runner_for(written: ActionFormat, *, answers: bool = False) -> CodeRunner[Episode] | None:
    """Return what runs code, for a format that has it; importing it is not for nothing.

    Args:
        written: The action format.
        answers: Whether code may give the final answer.
    """
    if written.name not in CODE_FORMATS:
        return None
    from sca_envs.sandbox.runner import shared_runner

    return shared_runner(answers=answers)


def positive(name: str, value: Any) -> int:
    """Return the value of an option that is an integer from 1.

    Raises:
        OptionError: If it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise OptionError(f"Expected {name} to be an integer from 1; got {value!r}")
    return value


def draw_limit(tasks: TaskSource, num_tasks: int | None) -> int:
    """Return how many tasks `reset` draws from."""
    if num_tasks is not None:
        positive("num_tasks", num_tasks)
        if tasks.size is not None and num_tasks > tasks.size:
            raise OptionError(f"Expected num_tasks to be at most {tasks.size}; got {num_tasks}")
        return num_tasks
    if tasks.size == 0:
        raise SCAError(
            f"Expected at least one task, got an empty task set: {getattr(tasks, 'name', '')}"
        )
    return SEED_LIMIT if tasks.size is None else tasks.size
