"""What can go wrong with code in the sandbox, and with the sandbox itself."""

from __future__ import annotations

from typing import Literal

from sca_envs.core.errors import SCAError

Reason = Literal["timeout", "memory", "killed", "output", "exception", "protocol"]
"""Why an execution failed.

- `timeout`: it used up its time, on the clock or on the processor.
- `memory`: it needed more memory than it may have.
- `killed`: its process ended without a result (a crash, a signal, `os._exit`).
- `output`: it printed, returned or sent more than it may.
- `exception`: it raised an exception, or could not be parsed.
- `protocol`: its result is not strict JSON, or it broke the rules of the channel.
"""


class SandboxError(SCAError):
    """An execution failed; the host is as it was.

    Args:
        reason: The kind of failure.
        message: What happened, in a sentence; for an exception, its type and message.
        traceback: For an exception, a short traceback that shows only lines of the code itself.
    """

    def __init__(self, reason: Reason, message: str, traceback: str = "") -> None:
        super().__init__(f"{reason}: {message}")
        self.reason: Reason = reason
        self.message = message
        self.traceback = traceback

    def __reduce__(self) -> tuple[type[SandboxError], tuple[Reason, str, str]]:
        return type(self), (self.reason, self.message, self.traceback)


class SandboxUnavailableError(SCAError):
    """This platform cannot confine code well enough; the message says what is missing."""
