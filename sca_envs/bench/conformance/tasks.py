"""Checks of tasks: splits, reference solutions, instructions and required outputs."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from sca_envs.bench.conformance.documents import placeholders
from sca_envs.bench.conformance.report import Finding
from sca_envs.bench.conformance.sample import (
    NotApplicable,
    Sample,
    describe,
    leaves,
    plain,
    task_name,
)
from sca_envs.core.database import canonical_json
from sca_envs.core.episode import Episode
from sca_envs.core.task import Task
from sca_envs.core.tools import refused
from sca_envs.core.users import NoUser, ScriptedUser, User

MAX_TURNS = 30
"""Most turns of an episode by default."""
_WORD = re.compile(r"[\w.@-]*\w")
_SHORTEST_WORD = 2
"""A shorter word occurs in any text."""
_SHORTEST_NUMBER = 4
"""A shorter number may be part of a calculation, such as the 100 of a percentage."""
_SHORTEST_PIECE = 4
"""A shorter piece occurs in any long word."""
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def check_splits(sample: Sample) -> Iterator[Finding]:
    """Splits have tasks that are named as they should be, and share none."""
    if not sample.domain.splits:
        yield Finding("splits", "at least one split", "none", "give `splits` of the domain one")
    tasks = sample.tasks  # draws them, which finds problems
    yield from sample.problems
    for split in sample.sources:
        if not sample.indexes[split]:
            yield Finding(
                f"split {split!r}", "tasks", "an empty split", "give it tasks or leave it out"
            )
        yield from _lookups(sample, split)
        names = (sample.domain.name, sample.domain.data, split)
        for task in tasks[split]:
            same_split = task.split == split or _related(task.split, split)
            if (task.domain, task.data) != names[:2] or not same_split:
                yield Finding(
                    task_name(task),
                    "domain {!r}, data {!r} and split {!r}".format(*names),
                    f"{task.domain!r}, {task.data!r} and {task.split!r}",
                    "give the task these names; task files and replays find the domain by them",
                )
    yield from _overlaps(tasks)


def _lookups(sample: Sample, split: str) -> Iterator[Finding]:
    """Look up the tasks of a split by index and id."""
    source, seen = sample.sources[split], dict[str, int]()
    for index in sample.indexes[split]:
        if (split, index) in sample.undrawn:
            continue
        where = f"split {split!r}, index {index}"
        try:
            task, name = source[index], source.id_of(index)
            again = source.find(name)
        except Exception as error:
            yield Finding(
                where, "its task by its id", describe(error), "mend `id_of` and `find` of the split"
            )
            continue
        if name != task.id or again.id != task.id:
            yield Finding(
                where,
                f"the id {task.id!r} of its task from `id_of`, and the same task from `find`",
                f"{name!r} and {again.id!r}",
                "mend `id_of` and `find` of the split",
            )
        if seen.setdefault(task.id, index) != index:
            yield Finding(
                where,
                "an id that no other task of the split has",
                f"{task.id!r}, which index {seen[task.id]} has, too",
                "make the ids of the split and the index",
            )


def _overlaps(tasks: dict[str, list[Task]]) -> Iterator[Finding]:
    """Compare splits, except a split with a selection of itself."""
    for one, other in itertools.combinations(tasks, 2):
        if _related(one, other) or _related(other, one):
            continue
        known = {key: task for task in tasks[one] for key in _keys(task)}
        for task in tasks[other]:
            twin = next((known[key] for key in _keys(task) if key in known), None)
            if twin is not None:
                yield Finding(
                    f"splits {one!r} and {other!r}",
                    "no task in common",
                    f"the same instruction or solution in {twin.id!r} and {task.id!r}",
                    "let what a task is about (the customer, say) decide which split it belongs to",
                )
                break


def _related(split: str, selection: str) -> bool:
    """Return whether a split is a selection of another one, as ``test-clean`` is of ``test``."""
    return selection.startswith(f"{split}-")


def _keys(task: Task) -> Iterator[str]:
    """Yield what two tasks must not have in common: the words, and the solution."""
    yield f"words {task.instruction}"
    yield f"solution {_solution(task)}"


def _solution(task: Task) -> str:
    """Return what is right, as text."""
    actions = [action.model_dump() for action in task.actions]
    return canonical_json([actions, task.outputs, task.expected and task.expected.literal])


def check_references(sample: Sample) -> Iterator[Finding]:
    """Reference solutions are accepted call by call, and score 1."""
    tools = ", ".join(sample.domain.tools)
    for task in sample.all_tasks():
        for number, step in enumerate(sample.steps(task), 1):
            name, arguments = step.action.name, canonical_json(step.action.arguments)[:200]
            where = f"{task_name(task)}, reference action {number}"
            if name not in sample.domain.tools:
                yield Finding(where, f"a tool out of {tools}", repr(name), "correct its name")
            elif refused(step.observation):
                yield Finding(
                    where,
                    f"{name}({arguments}) to be accepted",
                    step.observation,
                    "make actions that the tools accept in the state that they are called in",
                )
        yield from _score(sample, task)


def _score(sample: Sample, task: Task) -> Iterator[Finding]:
    """Play the reference solution, with each user."""
    users: list[User] = [NoUser(), *([ScriptedUser()] if task.script else [])]
    for user in users:
        episode = Episode(sample.domain, task, user, max_turns=MAX_TURNS)
        *calls, last = task.reference_turns()
        for action in calls:
            if not episode.done:
                episode.step(action)
        while not episode.done:
            episode.step(last)
        if set(episode.components.values()) - {1.0} or not episode.components:
            yield Finding(
                f"{task_name(task)} with {type(user).__name__}",
                f"its reference solution to score 1 within {MAX_TURNS} turns",
                f"{episode.components or 'nothing'}, ended by {episode.termination_reason}",
                "mend the actions, outputs or expected answer, or the verifier",
            )
            return


def check_instructions(sample: Sample) -> Iterator[Finding]:
    """Instructions tell what the solution starts from, and no two tasks have the same."""
    shown = plain(f"{sample.domain.policy} {canonical_json(list(sample.domain.schemas))}")
    twins: dict[str, Task] = {}
    for task in sample.all_tasks():
        where, text = f"{task_name(task)}, instruction", task.instruction
        yield from placeholders(where, text)
        twin = twins.setdefault(text, task)
        if _solution(twin) != _solution(task):
            yield Finding(
                where,
                "words that say what is wanted",
                f"{text[:80]!r}, which task {twin.id!r} has, too, and wants something else",
                "write all that the customer wants and knows into the instruction",
            )
        needed = list(needs(sample, task, shown))
        if needed and not _tells(text, needed):
            yield Finding(
                where,
                f"at least one of the values that the reference solution starts from "
                f"({', '.join(map(repr, needed[:4]))})",
                repr(text[:80]),
                "write all that the customer wants and knows into the instruction",
            )


def needs(sample: Sample, task: Task, shown: str, calls: int | None = None) -> Iterator[str]:
    """Yield words of reference calls that neither tools nor `shown` show before they are used.

    Args:
        sample: What is looked at.
        task: The task.
        shown: What the agent reads in any case, as `plain` returns it.
        calls: Look at the first so many calls that have arguments.
    """
    for step in [step for step in sample.steps(task) if step.action.arguments or not calls][:calls]:
        for word in _WORD.findall(plain(" ".join(leaves(step.action.arguments)))):
            constant = word.isdecimal() and len(word) < _SHORTEST_NUMBER
            constant |= "." in word and bool(_NUMBER.fullmatch(word))  # may be worked out
            if len(word) >= _SHORTEST_WORD and not constant and word not in shown:
                yield word
        shown += f" {plain(step.observation)}"


def _tells(text: str, needed: list[str]) -> bool:
    """Return whether a text tells one of these words, or a piece that one is put together of."""
    told = plain(text)
    pieces = [word for word in _WORD.findall(told) if len(word) >= _SHORTEST_PIECE]
    return any(word in told or any(piece in word for piece in pieces) for word in needed)


def check_outputs(sample: Sample) -> Iterator[Finding]:
    """What the agent must say can be said, is shown by a tool, and is not told to the agent."""
    tasks = [task for task in sample.all_tasks() if task.outputs]
    if not tasks:
        raise NotApplicable("no task has required outputs")
    for task in tasks:
        told = {"instruction": plain(task.instruction), **_user_words(task)}
        steps = sample.steps(task)  # what it gives to a tool, the agent has found out, too
        given = (text for step in steps for text in leaves(step.action.arguments))
        shown = plain(" ".join([*(step.observation for step in steps), *given]))
        for output in task.outputs:
            where, needed = f"{task_name(task)}, output {output!r}", plain(output)
            if not needed or "," in output:
                yield Finding(
                    where,
                    "a text without commas, which are removed from what the agent says",
                    repr(output),
                    "write '1234.5' for 1,234.5",
                )
                continue
            for place, words in told.items():
                if needed in words:
                    yield Finding(
                        where,
                        "something that the agent has to find out",
                        f"a text that the {place} has already",
                        "ask for something that only a tool shows, or word the task differently",
                    )
                    break
            if needed not in shown and not _NUMBER.fullmatch(output):
                yield Finding(
                    where,
                    "something that a tool of the reference solution shows",
                    "a text that is in none of their results",
                    "let the reference call the tool that shows it, or write it as the tool does",
                )


def _user_words(task: Task) -> dict[str, str]:
    if task.script is None:
        return {}
    facts = [*task.script.facts, *(f for r in task.script.requests for f in r.facts)]
    openings = [request.opening for request in task.script.requests]
    return {"user": plain(" ".join([*openings, *(fact.text for fact in facts)]))}
