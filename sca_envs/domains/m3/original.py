"""Tasks and worlds of the original M3ToolEval, from the files that `sca data import` wrote."""

from __future__ import annotations

import json
from pathlib import Path

from sca_envs.core.database import Record
from sca_envs.core.task import ExpectedAnswer, Task, TaskSet
from sca_envs.data.m3tooleval import parse_m3_tasks
from sca_envs.domains.m3 import ORIGINAL
from sca_envs.domains.spec import Tables

_PLACES = "ABCDEF"
"""The places that the original's travel tools know; nothing flies to the last one."""


def read_tasks(domain: str, family: str, folder: Path, split: str) -> TaskSet:
    """Return the tasks of a family.

    Args:
        domain: Name of the domain.
        family: The original's name of the family.
        folder: The data set's folder.
        split: The only one, `ORIGINAL_SPLIT`.

    Raises:
        TaskFileError: If the file is broken; the message names the line.
    """
    path = folder / "tasks.jsonl"
    rows = parse_m3_tasks(path.read_bytes(), str(path))
    tasks = (
        Task(
            id=f"{family}/{row.name}",
            domain=domain,
            data=ORIGINAL,
            split=split,
            instruction=row.instruction,
            expected=ExpectedAnswer(literal=row.expected_repr, type=row.expected_type),
        )
        for row in rows
        if row.family == family
    )
    return TaskSet(tasks, f"{domain}/{ORIGINAL}/{split}")


def read_travel(folder: Path) -> Tables:
    """Return the tables of the travel family."""
    travel = json.loads((folder / "travel.json").read_text(encoding="utf-8"))
    return {
        "places": {f'"{name}"': {} for name in _PLACES},
        "flights": {f"F{i}": record for i, record in enumerate(travel["flights"])},
        "hotels": {f"H{i}": record for i, record in enumerate(travel["hotels"])},
    }


def read_pages(folder: Path) -> dict[str, Record]:
    """Return the table of web pages by address."""
    lines = (folder / "web_pages.jsonl").read_text(encoding="utf-8").splitlines()
    pages = map(json.loads, lines)
    return {page["name"]: {"content": page["content"]} for page in pages}
