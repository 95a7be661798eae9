"""Tables and tasks of the original benchmarks, from the files that `sca data import` wrote."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from sca_envs.core.task import ReferenceAction, Task, TaskSet
from sca_envs.core.tools import Tool
from sca_envs.data.paths import require
from sca_envs.data.records import TaskRecord, parse_tasks
from sca_envs.domains.spec import Original, Tables

CLEAN = "-clean"
"""Ending of a split without the tasks that have an audit note."""


def original(
    domain: str,
    data: str,
    *,
    folder: str,
    tables: Sequence[str],
    splits: Sequence[str],
    tools: Mapping[str, Tool],
    audits: Mapping[str, Mapping[str, str]] | None = None,
) -> Original:
    """Return how a domain stands on an original data set.

    Args:
        domain: Name of the domain.
        data: Name of the data set.
        folder: The domain's folder in it.
        tables: Names of its tables.
        splits: Names of its splits.
        tools: The tools by name, as they behave there.
        audits: Split -> task id -> what is wrong with the reference; such a split has a clean one,
            too.
    """
    audits = audits or {}
    return Original(
        locate=functools.partial(require, data, folder),
        splits=(*splits, *(f"{split}{CLEAN}" for split in audits)),
        read_tasks=functools.partial(_read_tasks, domain, data, audits),
        read_world=functools.partial(_read_tables, tables),
        tools=tools,
    )


def _read_tables(tables: Sequence[str], folder: Path) -> Tables:
    return {
        table: json.loads((folder / f"{table}.json").read_text(encoding="utf-8"))
        for table in tables
    }


def _read_tasks(
    domain: str, data: str, audits: Mapping[str, Mapping[str, str]], folder: Path, split: str
) -> TaskSet:
    name = split.removesuffix(CLEAN)
    audit = audits.get(name, {})
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
