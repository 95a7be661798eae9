"""Import of the original M3ToolEval: 82 tasks of five families, web pages, flights and hotels.

A checkout of xingyaoww/code-act has the tasks in Python files, which are read as syntax trees and
never executed (see `sca_envs.data.m3_source`).
"""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sca_envs.core.errors import OptionError, SCAError, TaskFileError
from sca_envs.data.files import LICENSE, read_source, replace_folder
from sca_envs.data.m3_source import FAMILIES, read_source_tasks, read_travel
from sca_envs.data.records import M3TaskRecord, check_m3_task, parse_json

FOLDER = "m3tooleval"
ROOT = "."
"""The families share the files, so these lie in the data set's folder itself."""
TASKS, PAGES, TRAVEL, METADATA = "tasks.jsonl", "web_pages.jsonl", "travel.json", "metadata.json"
FILES = (TASKS, PAGES, TRAVEL, METADATA)
"""Names of the files that the domains need."""

_CHECKOUT = Path("scripts/eval/m3tooleval")
_TABLES: Mapping[str, Mapping[str, Mapping[str, type | tuple[type, ...]]]] = {
    TRAVEL: {
        "flights": {"from_location": str, "to_location": str, "date": str, "price": (int, float)},
        "hotels": {
            "location": str,
            "preferences": list,
            "price_per_night": (int, float),
            "rating": (int, float),
        },
    },
    METADATA: {
        "item_info": {"name": str, "price": (int, float)},
        "person_info": {"name": str, "email": str, "phone_number": str, "department": str},
    },
}
"""File -> list in it -> the fields that its records have at least, and their types."""


def import_m3tooleval(source: Path, target: Path) -> list[Path]:
    """Convert the original data into ``<target>/m3tooleval``; see `sca_envs.data` for the form.

    Args:
        source: A checkout of xingyaoww/code-act, its folder ``scripts/eval/m3tooleval``, or a
            folder that an earlier import wrote.
        target: The data folder. An older import in it is replaced once the new one is complete.

    Returns:
        The written files.

    Raises:
        OptionError: If `source` is none of these, or incomplete.
        TaskFileError: If a task cannot be read; the message names file and line.
        SCAError: If another file is not as expected, or `target` cannot be written to.
    """
    if not source.is_dir():
        raise OptionError(
            f"Expected a checkout of xingyaoww/code-act, got {source}, which is no folder"
        )
    if (source / _CHECKOUT).is_dir():
        files = _read_checkout(source / _CHECKOUT, source)
    elif (source / "tasks" / "impl").is_dir():
        files = _read_checkout(source, source.absolute().parents[2])
    elif (source / TASKS).is_file():
        files = {name: read_source(source, name) for name in (LICENSE, *FILES)}
    else:
        raise OptionError(
            f"Expected a checkout of xingyaoww/code-act (a folder with {_CHECKOUT.as_posix()}), "
            f"that folder itself, or one that an earlier import wrote (with {TASKS}); {source} has "
            "none of these"
        )
    _check(files, source)
    return replace_folder(target, FOLDER, files, known=(LICENSE, *FILES))


def parse_m3_tasks(raw: bytes, where: str) -> list[M3TaskRecord]:
    """Parse a task file in JSON Lines.

    Args:
        raw: The file's bytes.
        where: What an error message calls the file.

    Raises:
        TaskFileError: If a line is not JSON or not a task; the message names the line.
    """
    tasks = []
    for number, line in enumerate(raw.splitlines(), start=1):
        at = f"{where}:{number}"
        task = check_m3_task(parse_json(line, at, TaskFileError), at)
        _check_expected(task, at)
        tasks.append(task)
    return tasks


def _check_expected(task: M3TaskRecord, where: str) -> None:
    try:
        value = ast.literal_eval(task.expected_repr)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise TaskFileError(f"{where}: expected a literal as expected_repr, got {error}") from None
    if type(value).__name__ != task.expected_type:
        raise TaskFileError(
            f"{where}: expected an answer of type {task.expected_type}, got {task.expected_repr}"
        )


def _read_checkout(folder: Path, root: Path) -> dict[str, bytes]:
    """Return the files of the converted form, from the original's folder and repository."""
    web = "tasks/impl/web_browsing"
    sources = {
        family: read_source(folder, f"tasks/impl/{module}") for family, module in FAMILIES.items()
    }
    metadata = read_source(folder, f"{web}/{METADATA}")
    parsed = parse_json(metadata, str(folder / web / METADATA))
    tasks: list[M3TaskRecord] = []
    for family, raw in sources.items():
        where = str(folder / "tasks" / "impl" / FAMILIES[family])
        tasks += read_source_tasks(raw, where, family, parsed)
    travel = read_travel(
        sources["travel_itinerary_planning"],
        str(folder / "tasks/impl" / FAMILIES["travel_itinerary_planning"]),
    )
    lines = (json.dumps(task.model_dump()) + "\n" for task in tasks)
    return {
        LICENSE: read_source(root, LICENSE),
        TASKS: "".join(lines).encode(),
        PAGES: read_source(folder, f"{web}/{PAGES}"),
        TRAVEL: json.dumps(travel, indent=0).encode(),
        METADATA: metadata,
    }


def _check(files: Mapping[str, bytes], source: Path) -> None:
    """Make sure that every file has what the domains read from it."""
    tasks = parse_m3_tasks(files[TASKS], str(source / TASKS))
    ids = Counter(f"{task.family}/{task.name}" for task in tasks)
    if twice := [name for name, count in ids.items() if count > 1]:
        raise TaskFileError(f"{source / TASKS}: expected every task once; got {twice[0]!r} twice")
    addresses = set()
    for number, line in enumerate(files[PAGES].splitlines(), start=1):
        where = f"{source / PAGES}:{number}"
        page = parse_json(line, where)
        _check_record(page, {"name": str, "content": str}, where)
        addresses.add(page["name"])
    if "/" not in addresses:
        raise SCAError(f"Expected {source / PAGES} to have the page '/', where the browser starts")
    for name, lists in _TABLES.items():
        table = parse_json(files[name], str(source / name))
        for part, fields in lists.items():
            records = table.get(part) if isinstance(table, dict) else None
            if not isinstance(records, list):
                raise SCAError(f"Expected {source / name} to have a list {part!r}")
            for number, record in enumerate(records):
                _check_record(record, fields, f"{source / name}, {part}[{number}]")


def _check_record(record: Any, fields: Mapping[str, type | tuple[type, ...]], where: str) -> None:
    wrong = [
        name
        for name, kind in fields.items()
        if not isinstance(record, dict) or not isinstance(record.get(name), kind)
    ]
    if wrong:
        raise SCAError(
            f"Expected {', '.join(wrong)} in {where}, of the original's types; get the file from "
            "the original again"
        )
