"""Packages that only some parts need."""

from __future__ import annotations

import importlib
from typing import Any

from sca_envs.core.errors import SCAError


def import_extra(module: str, extra: str) -> Any:
    """Return a module of a package that is not among the dependencies.

    Args:
        module: Name of the module.
        extra: The extra of this package that brings it.

    Raises:
        SCAError: If it is not installed; the message says what to run.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise SCAError(
            f"Expected the package {module.partition('.')[0]}, which is not installed; "
            f"run `pip install 'sca-envs[{extra}]'`"
        ) from None
