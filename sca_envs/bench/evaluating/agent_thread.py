"""An agent in a thread of its own, which can be left behind if it never returns."""

from __future__ import annotations

import ctypes
import queue
import threading
from collections.abc import Callable
from typing import Any

from sca_envs.bench.evaluating.recording import AgentTimeoutError


class AgentThread:
    """Makes all calls of one agent, one after the other."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[tuple[Callable[..., Any], tuple[Any, ...]] | None] = (
            queue.SimpleQueue()
        )
        self._outcomes: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="sca-agent", daemon=True)
        self._thread.start()

    def call(
        self, function: Callable[..., Any], *arguments: Any, seconds: float | None = None
    ) -> Any:
        """Return what a function returns, or raise what it raises.

        Args:
            function: The function.
            arguments: Its arguments.
            seconds: How long to wait; None waits for ever.

        Raises:
            AgentTimeoutError: If it takes longer. No other call may follow.
        """
        self._calls.put((function, arguments))
        try:
            returned, value = self._outcomes.get(timeout=seconds)
        except queue.Empty:
            raise AgentTimeoutError(seconds or 0) from None
        if returned:
            return value
        raise value

    def close(self) -> None:
        """End the thread after the present call."""
        self._calls.put(None)

    def abandon(self) -> None:
        """Leave the present call behind, and end it where Python can: between two of its steps."""
        self.close()
        if self._thread.ident is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(self._thread.ident), ctypes.py_object(SystemExit)
            )

    def _serve(self) -> None:
        while (call := self._calls.get()) is not None:
            function, arguments = call
            try:
                outcome = True, function(*arguments)
            except BaseException as error:
                outcome = False, error
            self._outcomes.put(outcome)
            del call, function, arguments, outcome
