"""A challenger by numbers: what worker processes call for candidates."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from sca_envs.challenge.task import CodeAsTask
from sca_envs.core.errors import OptionError, SCAError
from sca_envs.domains import domain as find_domain

_APART = 1_000_000_000
"""How far the numbers of two seeds are apart."""


class Challenger(Protocol):
    """Makes candidates."""

    def propose(self, seed: int) -> CodeAsTask | None:
        """Return a candidate, the same one for the same seed; None if nothing came of it."""
        ...


@dataclass(frozen=True)
class Proposer:
    """Returns the candidate of a number; it can be sent to other processes.

    Args:
        make: Makes the challenger from ``domain=…``, once in each thread.
        domain: Name of the domain.
        data: The data.
        seed: Seed of the campaign.
    """

    make: Callable[..., Challenger]
    domain: str
    data: str
    seed: int = 0

    def __call__(self, number: int) -> CodeAsTask | None:
        """Return the candidate of a number, from 0.

        Raises:
            OptionError: If the challenger cannot be made, or refuses its options.
        """
        key = (repr(self.make), self.domain, self.data)
        challengers: dict[Any, Challenger] = vars(_own).setdefault("challengers", {})
        if key not in challengers:
            challengers[key] = self._make()
        task = challengers[key].propose(self.seed * _APART + number)
        if task is None:
            return None
        return task.model_copy(update={"id": f"{self.domain}-{self.seed}-{number}"})

    def _make(self) -> Challenger:
        domain = find_domain(self.domain, self.data)
        try:
            return self.make(domain=domain)
        except SCAError:
            raise
        except Exception as error:  # it would be the same for every candidate
            raise OptionError(
                f"Expected a challenger that can be made for {self.domain}; its constructor raised "
                f"{type(error).__name__}: {error}"
            ) from error


_own = threading.local()
