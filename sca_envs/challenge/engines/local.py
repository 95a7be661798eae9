"""The local engine: candidates are examined in this process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing

from sca_envs.challenge.examination import Candidate, Examination, Examiner
from sca_envs.challenge.gates import Gate


class LocalEngine:
    """Examines one candidate after the other."""

    def map(self, gates: Sequence[Gate], candidates: Iterable[Candidate]) -> Iterator[Examination]:
        """Yield what comes of each candidate; see `Engine.map`."""
        with closing(Examiner(gates)) as examiner:
            yield from map(examiner, candidates)
