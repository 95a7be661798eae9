"""Environment ids: ours, which Gymnasium knows after ``import sca_envs``, and those of others.

An id may name the module that registers it, as in ``my_library:my/Library-v0``. `check_id` returns
an id with its module, so that any process can make the environment.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec, load_env_creator

from sca_envs.core.errors import OptionError, shorten
from sca_envs.core.plugins import note_module
from sca_envs.domains.registry import (
    domains_of,
    find_name,
    find_spec,
    load_plugins,
    name_id,
)

if TYPE_CHECKING:
    from sca_envs.envs.tool_use import ToolUseEnv

TOOL_USE = "sca_envs.envs.tool_use:ToolUseEnv"
CHALLENGER = "sca_envs.envs.challenger:ChallengerEnv"
M3 = "sca_envs.envs.m3:M3Env"
_ID = re.compile(r"(?P<name>[\w:-]+/[\w.-]+?)-v(?P<version>\d+)", re.ASCII)
_modules: dict[str, str] = {}
"""Environment id -> module that registered it; empty where it is ours or cannot be imported."""


def register_env(
    env_id: str,
    *,
    domain: str | Sequence[str] = (),
    entry_point: str = TOOL_USE,
    challenger: bool = True,
) -> None:
    """Register an environment of a domain, and one in which tasks of the domain are made.

    Args:
        env_id: The id, such as ``my/Library-v0``. That of the second environment has
            ``Challenger`` before the version: ``my/LibraryChallenger-v0``.
        domain: Name of the domain (`sca_envs.register_domain`), or names of several whose tasks are
            mixed.
        entry_point: A subclass of `ToolUseEnv` as ``module:class``, with a docstring of its own.
        challenger: Whether there is a second environment; mixed domains have none.

    Raises:
        OptionError: If the id is none, or another module has registered it.
    """
    match = _ID.fullmatch(env_id) if isinstance(env_id, str) else None
    if match is None:
        raise OptionError(
            f"Expected an environment's id such as 'my/Library-v0'; got {shorten(env_id)}"
        )
    module = note_module(sys._getframe(1).f_globals.get("__name__"))
    names = [domain] if isinstance(domain, str) else list(domain)
    full = [f"{module}:{name}" if module else name for name in names]  # for other processes
    fixed = {"domain": full[0] if len(full) == 1 else full} if full else {}
    _register(env_id, names, entry_point, fixed, module)
    if challenger and len(names) == 1:
        other = f"{match['name']}Challenger-v{match['version']}"
        _register(other, names, CHALLENGER, fixed, module)


def _register(
    env_id: str, names: list[str], entry_point: str, fixed: dict[str, Any], module: str
) -> None:
    if _modules.get(env_id, module) != module or (
        env_id in gym.registry and env_id not in _modules
    ):
        raise OptionError(
            f"Expected an environment's id that is free; {env_id!r} is registered already, by "
            f"{_modules.get(env_id, 'Gymnasium') or 'this package'}. Take another namespace"
        )
    gym.registry.pop(env_id, None)  # a module that is imported anew
    gym.register(
        id=env_id,
        entry_point=entry_point,
        vector_entry_point=f"sca_envs.envs.vector:{env_id}",
        kwargs=fixed,
    )
    _modules[env_id] = module
    name_id(env_id, names)


def environment_ids() -> tuple[str, ...]:
    """Return all ids, those of installed packages included."""
    load_plugins()
    return tuple(map(_full_id, _modules))


def check_id(env_id: str, *, trusted: bool = True) -> str:
    """Return the id of an environment, with its module if it is not ours.

    Args:
        env_id: An id, perhaps with a module, which is imported.
        trusted: Whether the module may be imported; otherwise the id must be known without it.

    Raises:
        OptionError: If there is no such environment, or the module cannot be imported.
    """
    return _full_id(
        find_name(env_id, _modules, environment_ids, what="an environment's id", trusted=trusted)
    )


def id_of_domain(domain: str) -> str:
    """Return the first environment that has this domain alone.

    Raises:
        OptionError: If there is none.
    """
    find_spec(domain)  # which says what is wrong with the name
    for env_id in environment_ids():
        if domains_of(env_id) == (domain,):
            return env_id
    raise OptionError(
        f"Expected a domain that has an environment; got {domain!r}. Register one with "
        f"sca_envs.register_env('my/Name-v0', domain={domain!r})"
    )


def _full_id(env_id: str) -> str:
    module = _modules[env_id]
    return f"{module}:{env_id}" if module else env_id


def _find_spec(env_id: str, trusted: bool) -> EnvSpec:
    return gym.registry[check_id(env_id, trusted=trusted).rpartition(":")[2]]


def environment_class(env_id: str, *, trusted: bool = True) -> type[ToolUseEnv]:
    """Return the class of an environment; its data is not needed.

    Args:
        env_id: Its id.
        trusted: See `check_id`.

    Raises:
        OptionError: If there is no such environment.
    """
    kind: Any = load_env_creator(str(_find_spec(env_id, trusted).entry_point))
    env_class: type[ToolUseEnv] = kind
    return env_class


def make_env(env_id: str, *, trusted: bool = True, **options: Any) -> ToolUseEnv:
    """Return an environment itself, without Gymnasium's wrappers.

    Args:
        env_id: Its id.
        trusted: See `check_id`.
        options: Its options.

    Raises:
        OptionError: If there is no such environment.
    """
    kind = environment_class(env_id, trusted=trusted)
    return kind(**_find_spec(env_id, trusted).kwargs | options)


def register_all() -> None:
    """Register our own environments."""
    register_env(
        "sca/TauRetail-v0",
        domain="tau_retail",
        entry_point="sca_envs.envs.tau_retail:TauRetailEnv",
    )
    register_env(
        "sca/TauAirline-v0",
        domain="tau_airline",
        entry_point="sca_envs.envs.tau_airline:TauAirlineEnv",
    )
    families = ("message_decoder", "dna_sequencer", "trade_calculator", "travel_planning")
    for name in (*families, "web_browsing"):
        title = name.title().replace("_", "")
        register_env(f"sca/M3{title}-v0", domain=name, entry_point=M3)
    register_env("sca/M3Calculation-v0", domain=families, entry_point=M3)
    register_env("sca/CodeAsTask-v0", entry_point="sca_envs.envs.code_as_task:CodeAsTaskEnv")
