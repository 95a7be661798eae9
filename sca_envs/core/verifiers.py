"""Verifiers: what an episode is worth.

A verifier looks at an episode that has ended and gives a `Verdict`. The rules of `FinalState` and
`RequiredOutputs` are tau-bench's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, runtime_checkable

from sca_envs.core.actions import Answer, Turn
from sca_envs.core.database import Database, Snapshot
from sca_envs.core.task import ExpectedAnswer, Task


class EpisodeView(Protocol):
    """What the verifiers here look at in an `Episode`."""

    task: Task
    database: Database

    @property
    def transcript(self) -> tuple[Turn, ...]:
        """The turns so far."""
        ...

    def replies(self) -> Iterator[str]:
        """Yield what the agent said to the user."""
        ...

    def reference_state(self) -> Snapshot:
        """Return the state that the task's reference actions leave."""
        ...


EpisodeT_contra = TypeVar("EpisodeT_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a verification."""

    reward: float
    """Between 0 and 1."""
    components: dict[str, float] = field(default_factory=dict)
    """What the reward is made of, by name."""


class Verifier(Protocol[EpisodeT_contra]):
    """Judges an episode that has ended."""

    def verify(self, episode: EpisodeT_contra) -> Verdict:
        """Return the verdict; the episode is not changed."""
        ...


@runtime_checkable
class AnswerVerifier(Verifier[EpisodeT_contra], Protocol[EpisodeT_contra]):
    """A verifier that also looks at answers as they come, and may let the agent try again."""

    def object_to(self, task: Task, answer: str) -> str | None:
        """Return what the agent reads if it shall try again, or None if the episode is to end."""
        ...


class FinalState:
    """1 if the database equals the one that the reference actions leave, else 0.

    The reference end state is computed once a task and then cached.
    """

    def verify(self, episode: EpisodeView) -> Verdict:
        """Return the verdict."""
        expected = episode.reference_state()
        reward = float(episode.database == Database(expected.base, expected))
        return Verdict(reward, {"database": reward})


class RequiredOutputs:
    """1 if the agent said every required output to the user, else 0.

    An output counts as said if it is a substring of one reply, both in lower case, commas removed
    from the reply (tau-bench, ``calculate_reward``).
    """

    def verify(self, episode: EpisodeView) -> Verdict:
        """Return the verdict."""
        missing = [output for output in episode.task.outputs if not self._said(output, episode)]
        reward = float(not missing)
        return Verdict(reward, {"outputs": reward})

    @staticmethod
    def _said(output: str, episode: EpisodeView) -> bool:
        wanted = output.lower()
        return any(wanted in reply.lower().replace(",", "") for reply in episode.replies())


class CorrectAnswer:
    """1 if the agent's last answer is the task's expected one, else 0.

    Args:
        matches: Whether an answer is the expected one.
        objection: What the agent reads after a wrong answer, with which the episode goes on; None
            lets any answer end it.
    """

    def __init__(
        self, matches: Callable[[str, ExpectedAnswer], bool], objection: str | None = None
    ) -> None:
        self.matches = matches
        self.objection = objection

    def verify(self, episode: EpisodeView) -> Verdict:
        """Return the verdict."""
        actions = (turn.action for turn in reversed(episode.transcript))
        answer = next((action.text for action in actions if isinstance(action, Answer)), None)
        reward = float(answer is not None and self._accepts(episode.task, answer))
        return Verdict(reward, {"answer": reward})

    def object_to(self, task: Task, answer: str) -> str | None:
        """Return the objection if the answer is wrong."""
        return None if self._accepts(task, answer) else self.objection

    def _accepts(self, task: Task, answer: str) -> bool:
        if task.expected is None:
            raise ValueError(f"Expected task {task.id!r} to have an expected answer, got none")
        return self.matches(answer, task.expected)


class AllOf:
    """The product of other verifiers' rewards, with the components of all.

    Args:
        verifiers: The verifiers; each is asked.
    """

    def __init__(self, *verifiers: Verifier[EpisodeView]) -> None:
        self.verifiers = verifiers

    def verify(self, episode: EpisodeView) -> Verdict:
        """Return the verdict."""
        reward = 1.0
        components: dict[str, float] = {}
        for verifier in self.verifiers:
            verdict = verifier.verify(episode)
            reward *= verdict.reward
            components |= verdict.components
        return Verdict(reward, components)


STATE_AND_OUTPUTS: Verifier[EpisodeView] = AllOf(FinalState(), RequiredOutputs())
"""tau-bench's rule: the end state is right and everything required was said."""
