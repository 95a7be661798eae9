"""The retail domain of tau-bench and tau2, from the files that `sca data import` wrote."""

from __future__ import annotations

import json
from pathlib import Path

from sca_envs.core.database import Record
from sca_envs.core.task import ReferenceAction, Task, TaskSet
from sca_envs.data.records import TaskRecord, parse_tasks
from sca_envs.domains.tau_retail import audit

SPLITS = {"tau-bench": ("test", "train", "dev"), "tau2": ("test", "train")}
"""Data set -> names of its splits."""
CLEAN = "-clean"
"""Ending of a split without the tasks that have an audit note."""

_AUDITS = {("tau-bench", "test"): audit.TEST, ("tau-bench", "train"): audit.TRAIN}


def read_tables(folder: Path) -> dict[str, dict[str, Record]]:
    """Return the tables in a folder of the data directory."""
    return {
        table: json.loads((folder / f"{table}.json").read_text(encoding="utf-8"))
        for table in ("users", "products", "orders")
    }


def read_tasks(folder: Path, data: str, split: str) -> TaskSet:
    """Return the tasks of a split.

    Args:
        folder: The domain's folder in the data directory.
        data: ``tau-bench`` or ``tau2``.
        split: One of `SPLITS`, or the same with ``-clean``.

    Raises:
        TaskFileError: If the file is broken; the message names the line.
    """
    name = split.removesuffix(CLEAN)
    path = folder / f"tasks_{name}.jsonl"
    tasks = (_task(row, data, name) for row in parse_tasks(path.read_bytes(), str(path)))
    kept = (task for task in tasks if task.audit is None or name == split)
    return TaskSet(kept, f"tau_retail/{data}/{split}")


def _task(row: TaskRecord, data: str, split: str) -> Task:
    task_id = str(row.task_id)
    communicated = row.reward_basis is None or "COMMUNICATE" in row.reward_basis
    return Task(
        id=task_id,
        domain="tau_retail",
        data=data,
        split=split,
        instruction=row.instruction,
        actions=tuple(
            ReferenceAction(name=action.name, arguments=action.kwargs) for action in row.actions
        ),
        outputs=tuple(row.outputs) if communicated else (),
        audit=_AUDITS.get((data, split), {}).get(task_id),
        judge=tuple(row.judge),
    )
