"""The conditions of a run: all that decides what it measures, so that like is compared with like.

No list of options is kept here: whatever an environment takes is part of the conditions, with the
defaults of what was not given, so an option that is new tomorrow makes tables apart, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sca_envs.bench.agents import NoopAgent, RandomAgent, ReferenceAgent
from sca_envs.bench.evaluating.results import RunRecord
from sca_envs.bench.loading import Factory
from sca_envs.core.database import canonical_json
from sca_envs.core.errors import OptionError
from sca_envs.core.users import USERS
from sca_envs.envs.registration import environment_class

_BASELINES = {"reference": ReferenceAgent, "noop": NoopAgent, "random": RandomAgent}
_SHOWN_APART = ("data", "split", "user")
_DECIDES_NOTHING = ("render_mode",)


def baseline(agent: str) -> str | None:
    """Return the built-in agent that a run's agent is, by any of its names; None for any other.

    Baselines say what a table's numbers mean: one knows the solutions, the others know nothing.
    """
    for name, kind in _BASELINES.items():
        if agent in (name, Factory("agent", kind).name, f"sca_envs:{kind.__name__}"):
            return name
    return None


@dataclass(frozen=True)
class Conditions:
    """What a run measured; a table holds the runs with equal conditions."""

    env_id: str
    """Id of the environment."""
    options: Mapping[str, Any]
    """All options of the environment."""
    user_options: Mapping[str, Any]
    """Options of a user of one's own."""
    digests: Mapping[str, Any]
    """Domain -> digest of its data."""
    tasks: tuple[str, ...]
    """Ids of the tasks."""
    tasks_digest: str | None
    """Digest of tasks that are of no split."""
    split_size: int | None
    """How many tasks the split has; None where it has no end."""
    trials: int
    """Episodes of each task."""

    @classmethod
    def of(cls, run: RunRecord) -> Conditions:
        """Return the conditions of a run."""
        options, trials = run.options, run.options.get("trials")
        env_id, given = str(options.get("env_id")), _object(options.get("env_options"))
        try:
            resolved = environment_class(env_id, trusted=False).resolve_options(given)
        except OptionError:  # of another version, or forged: whatever it says stands for itself
            resolved = given
        return cls(
            env_id,
            {name: resolved[name] for name in sorted(resolved) if name not in _DECIDES_NOTHING},
            _object(options.get("user_options")),
            {domain: data.get("digest") for domain, data in run.data.items()},
            tuple(run.tasks),
            options.get("tasks_digest"),
            run.split_size,
            trials if isinstance(trials, int) else 0,
        )

    @property
    def key(self) -> str:
        """The conditions as text: equal for runs that may be compared, and for no others."""
        return canonical_json({**vars(self), "tasks": list(self.tasks)})

    @property
    def user_verified(self) -> bool:
        """Whether a replay asks the user again."""
        return self.options.get("user") in tuple(USERS)  # whatever it may be

    @property
    def what(self) -> dict[str, str]:
        """The conditions in words: name -> value."""
        words = {"tasks": self._tasks, "trials": str(self.trials), "user": self._user}
        for name, value in self.options.items():
            if value is not None and name not in _SHOWN_APART:
                words[name.replace("_", " ")] = str(value)
        return words

    @property
    def _user(self) -> str:
        options = ", ".join(f"{name}={value!r}" for name, value in self.user_options.items())
        name = str(self.options.get("user"))
        return f"{name} ({options})" if options else name

    @property
    def _tasks(self) -> str:
        number, size = len(self.tasks), self.split_size
        if self.tasks_digest is not None:
            return f"{number} of their own, sha256 {self.tasks_digest[:12]}"
        if size == number:
            return f"all {number} of the split"
        sha = hashlib.sha256("\n".join(self.tasks).encode("utf-8", "surrogatepass")).hexdigest()
        ends = f"{self.tasks[0]} to {self.tasks[-1]}" if number > 1 else "".join(self.tasks)
        of = f"of the {size}" if size is not None else "of a split without end"
        return f"{number} {of}: {ends} (sha256 of the ids {sha[:12]})"


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
