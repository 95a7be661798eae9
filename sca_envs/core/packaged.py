"""Files of data in a package: lists of names, products and texts, which are no code."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any


def read_toml(package: str, name: str) -> dict[str, Any]:
    """Return a TOML file of a package; its lists are tuples, so that nobody changes them.

    Args:
        package: The package that has the file.
        name: Name of the file.
    """
    text = files(package).joinpath(name).read_text(encoding="utf-8")
    return {key: _frozen(value) for key, value in tomllib.loads(text).items()}


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
    return value
