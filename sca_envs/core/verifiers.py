"""Verifiers: what an episode is worth.

A verifier looks at an episode that has ended and gives a `Verdict`. The rules of `FinalState` and
`RequiredOutputs` are tau-bench's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from sca_envs.core.database import Database

if TYPE_CHECKING:
    from sca_envs.core.episode import Episode


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a verification."""

    reward: float
    """Between 0 and 1."""
    components: dict[str, float] = field(default_factory=dict)
    """What the reward is made of, by name."""


class Verifier(Protocol):
    """Judges an episode that has ended."""

    def verify(self, episode: Episode) -> Verdict:
        """Return the verdict; the episode is not changed."""
        ...


class FinalState:
    """1 if the database equals the one that the reference actions leave, else 0.

    The reference end state is computed once a task and then cached.
    """

    def verify(self, episode: Episode) -> Verdict:
        """Return the verdict."""
        expected = episode.domain.reference_state(episode.task)
        reward = float(episode.database == Database(expected.base, expected))
        return Verdict(reward, {"database": reward})


class RequiredOutputs:
    """1 if the agent said every required output to the user, else 0.

    An output counts as said if it is a substring of one reply, both in lower case, commas removed
    from the reply (tau-bench, ``calculate_reward``).
    """

    def verify(self, episode: Episode) -> Verdict:
        """Return the verdict."""
        missing = [output for output in episode.task.outputs if not self._said(output, episode)]
        reward = float(not missing)
        return Verdict(reward, {"outputs": reward})

    @staticmethod
    def _said(output: str, episode: Episode) -> bool:
        wanted = output.lower()
        return any(wanted in reply.lower().replace(",", "") for reply in episode.replies())


class AllOf:
    """The product of other verifiers' rewards, with the components of all.

    Args:
        verifiers: The verifiers; each is asked.
    """

    def __init__(self, *verifiers: Verifier) -> None:
        self.verifiers = verifiers

    def verify(self, episode: Episode) -> Verdict:
        """Return the verdict."""
        reward = 1.0
        components: dict[str, float] = {}
        for verifier in self.verifiers:
            verdict = verifier.verify(episode)
            reward *= verdict.reward
            components |= verdict.components
        return Verdict(reward, components)


STATE_AND_OUTPUTS: Verifier = AllOf(FinalState(), RequiredOutputs())
"""tau-bench's rule: the end state is right and everything required was said."""
