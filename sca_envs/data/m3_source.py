"""Reads the tasks of M3ToolEval, and its flights and hotels, from the original's Python files.

The files are never executed; see `sca_envs.data.m3_interpreter`.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from sca_envs.core.errors import TaskFileError
from sca_envs.data.m3_interpreter import Interpreter, NotUnderstoodError
from sca_envs.data.records import M3TaskRecord, check_m3_task

FAMILIES: Mapping[str, str] = {
    "message_decoder": "message_decoder.py",
    "cryptobotanists_plant_dna_sequencer": "dna_sequencer.py",
    "trade_calculator": "trade_calculator.py",
    "travel_itinerary_planning": "travel_itinerary_planning.py",
    "web_browsing": "web_browsing/__init__.py",
}
"""The original's name of a family -> its file."""


def read_source_tasks(raw: bytes, where: str, family: str, metadata: Any) -> list[M3TaskRecord]:
    """Return the tasks of a file of the original.

    Args:
        raw: The file's bytes.
        where: What an error message calls the file.
        family: The original's name of the family.
        metadata: The items and persons that the web family's tasks are about.

    Raises:
        TaskFileError: If the file has anything that is not understood; the message names the line.
    """
    names = _compute(raw, where, {"METADATA": metadata, "PAGES": []})
    tasks = names.get("TASKS")
    if not isinstance(tasks, list) or not tasks:
        raise TaskFileError(f"{where}:1: expected a list TASKS of tasks, got none")
    return [_task(task, where, family) for task in tasks]


def read_travel(raw: bytes, where: str) -> dict[str, Any]:
    """Return the flights and hotels in the travel family's file.

    Args:
        raw: The file's bytes.
        where: What an error message calls the file.

    Raises:
        TaskFileError: If the file has anything that is not understood; the message names the line.
    """
    names = _compute(raw, where, {})
    missing = [part for part in ("flights", "hotels") if not isinstance(names.get(part), list)]
    if missing:
        raise TaskFileError(f"{where}:1: expected a list {missing[0]}, got none")
    return {"flights": names["flights"], "hotels": names["hotels"]}


def _compute(raw: bytes, where: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the names of a file stand for in the end."""
    try:
        with warnings.catch_warnings():
            # An unusual backslash in a text is worth no warning to somebody who imports data.
            warnings.simplefilter("ignore")
            module = ast.parse(raw.decode("utf-8-sig"))
    except SyntaxError as error:
        at = f"{where}:{error.lineno or 1}"
        raise TaskFileError(f"{at}: expected Python, got {error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise TaskFileError(f"{where}:1: expected Python in UTF-8, got {error}") from error
    interpreter = Interpreter(
        {
            "Task": _record,
            "ToolType": _record,
            "register_task_iterator": _nothing,
            "print": _nothing,
            **given,
        }
    )
    try:
        interpreter.run(module)
    except NotUnderstoodError as error:
        raise TaskFileError(
            f"{where}:{error.line}: expected what the original's task files are made of; got "
            f"{error}. The file is read, never run"
        ) from error
    except RecursionError as error:
        raise TaskFileError(f"{where}:1: expected a finite computation, got {error}") from error
    return interpreter.names


def _record(**fields: Any) -> dict[str, Any]:
    return fields


def _nothing(*_: Any, **__: Any) -> None:
    """Stand for what matters only when the original runs."""


def _task(task: Any, where: str, family: str) -> M3TaskRecord:
    fields = task if isinstance(task, dict) else {}
    name, tools, expected = (fields.get(key) for key in ("name", "tools", "expected_output"))
    made_by: Callable[[], Any] | None = tools if callable(tools) else None
    if made_by is not None:  # the web family makes a browser, hence its tools, for each task
        tools = made_by()
    own, _, name = name.partition("/") if isinstance(name, str) else ("", "", None)
    if own != family or not isinstance(tools, dict):
        raise TaskFileError(
            f"{where}:1: expected tasks with tools and a name that begins with '{family}/'; got "
            f"{fields.get('name')!r}"
        )
    return check_m3_task(
        {
            "family": family,
            "name": name,
            "instruction": fields.get("instruction"),
            "expected_repr": repr(expected),
            "expected_type": type(expected).__name__,
            "tools": {
                key: {
                    "description": tool.get("description"),
                    "signature": tool.get("fn_signature"),
                }
                for key, tool in tools.items()
            },
        },
        f"{where}, task {name!r}",
    )
