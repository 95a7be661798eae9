"""Modules of other packages that register domains and environments: in this process and others."""

from __future__ import annotations

import importlib
import pickle
from collections.abc import Callable
from typing import Any

from sca_envs.core.errors import OptionError

_modules: dict[str, None] = {}
"""The modules of other packages that registered something, in order."""
unavailable: dict[str, str] = {}
"""Module that registered something where a job came from -> why it cannot be imported here."""


def import_module(name: str, what: str) -> Any:
    """Return a module by its name.

    Args:
        name: Its name.
        what: What it should have, for the error.

    Raises:
        OptionError: If importing it raises anything.
    """
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise OptionError(
            f"Expected to import {name!r} for {what}; it raised {type(error).__name__}: {error}"
        ) from error


def note_module(module: str | None) -> str:
    """Note a module that registers something, and return it; empty if it is ours or no module."""
    ours = __name__.partition(".")[0]
    if not module or module == "__main__" or module.partition(".")[0] == ours:
        return ""
    _modules[module] = None
    return module


def portable(value: Any) -> bytes:
    """Return a pickled value for another process, which first imports what registered something.

    Raises:
        Exception: What pickling raises.
    """
    return pickle.dumps(_Portable(pickle.dumps(value)))


class _Portable:
    """A pickled value that is the value itself when it is loaded."""

    def __init__(self, pickled: bytes) -> None:
        self._pickled = pickled

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _unpack, (tuple(_modules), self._pickled)


def _unpack(modules: tuple[str, ...], pickled: bytes) -> Any:
    for module in modules:
        try:
            import_module(module, "the domains that it registers")
        except OptionError as error:  # what it registers need not be used here
            unavailable[module] = str(error)
    return pickle.loads(pickled)
