"""Checks that a task cannot be solved without doing it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from sca_envs.bench.checker import NOOP_FLOOR
from sca_envs.bench.conformance.report import Finding
from sca_envs.bench.conformance.sample import Sample, task_name
from sca_envs.bench.conformance.tasks import MAX_TURNS
from sca_envs.core.actions import Action, Answer, Reply, ToolCall
from sca_envs.core.database import canonical_json
from sca_envs.core.domain import Domain
from sca_envs.core.episode import Episode
from sca_envs.core.task import Task
from sca_envs.core.users import ScriptedUser

_NOTHING: Sequence[Action] = (Reply("I cannot help with that."),)
_NUMBERS = " ".join(map(str, range(101)))
"""A count is often one of these."""


def check_shortcuts(sample: Sample) -> Iterator[Finding]:
    """Doing nothing, giving up and saying everything earn nothing, nor does leaving out a change.

    A few tasks may be refusals, which doing nothing solves, or have an output that is part of a
    longer number; see `NOOP_FLOOR`.
    """
    tasks = list(sample.all_tasks())
    idle = [task for task in tasks if _solves(sample.domain, task, _NOTHING)]
    yield from _too_many(idle, len(tasks), "doing nothing")
    busy = [task for task in tasks if task not in idle]
    ends = _giving_up(sample)
    rest = [task for task in busy if any(_solves(sample.domain, task, [end]) for end in ends)]
    yield from _too_many(rest, len(tasks), "ending the episode with a tool at once")
    known = f"{sample.domain.policy} {canonical_json(list(sample.domain.schemas))} {_NUMBERS}"
    told = []
    for task in busy:
        said = (Reply(f"{task.instruction} {known}"), Answer(task.instruction))
        if any(_solves(sample.domain, task, [action]) for action in said):
            told.append(task)
    yield from _too_many(told, len(tasks), "saying all that is known beforehand, and numbers,")
    for task in busy:
        yield from _left_out(sample, task)


def _giving_up(sample: Sample) -> list[Action]:
    """Return calls of the tools that end an episode."""
    rng = np.random.default_rng(sample.seed)
    calls: list[Action] = []
    for name in sorted(sample.domain.terminal_tools & sample.domain.tools.keys()):
        try:
            arguments = sample.domain.sample_arguments(rng, sample.domain.tools[name])
        except Exception:  # the check of the samples tells
            continue
        calls.append(ToolCall(name, arguments))
    return calls


def _too_many(solved: list[Task], number: int, way: str) -> Iterator[Finding]:
    if len(solved) > NOOP_FLOOR * number:
        yield Finding(
            f"{len(solved)} of {number} tasks, such as {task_name(solved[0])}",
            f"{way} to solve at most {NOOP_FLOOR:.0%}",
            f"{len(solved) / number:.0%}",
            "let the solution change something, or ask for an output that only a tool shows",
        )


def _left_out(sample: Sample, task: Task) -> Iterator[Finding]:
    """Leave out each call that changes the world, and each output, alone."""
    if task.expected is not None:
        return  # the answer alone decides
    *calls, last = task.reference_turns()
    for number, step in enumerate(sample.steps(task)):
        without = [*calls[:number], *calls[number + 1 :], last]
        if step.changed and _solves(sample.domain, task, without):
            yield Finding(
                f"{task_name(task)}, reference action {number + 1}",
                f"no reward without {step.action.name}, which changes the state",
                "reward 1",
                "leave it out if it is not needed, or let the verifier compare the state",
            )
    for output in task.outputs:
        rest = " ".join(other for other in task.outputs if other != output)
        if output not in rest and _solves(sample.domain, task, [*calls, Reply(rest)]):
            yield Finding(
                f"{task_name(task)}, output {output!r}",
                "no reward for an agent that does not say it",
                "reward 1",
                "leave it out if it need not be said, or let the verifier look for outputs",
            )


def _solves(domain: Domain, task: Task, actions: Sequence[Action]) -> bool:
    """Return whether actions, the last one again and again, earn the reward of 1."""
    user = ScriptedUser() if task.script and isinstance(actions[-1], Reply) else None
    episode = Episode(domain, task, user, max_turns=MAX_TURNS + len(task.actions))
    reward = 0.0
    for action in actions[:-1]:
        reward = 0.0 if episode.done else episode.step(action).reward
    while not episode.done:
        reward = episode.step(actions[-1]).reward
    return reward == 1
