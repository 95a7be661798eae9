"""Options on the command line that several commands share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from sca_envs.core.errors import OptionError
from sca_envs.core.secrets import redact
from sca_envs.envs.registration import check_id


def _check_env_id(env_id: str) -> str:
    """Return an environment's id; a module in it may be in the present folder."""
    from sca_envs.bench.loading import search_here

    search_here()
    return check_id(env_id)


EnvId = Annotated[
    str,
    typer.Argument(
        help="Id of an environment, such as sca/TauRetail-v0 or my_library:my/Library-v0.",
        callback=_check_env_id,
    ),
]
"""An environment's id as an argument of a command; a wrong one is an error before anything else."""

ENGINE_HELP = "local, process, thread or ray.  [default: local, with more workers process]"


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


def redacted_pairs(texts: Sequence[str], option: str) -> list[str]:
    """Return ``key=value`` texts with the secrets in them redacted, the others as they are."""
    values = key_values(texts, option)
    redacted = redact(values)
    return [
        text if redacted[key] == values[key] else f"{key}={json.dumps(redacted[key])}"
        for text, key in zip(texts, values, strict=True)
    ]


def engine_options(texts: Sequence[str], address: str | None, engine: str | None) -> dict[str, Any]:
    """Return the options of an engine.

    Args:
        texts: Those given as ``key=value``.
        address: The address of a Ray cluster, if one is given.
        engine: Name of the engine, if one is given.

    Raises:
        OptionError: If a text is no option, or an address comes twice or without Ray.
    """
    values = key_values(texts, "--engine-option")
    if address is None:
        return values
    if engine != "ray":
        raise OptionError(f"Expected --address only with --engine ray; got {address!r}")
    if "address" in values:
        raise OptionError("Expected the address once, by --address or by --engine-option")
    return values | {"address": address}
