"""Engines: where candidates are examined.

An engine takes candidates through the gates that look at one alone, and yields what comes of them
in their order. So neither the engine nor the number of workers changes which are accepted.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from sca_envs.challenge.engines.base import Engine
from sca_envs.challenge.engines.local import LocalEngine
from sca_envs.challenge.engines.process import ProcessEngine
from sca_envs.challenge.engines.ray import RayEngine
from sca_envs.core.errors import OptionError

__all__ = ["ENGINES", "Engine", "LocalEngine", "ProcessEngine", "RayEngine", "make_engine"]


def _local(workers: int) -> Engine:
    return ProcessEngine(workers) if workers else LocalEngine()


ENGINES: dict[str, Callable[..., Engine]] = {"local": _local, "ray": RayEngine}
"""Engine name -> what makes it of the number of workers and, by keyword, its own options."""


def make_engine(name: str, workers: int, /, **options: Any) -> Engine:
    """Return an engine by its name.

    Args:
        name: ``local``, which is this process for no workers, else processes of this machine; or
            ``ray``.
        workers: How many workers, from 0; for ``ray`` from 1.
        options: Further options of the engine, such as a cluster's address.

    Raises:
        OptionError: If there is no such engine, or the number or the options do not fit it.
        SCAError: If something is missing that it needs.
    """
    if name not in ENGINES:
        raise OptionError(f"Expected engine to be one of {', '.join(ENGINES)}; got {name!r}")
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 0:
        raise OptionError(f"Expected workers to be an integer of at least 0, got {workers!r}")
    _, *known = inspect.signature(ENGINES[name]).parameters
    if unknown := sorted(options.keys() - set(known)):
        raise OptionError(
            f"Expected options of the engine {name!r} ({', '.join(known) or 'it has none'}); got "
            f"{', '.join(unknown)}"
        )
    return ENGINES[name](workers, **options)
