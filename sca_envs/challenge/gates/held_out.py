"""The gate that keeps the tasks of a test out of training."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from sca_envs.challenge.case import Case
from sca_envs.challenge.gates.base import failed, passed
from sca_envs.challenge.gates.novelty import shingles
from sca_envs.challenge.task import Verdict


class HeldOut:
    """The instruction says nothing that a held-out task says.

    A challenger that never saw the test may still come upon one of its tasks by itself, the more
    easily the smaller the world is.

    Args:
        instructions: What the held-out tasks say.
        similarity: Largest share of common runs of three words (Jaccard index).
    """

    name: ClassVar[str] = "held out"

    def __init__(self, instructions: Iterable[str], similarity: float = 0.9) -> None:
        self.similarity = similarity
        self._known = tuple(shingles(text) for text in instructions)

    def check(self, case: Case) -> Verdict:
        """Return the verdict."""
        said = shingles(case.task.instruction)
        for known in self._known:
            common = len(said & known)
            if common / (len(said) + len(known) - common) > self.similarity:
                return failed(self, "its instruction says nearly the same as a held-out task")
        return passed(self)
