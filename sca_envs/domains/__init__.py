"""The domains by name.

`domain` gives a domain on a set of data. A domain's module is imported on first use and its base
is loaded once a process for each data set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sca_envs.domains.registry import find_spec, register_domain

if TYPE_CHECKING:
    from sca_envs.core.domain import Domain

for _name in (
    "tau_retail",
    "tau_airline",
    "message_decoder",
    "dna_sequencer",
    "trade_calculator",
    "travel_planning",
    "web_browsing",
):
    register_domain(_name, f"{__name__}.{_name}:SPEC")


def domain(name: str, data: str = "generated") -> Domain:
    """Return a domain on a set of data, the same object each time.

    Args:
        name: The name of a domain, such as ``tau_retail``.
        data: ``generated`` (the world of seed 0), ``generated:SEED``, or the name of an imported
            data set such as ``tau-bench``.

    Raises:
        OptionError: If the domain or the data does not exist.
        DataNotInstalledError: If the data set was not imported yet.
    """
    return find_spec(name).load(data)
