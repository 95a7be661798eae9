"""A user whose failures are told apart from the agent's.

A user simulator that calls a language model can fail. What it raises ends the episode as
``user_error``, which is counted and never scored.
"""

from __future__ import annotations

from sca_envs.bench.loading import Factory
from sca_envs.bench.trajectories.trajectory import Usage
from sca_envs.core.conversation import UserTurn
from sca_envs.core.errors import OptionError, SCAError
from sca_envs.core.secrets import redact
from sca_envs.core.task import Task
from sca_envs.core.users import User

USER_ERROR = "user_error"


class GuardedUser:
    """Passes everything on to a user and keeps what it raises.

    Args:
        user: The user.
    """

    def __init__(self, user: User) -> None:
        self.user = user
        self.failure: Exception | None = None
        """What the user raised."""

    def reset(self, task: Task, seed: int) -> str:
        """Begin a task; the first message is empty if the user failed."""
        try:
            return _text(self.user.reset(task, seed))
        except Exception as error:
            self.failure = error
            return ""

    def respond(self, message: str) -> UserTurn:
        """Answer a message, or end the episode if the user failed."""
        try:
            turn = self.user.respond(message)
            return UserTurn(_text(turn.text), turn.end)
        except Exception as error:
            self.failure = error
            return UserTurn("", USER_ERROR)

    def usage(self) -> Usage | None:
        """Return what the user cost, if it has a method ``usage``."""
        tell = getattr(self.user, "usage", None)
        try:
            return tell() if callable(tell) else None
        except Exception as error:
            raise SCAError(
                "Expected usage() of the user to return a Usage or None; it raised "
                f"{type(error).__name__}: {redact(str(error))}"
            ) from error


class WatchedUsers:
    """Makes the watched user of each episode.

    Args:
        maker: Makes the user.
    """

    def __init__(self, maker: Factory) -> None:
        self.maker = maker

    def __call__(self) -> GuardedUser:
        """Return a new user.

        Raises:
            OptionError: If it has not the methods of a user.
        """
        user = self.maker.make()
        if not isinstance(user, User):
            raise OptionError(
                "Expected a user with methods reset(task, seed) and respond(message); "
                f"{self.maker.name!r} gave {type(user).__name__}"
            )
        return GuardedUser(user)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"Expected the user to say a str, got {type(value).__name__}")
    return redact(value, spoken=True)
