"""The gate that keeps near copies out."""

from __future__ import annotations

import re
from typing import NamedTuple

from sca_envs.challenge.case import Case
from sca_envs.challenge.gates.base import failed, passed
from sca_envs.challenge.task import Verdict
from sca_envs.core.database import canonical_json

_WORDS_IN_SHINGLE = 3
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


class Fingerprint(NamedTuple):
    """What two tasks are compared by."""

    signature: str
    """What the solution does: the change of the world, and the numbers in its answer if that
    matters; of a solution that changes nothing, its calls and its answer."""
    shingles: frozenset[str]
    """Runs of three words of the instruction."""


def fingerprint(case: Case) -> Fingerprint:
    """Return what a candidate is compared by."""
    solution = case.solution
    if case.changes_world:
        what: list[object] = [[change.path, change.after] for change in case.changes(solution)]
        what.append(_NUMBER.findall(solution.answer) if case.answer_matters else [])
    else:
        calls = {canonical_json([call.name, call.arguments]) for call in solution.calls}
        what = [*sorted(calls), solution.answer.strip().lower()]
    return Fingerprint(canonical_json(what), shingles(case.task.instruction))


def shingles(text: str) -> frozenset[str]:
    """Return the runs of three words in a text, in lower case and without punctuation."""
    words = re.findall(r"\w+", text.lower())
    runs = range(max(1, len(words) - _WORDS_IN_SHINGLE + 1))
    return frozenset(" ".join(words[i : i + _WORDS_IN_SHINGLE]) for i in runs)


class Novel:
    """No task that was accepted before does the same, or says nearly the same.

    It remembers what it let through, so the order of the candidates matters: pipelines ask it one
    by one, in order.

    Args:
        similarity: Largest share of common shingles (Jaccard index) of two instructions.
    """

    name = "novel"

    def __init__(self, similarity: float = 0.9) -> None:
        self.similarity = similarity
        self._by_signature: dict[str, str] = {}
        self._shingles: dict[str, frozenset[str]] = {}
        self._with_shingle: dict[str, list[str]] = {}

    def check(self, case: Case) -> Verdict:
        """Return the verdict, and remember a candidate that passes."""
        return self.compare(case.task.id, fingerprint(case))

    def compare(self, task_id: str, candidate: Fingerprint) -> Verdict:
        """Return the verdict on a fingerprint, and remember it if it passes.

        Args:
            task_id: The candidate's id.
            candidate: What it is compared by.
        """
        known = self._by_signature.get(candidate.signature)
        if known is not None:
            return failed(self, f"its solution does the same as that of task {known}")
        nearest, similarity = self._nearest(candidate.shingles)
        if nearest is not None and similarity > self.similarity:
            return failed(self, f"its instruction says nearly the same as that of task {nearest}")
        self._by_signature[candidate.signature] = task_id
        self._shingles[task_id] = candidate.shingles
        for shingle in candidate.shingles:
            self._with_shingle.setdefault(shingle, []).append(task_id)
        return passed(self, similarity=round(similarity, 4))

    def _nearest(self, wanted: frozenset[str]) -> tuple[str | None, float]:
        """Return the task with the most similar instruction, and how similar it is."""
        common: dict[str, int] = {}
        for shingle in wanted:
            for task_id in self._with_shingle.get(shingle, ()):
                common[task_id] = common.get(task_id, 0) + 1
        best, best_share = None, 0.0
        for task_id, count in common.items():
            share = count / (len(wanted) + len(self._shingles[task_id]) - count)
            if share > best_share:
                best, best_share = task_id, share
        return best, best_share
