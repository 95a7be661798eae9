"""Words for whoever waits: nothing waits for long without saying what for.

They are warnings of the logger ``sca_envs``, which Python prints to standard error unless a program
has set up its logging otherwise.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

_LONGEST = 600.0
_LOG = logging.getLogger("sca_envs")


class Waiting:
    """Says what is waited for after some seconds, then each time after twice as long.

    Args:
        describe: Returns the words; it is called only when they are due.
        first: Seconds until the first word.
    """

    def __init__(self, describe: Callable[[], str], first: float = 5.0) -> None:
        self._describe, self._first = describe, first
        self.restart()

    def restart(self) -> None:
        """Begin to wait now."""
        self._start = time.monotonic()
        self._pause = self._first
        self._next = self._start + self._pause

    @property
    def seconds(self) -> float:
        """How long to wait until the next word is due."""
        return max(0.01, self._next - time.monotonic())

    def tell(self) -> None:
        """Say it, if it is due."""
        now = time.monotonic()
        if now < self._next:
            return
        self._pause = min(2 * self._pause, _LONGEST)
        self._next = now + self._pause
        _LOG.warning("%s (for %.0f s so far)", self._describe(), now - self._start)
