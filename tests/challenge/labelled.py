"""The labelled set: Code-as-Task candidates written by hand, good ones and bad ones of every kind.

It measures the gates, so its labels say what a careful reader would say of a candidate, whatever a
gate thinks of it. The records are in ``tests/data/code_as_task/DOMAIN.toml``, a table ``[[task]]``
each, in the order in which they would be submitted (a near copy comes after what it copies):

- ``id``, ``label`` (``good`` or ``bad``), ``why`` (a note for the reader).
- ``kind``: of a bad one its flaw, one of `FLAWS`; of a good one what sort of task it is.
- ``instruction``, ``verify``, ``solution``, ``failures``: see `sca_envs.challenge.task`.
- ``wrong``, for some bad ones: an attempt that does not fulfil the instruction, yet ``verify``
  accepts it. It is the proof of the flaw and no part of the task.
"""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sca_envs.challenge.task import CodeAsTask, DataRef, Provenance
from sca_envs.domains import domain
from sca_envs.domains.registry import list_domains

FOLDER = Path(__file__).parents[1] / "data" / "code_as_task"

FLAWS: dict[str, str] = {
    "already_satisfied": "verify is true of the untouched state with the empty answer",
    "impossible": "what is asked for does not exist, or the tools refuse it",
    "always_true": "verify accepts whatever an agent does, as long as it says or does something",
    "ignores_amount": "verify overlooks an amount, item, person or payment that was asked for",
    "answer_only": "the state should change, but verify looks at the answer alone",
    "float_equality": "floats are compared exactly, or with a leeway that lets wrong amounts pass",
    "time_or_hash_dependent": "the verdict depends on the clock, on chance or on the hash seed",
    "raises": "verify raises, or returns no bool, for some attempt",
    "writes_state": "verify calls a tool that writes, and its verdict depends on that",
    "leaks_solution": "the instruction tells the tool calls with their arguments",
    "failure_is_right": "a failure case fulfils the instruction",
    "near_copy": "an earlier good candidate in other words; `why` names it",
    "too_few_failures": "fewer than three failure cases",
    "malformed": "the code does not parse, or lacks what it must define or call",
    "unsafe": "the code reaches for files, processes, the environment or the interpreter",
}
"""Kind of a bad candidate -> what is wrong with it."""

LABELLED_DOMAINS = tuple(name for name in list_domains() if (FOLDER / f"{name}.toml").is_file())
"""The domains that have a file."""


@dataclass(frozen=True)
class Labelled:
    """One candidate and what is known about it."""

    task: CodeAsTask
    label: Literal["good", "bad"]
    kind: str
    """Its flaw, or what sort of task it is."""
    why: str
    wrong: str | None = None
    """Source of an attempt that verify accepts though it should not."""

    @property
    def good(self) -> bool:
        """Whether the gates should accept it."""
        return self.label == "good"


@functools.cache
def labelled() -> tuple[Labelled, ...]:
    """Return the whole set, domain by domain."""
    return tuple(example for name in LABELLED_DOMAINS for example in labelled_of(name))


@functools.cache
def labelled_of(name: str) -> tuple[Labelled, ...]:
    """Return the candidates of a domain, in the order of the file."""
    records = tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))["task"]
    data = DataRef.of(domain(name))
    return tuple(_example(name, data, record) for record in records)


def _example(name: str, data: DataRef, record: dict[str, Any]) -> Labelled:
    record = dict(record)
    known = {part: record.pop(part) for part in ("label", "kind", "why")}
    wrong = record.pop("wrong", None)
    provenance = Provenance(challenger="written by hand")
    task = CodeAsTask(domain=name, data=data, provenance=provenance, **record)
    return Labelled(task, wrong=wrong, **known)
