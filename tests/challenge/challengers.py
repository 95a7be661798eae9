"""Challengers for tests: small, wrong, or broken ones. Worker processes import them from here."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from sca_envs.challenge.task import CodeAsTask, DataRef
from sca_envs.core.domain import Domain
from sca_envs.core.errors import InfrastructureError, OptionError
from tests.challenge.labelled import labelled_of


def recorded(number: int) -> CodeAsTask | None:
    """Return a candidate of the labelled set, good or bad; some calls go wrong."""
    match number % 9:
        case 3:
            raise ValueError(f"no luck with [/number] {number}")
        case 5:
            return None
        case 7:
            data = DataRef(name="generated:0", digest="a" * 64)
            return labelled_of("tau_retail")[number].task.model_copy(update={"data": data})
    task = labelled_of("tau_retail")[number % len(labelled_of("tau_retail"))].task
    return task.model_copy(update={"id": f"{task.id}-{number}"})


def wrong_kind(number: int) -> Any:
    """Return what is no task."""
    return {"id": number}


def unfit(number: int) -> CodeAsTask | None:
    """Propose nothing for any number."""
    raise OptionError("Expected flaws out of x, y; got 'z'")


def fit_at_first(number: int) -> CodeAsTask | None:
    """Propose something for the first number only."""
    return recorded(0) if number == 0 else unfit(number)


class Unfit:
    """Refuses its options as soon as it is made, or breaks.

    Args:
        domain: The domain.
        error: Whether it breaks.
    """

    def __init__(self, domain: Domain, error: bool = False) -> None:
        if error:
            raise ZeroDivisionError("division by zero")
        raise OptionError(f"Expected a domain out of mine; got {domain.name!r}")


class Idle:
    """Proposes nothing."""

    def __init__(self, domain: Domain) -> None:
        pass

    def propose(self, seed: int) -> CodeAsTask | None:
        """Return nothing."""
        return None


class Recorded:
    """The same as a class, as `--challenger` wants it.

    Args:
        domain: The domain.
        start: Number of the first candidate.
    """

    def __init__(self, domain: Domain, start: int = 0) -> None:
        self.start = start

    def propose(self, seed: int) -> CodeAsTask | None:
        """Return a candidate."""
        return recorded(self.start + seed)


def surrogates(number: int) -> CodeAsTask:
    """Return a candidate with half a surrogate pair everywhere, or a good one."""
    task = labelled_of("tau_retail")[0].task
    if number % 2 == 0:
        return task
    odd = {"instruction": "\ud800", "verify": "\ud800", "failures": ("\udfff",)}
    return task.model_copy(update=odd)


def cut_off(number: int) -> CodeAsTask | None:
    """Reach no model from the third candidate on."""
    if number >= 2:
        raise InfrastructureError("the cable is out")
    return recorded(number)


def slow(number: int) -> CodeAsTask | None:
    """The same as `recorded`, but a loss finds it at work."""
    time.sleep(0.2)
    return recorded(number)


class Mortal:
    """Proposes what `recorded` does, and takes its process down at one number, once or always.

    Args:
        marker: A file that says that it did.
        number: At which one.
        always: Whether it does so again.
    """

    def __init__(self, marker: Path, number: int, always: bool = False) -> None:
        self.marker, self.number, self.always = marker, number, always

    def __call__(self, number: int) -> CodeAsTask | None:
        """Return a candidate, or none and go."""
        if number == self.number and (self.always or not self.marker.exists()):
            self.marker.touch()
            os._exit(7)
        return recorded(number)
