"""The verifier of Code-as-Tasks: the task's own verification function, in the sandbox."""

from __future__ import annotations

import functools
from collections.abc import Iterable

from sca_envs.challenge.lab import Attempt, Lab, replay
from sca_envs.challenge.task import CodeAsTask, VerifiedTask
from sca_envs.core.actions import LoggedCall
from sca_envs.core.episode import Episode
from sca_envs.core.errors import SCAError
from sca_envs.core.verifiers import Verdict


@functools.cache
def shared_lab() -> Lab:
    """Return the lab that all environments of this process share."""
    return Lab()


class CodeVerifier:
    """1 if the task's verification function returns ``True`` on what the episode left, else 0.

    The function sees the final state as a copy, the tool calls, and the last thing that the agent
    said or answered.
    """

    def verify(self, episode: Episode) -> Verdict:
        """Return the verdict.

        Raises:
            SCAError: If the function gave none: it raised, say, or was stopped.
        """
        task = episode.task
        if not isinstance(task, VerifiedTask):
            raise SCAError(f"Expected a task with a verification function, got {task.id!r}")
        left = Attempt(episode.database.snapshot(), tuple(episode.calls()), episode.answer)
        judgement = shared_lab().judge(episode.domain, task.verify, left)
        if judgement.problem is not None:
            raise SCAError(f"Task {task.id!r}: verify failed: {judgement.problem}")
        reward = float(judgement.fulfilled)
        return Verdict(reward, {"verify": reward})


def verdict(task: CodeAsTask, calls: Iterable[LoggedCall], answer: str) -> bool:
    """Return whether tool calls and an answer fulfil a task.

    It depends on nothing else: in another process, on another day, it is the same.

    Args:
        task: The task.
        calls: The tool calls, in order; those that were not refused are carried out on the initial
            state.
        answer: The final answer.

    Raises:
        OptionError: If the task's data is not at hand.
    """
    domain = task.load_domain()
    attempt = replay(domain, calls, answer, as_logged=True)
    return shared_lab().judge(domain, task.verify, attempt).fulfilled
