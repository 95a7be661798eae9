"""Users: who speaks to the agent.

A user is any object with the two methods of `User`. Its words are part of the observation; whether
the conversation is over is said beside them, never in them. An episode that forks copies its user
with `copy.deepcopy`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from sca_envs.core.conversation import Conversation, Sentences, UserTurn
from sca_envs.core.errors import OptionError
from sca_envs.core.task import Task


@runtime_checkable
class User(Protocol):
    """Somebody who wants something from the agent."""

    def reset(self, task: Task, seed: int) -> str:
        """Begin a task and return the first message.

        Args:
            task: The task; a user may read its instruction and script.
            seed: Fixes everything random about the user.

        Raises:
            UserError: If the user fails; there is no episode then.
        """
        ...

    def respond(self, message: str) -> UserTurn:
        """Answer a message of the agent.

        Raises:
            UserError: If the user fails; the episode ends with it and is not scored.
        """
        ...


class NoUser:
    """Nobody: the whole instruction is the first message, and the first reply ends the episode.

    A task with an expected answer goes on after a reply, because only an answer answers it.
    """

    _EXPECTED = (
        "Error: Expected a tool call, or the final answer as a call of `answer` with the answer as "
        "`content`; nobody reads a plain reply"
    )

    def __init__(self) -> None:
        self._question = False

    def reset(self, task: Task, seed: int) -> str:
        """Return the instruction."""
        self._question = task.expected is not None
        return task.instruction

    def copy(self) -> NoUser:
        """Return an independent copy."""
        return copy.copy(self)

    def respond(self, message: str) -> UserTurn:
        """End the episode, or say what is expected."""
        return UserTurn(self._EXPECTED) if self._question else UserTurn("", "answered")


class ScriptedUser:
    """A deterministic user: tells what it is asked, confirms or refuses, then stops.

    A task with a script (every generated one) is played by `Conversation`. The original tasks of
    tau-bench and tau2 have prose only; `Sentences` discloses it piece by piece.

    **Comparability.** Published tau-bench numbers use a language model as the user. A scripted user
    is neither easier nor harder in general: it never slips up or ends too early, but it does not
    understand a question either. For original tasks it discloses its wishes at a pace of its own,
    whatever it is asked. Report the user with every number, and compare only like with like.

    A task with an expected answer is a question that nobody waits for: `NoUser` plays it.
    """

    def __init__(self) -> None:
        self._part: Conversation | Sentences | NoUser | None = None

    def reset(self, task: Task, seed: int) -> str:
        """Begin a task and return the first message."""
        if task.expected is not None:
            self._part = nobody = NoUser()
            return nobody.reset(task, seed)
        part = Conversation(task.script) if task.script else Sentences(task.instruction)
        self._part = part
        return part.opening

    def respond(self, message: str) -> UserTurn:
        """Answer a message of the agent."""
        if self._part is None:
            raise RuntimeError("Expected reset(task, seed) before respond(message)")
        return self._part.respond(message)

    def __deepcopy__(self, memo: dict[int, Any]) -> ScriptedUser:
        copied = ScriptedUser()
        copied._part = self._part and self._part.copy()
        return copied


USERS: dict[str, Callable[[], User]] = {"none": NoUser, "scripted": ScriptedUser}
"""The built-in users by name."""


def user_factory(user: str | User | Callable[[], User]) -> Callable[[], User]:
    """Return a function that gives the user of one environment.

    Args:
        user: A name, an object with the two methods of `User`, or a function that makes one.

    Raises:
        OptionError: If it is none of these.
    """
    if isinstance(user, str):
        if user in USERS:
            return USERS[user]
    elif isinstance(user, type) or (callable(user) and not isinstance(user, User)):
        return user
    elif isinstance(user, User):
        return _Same(user)
    raise OptionError(
        f"Expected user to be {' or '.join(repr(name) for name in USERS)}, or an object with "
        f"methods reset(task, seed) and respond(message); got {user!r}"
    )


class _Same:
    """Gives one object again and again (a class, so that environments can be pickled)."""

    def __init__(self, user: User) -> None:
        self._user = user

    def __call__(self) -> User:
        return self._user
