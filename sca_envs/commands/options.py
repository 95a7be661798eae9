"""Options on the command line that several commands share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sca_envs.core.errors import OptionError


def key_values(texts: Sequence[str], option: str) -> dict[str, Any]:
    """Return ``key=value`` texts as a dict; a value in JSON is what it stands for, another a str.

    Args:
        texts: The texts.
        option: The option's name, for the error.

    Raises:
        OptionError: If one has no key or no ``=``, or a key comes twice.
    """
    values: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.isidentifier():
            raise OptionError(f"Expected {option} as key=value; got {text!r}")
        if key in values:
            raise OptionError(f"Expected every key of {option} once; {key!r} occurs twice")
        try:
            values[key] = json.loads(value)
        except ValueError:
            values[key] = value
    return values
