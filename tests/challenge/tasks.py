"""Small tasks for tests, and what changes them."""

from __future__ import annotations

from typing import Any

from sca_envs.challenge.case import Case
from sca_envs.challenge.lab import Attempt, Lab
from sca_envs.challenge.task import CodeAsTask
from sca_envs.core.domain import Domain
from tests.challenge.labelled import labelled


def by_id(task_id: str) -> CodeAsTask:
    """Return a task of the labelled set."""
    return next(example.task for example in labelled() if example.task.id == task_id)


LOOKUP, CHANGE = "retail-01", "retail-02"
"""Two good ones: an answer without a change, and a change without a demand on the answer."""


def small(task_id: str = CHANGE, **changes: Any) -> CodeAsTask:
    """Return a good task with some fields changed."""
    return by_id(task_id).model_copy(update=changes)


def case(task: CodeAsTask, lab: Lab) -> Case:
    """Return a candidate under examination."""
    return Case(task, task.load_domain(), lab)


def left(domain: Domain, answer: str = "") -> Attempt:
    """Return an attempt that did nothing but answer."""
    return Attempt(domain.database().snapshot(), (), answer)
