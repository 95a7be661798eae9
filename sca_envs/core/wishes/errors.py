"""What a wish raises while it is drawn: that another draw will do, or that its author erred."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import TypeVar

from sca_envs.core.errors import SCAError

_T = TypeVar("_T")


class DeadEnd(Exception):  # noqa: N818 (nothing is wrong: another draw will do)
    """What was drawn makes no wish: the customer has no such record, for example."""


class WishError(SCAError):
    """A wish does what no wish may do, such as a call that the tool refuses."""


def pick(rng: random.Random, values: Iterable[_T]) -> _T:
    """Draw one of some values.

    Raises:
        DeadEnd: If there is none.
    """
    listed = list(values)
    if not listed:
        raise DeadEnd
    return rng.choice(listed)
