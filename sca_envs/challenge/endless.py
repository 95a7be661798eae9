"""Code-as-Tasks without end, from the challenger that needs no model."""

from __future__ import annotations

import functools

from sca_envs.challenge.examination import examine
from sca_envs.challenge.gates import Complete, FailuresFail, Gate, SolutionPasses, Unsatisfied
from sca_envs.challenge.procedural import ProceduralChallenger
from sca_envs.challenge.task import CodeAsTask
from sca_envs.challenge.verifier import shared_lab
from sca_envs.core.domain import Domain
from sca_envs.core.endless import EndlessTasks
from sca_envs.core.errors import OptionError
from sca_envs.core.task import Task

_OWN_TESTS = (Complete(), Unsatisfied(), SolutionPasses(), FailuresFail())
"""Few, because they are run when an episode begins."""
SPLITS = ("train", "test")
"""The splits of procedural tasks."""
_STRIDE = 1_000_003 * len(SPLITS)
_TRIES = 20


@functools.lru_cache(256)
def accepted_proposal(domain: Domain, number: int, gates: tuple[Gate, ...]) -> CodeAsTask:
    """Return a procedural task that passes gates, the same one for the same number.

    Args:
        domain: The world.
        number: Which task.
        gates: The gates.

    Raises:
        RuntimeError: If no candidate of many passes, which would be a defect of the challenger.
    """
    challenger = ProceduralChallenger(domain)
    for attempt in range(_TRIES):
        task = challenger.propose(number + attempt * _STRIDE)
        found = examine(task, gates, shared_lab(), domain)
        if found.accepted and found.task is not None:
            return found.task
    raise RuntimeError(f"Expected a task of {domain.name} that passes the gates, found none")


class ProceduralTasks(EndlessTasks):
    """Procedural tasks that pass their own tests, by their index.

    Args:
        domain: The world.
        split: ``train`` or ``test``; they share no task.

    Raises:
        OptionError: If there is no such split.
    """

    def __init__(self, domain: Domain, split: str) -> None:
        if split not in SPLITS:
            raise OptionError(f"Expected split to be one of {', '.join(SPLITS)}; got {split!r}")
        super().__init__(f"{split}-")
        self._domain, self._split = domain, split

    def _make(self, index: int) -> Task:
        number = len(SPLITS) * index + SPLITS.index(self._split)
        task = accepted_proposal(self._domain, number, _OWN_TESTS)
        return task.model_copy(update={"id": f"{self._split}-{index}"}).to_task()
