"""What an engine is, and what the engines share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from sca_envs.challenge.examination import Candidate, Examination
from sca_envs.challenge.gates import Gate
from sca_envs.core.errors import OptionError
from sca_envs.domains.registry import portable

AHEAD = 4
"""Candidates that are examined ahead of the one that is waited for, for each worker."""


class Engine(Protocol):
    """Examines candidates."""

    def map(self, gates: Sequence[Gate], candidates: Iterable[Candidate]) -> Iterator[Examination]:
        """Yield what comes of each candidate, in their order.

        Whoever stops before the end closes the iterator, which ends the workers.

        Args:
            gates: The gates, all of which look at one candidate alone.
            candidates: The candidates, which are not taken long before they are examined.

        Raises:
            OptionError: If something cannot be sent to another process.
            SCAError: If a worker cannot be made, or is lost and cannot be replaced.
        """
        ...


def packed(value: Any, what: str) -> bytes:
    """Return a value as another process can read it.

    Args:
        value: The value.
        what: What the error calls it.

    Raises:
        OptionError: If it cannot be sent to another process.
    """
    try:
        return portable(value)
    except Exception as error:
        raise OptionError(
            f"Expected {what} that can be sent to another process; {error}. Give a class of a "
            "module, or take the engine 'local' with workers=0"
        ) from None
