"""The domains by name.

`domain` gives a domain on a set of data. A domain's module is imported on first use and its base
is loaded once a process for each data set.
"""

from __future__ import annotations

import functools
import importlib

from sca_envs.core.domain import Domain
from sca_envs.core.errors import OptionError, shorten

DOMAINS: dict[str, str] = {
    "tau_retail": "sca_envs.domains.tau_retail",
    "tau_airline": "sca_envs.domains.tau_airline",
    "message_decoder": "sca_envs.domains.message_decoder",
    "dna_sequencer": "sca_envs.domains.dna_sequencer",
    "trade_calculator": "sca_envs.domains.trade_calculator",
    "travel_planning": "sca_envs.domains.travel_planning",
    "web_browsing": "sca_envs.domains.web_browsing",
}
"""Domain name -> module with a function `load(data, seed)` and a tuple `DATA`."""
_MAX_DIGITS = 18


def domain(name: str, data: str = "generated") -> Domain:
    """Return a domain on a set of data, the same object each time.

    Args:
        name: A name in `DOMAINS`, such as ``tau_retail``.
        data: ``generated`` (the world of seed 0), ``generated:SEED``, or the name of an imported
            data set such as ``tau-bench``.

    Raises:
        OptionError: If the domain or the data does not exist.
        DataNotInstalledError: If the data set was not imported yet.
    """
    check_data(name, data)
    return _load(name, full_data_name(data))


def check_data(name: str, data: str) -> tuple[str, str]:
    """Look whether a domain and its data exist, without loading anything.

    Returns:
        The name of the data set, and the seed as text if it is generated and has one.

    Raises:
        OptionError: If the domain or the data does not exist.
    """
    known = data_of(name)
    kind, _, seed = data.partition(":") if isinstance(data, str) else (data, "", "")
    if (
        kind not in known
        or (seed and kind != "generated")
        or (seed and not (seed.isdecimal() and len(seed) <= _MAX_DIGITS))
    ):
        raise OptionError(
            f"Expected data for {name} to be one of {', '.join(known)} or generated:SEED, with a "
            f"seed of {_MAX_DIGITS} digits at most; got {shorten(data)}"
        )
    return kind, seed


def full_data_name(data: str) -> str:
    """Return the name of data as domains have it: ``generated`` is short for ``generated:0``."""
    kind, _, seed = data.partition(":")
    known = not seed or (seed.isdecimal() and len(seed) <= _MAX_DIGITS)
    return f"generated:{int(seed or 0)}" if kind == "generated" and known else data


def data_of(name: str) -> tuple[str, ...]:
    """Return the names of the data sets that a domain can stand on, installed or not.

    Raises:
        OptionError: If the domain does not exist.
    """
    if name not in DOMAINS:
        raise OptionError(f"Expected a domain out of {', '.join(DOMAINS)}; got {shorten(name)}")
    known: tuple[str, ...] = importlib.import_module(DOMAINS[name]).DATA
    return known


@functools.cache
def _load(name: str, data: str) -> Domain:
    kind, _, seed = data.partition(":")
    loaded: Domain = importlib.import_module(DOMAINS[name]).load(kind, int(seed or 0))
    return loaded
