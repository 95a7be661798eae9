"""Runs that are there twice in a submission, as if somebody had played twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from sca_envs.bench.leaderboard.conditions import Conditions
from sca_envs.bench.leaderboard.problems import Problem
from sca_envs.bench.leaderboard.submission import Entry
from sca_envs.bench.trajectories.trajectory import Trajectory
from sca_envs.core.database import canonical_json

_LABELS = {"agent", "agent_options"}


class CopyFinder:
    """Finds a run that an earlier entry of a submission has already.

    That is a run of the same agent with the same options, conditions and seed, and one whose
    episodes all equal another one's but for the agent's name, down to what they cost.
    """

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._entry: Entry | None = None
        self._episodes: list[str] = []
        self._told_usage = False

    def begin(self, entry: Entry) -> None:
        """Begin with an entry."""
        self._entry, self._episodes, self._told_usage = entry, [], False

    def add(self, episode: Trajectory) -> None:
        """Look at an episode of the entry."""
        told = canonical_json(episode.model_dump(exclude=_LABELS))
        self._episodes.append(hashlib.sha256(told.encode()).hexdigest())
        self._told_usage |= episode.usage is not None

    def end(self) -> Iterator[Problem]:
        """Yield the problem if the entry is a copy."""
        entry = self._entry
        assert entry is not None
        run = entry.results.run
        label = {name: run.options.get(name) for name in ("agent", "agent_options", "seed")}
        marks = [canonical_json([Conditions.of(run).key, label])]
        if self._told_usage:  # agents that tell nothing may well do the same
            marks.append(" ".join(sorted(self._episodes)))
        for mark in marks:
            earlier = self._known.setdefault(mark, entry.folder)
            if earlier != entry.folder:
                yield Problem(
                    entry.folder, f"expected another run than that in {earlier}, got a copy"
                )
                return
