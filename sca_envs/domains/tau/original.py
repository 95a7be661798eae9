"""Tables and tasks of the original benchmarks, from the files that `sca data import` wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from sca_envs.core.database import Record
from sca_envs.core.task import ReferenceAction, Task, TaskSet
from sca_envs.data.records import TaskRecord, parse_tasks

CLEAN = "-clean"
"""Ending of a split without the tasks that have an audit note."""


def read_tables(folder: Path, tables: Sequence[str]) -> dict[str, dict[str, Record]]:
    """Return the tables in a domain's folder of the data directory."""
    return {
        table: json.loads((folder / f"{table}.json").read_text(encoding="utf-8"))
        for table in tables
    }


def read_tasks(
    folder: Path, domain: str, data: str, split: str, audit: Mapping[str, str]
) -> TaskSet:
    """Return the tasks of a split.

    Args:
        folder: The domain's folder in the data directory.
        domain: Name of the domain.
        data: Name of the data set.
        split: Name of the split; with ``-clean`` at its end without the tasks in `audit`.
        audit: Task id -> what is wrong with its reference.

    Raises:
        TaskFileError: If the file is broken; the message names the line.
    """
    name = split.removesuffix(CLEAN)
    path = folder / f"tasks_{name}.jsonl"
    rows = parse_tasks(path.read_bytes(), str(path))
    tasks = [_task(row, domain, data, name, audit.get(str(row.task_id))) for row in rows]
    kept = (task for task in tasks if task.audit is None or name == split)
    return TaskSet(kept, f"{domain}/{data}/{split}")


def _task(row: TaskRecord, domain: str, data: str, split: str, audit: str | None) -> Task:
    communicated = row.reward_basis is None or "COMMUNICATE" in row.reward_basis
    return Task(
        id=str(row.task_id),
        domain=domain,
        data=data,
        split=split,
        instruction=row.instruction,
        actions=tuple(
            ReferenceAction(name=action.name, arguments=action.kwargs) for action in row.actions
        ),
        outputs=tuple(row.outputs) if communicated else (),
        audit=audit,
        judge=tuple(row.judge),
    )
