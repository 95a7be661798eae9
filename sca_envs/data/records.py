"""What data files hold: tasks as pydantic models, tables as JSON objects of records."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from sca_envs.core.errors import SCAError, TaskFileError


class StrictRecord(BaseModel):
    """A record with exactly its fields, of exactly their types."""

    # Strict, because a number where a string belongs would change what a tool is called with.
    model_config = ConfigDict(extra="forbid", strict=True)


class ActionRecord(StrictRecord):
    """One tool call of a task's reference solution."""

    name: str
    """The tool."""
    kwargs: dict[str, Any]
    """Argument name -> JSON value."""


class TaskRecord(StrictRecord):
    """One line of a task file."""

    task_id: int | str
    """The original's own id: the list index for tau-bench, a string for tau2."""
    annotator: str | None = None
    """Who wrote the task (tau-bench only)."""
    user_id: str | None = None
    """Whom the user plays (tau-bench only)."""
    instruction: str
    """What the user wants and knows."""
    actions: list[ActionRecord]
    """The reference solution."""
    outputs: list[str]
    """Strings that the agent must say."""
    judge: list[str] = []
    """Criteria that only a language model could judge (tau2 only)."""
    reward_basis: list[str] | None = None
    """What the original's reward is made of (tau2 only); None means database and outputs."""


class M3ToolRecord(StrictRecord):
    """How M3ToolEval presents a tool."""

    description: str
    signature: str


class M3TaskRecord(StrictRecord):
    """One line of M3ToolEval's task file."""

    family: str
    """The original's name of the family."""
    name: str
    """The task's name, unique in its family."""
    instruction: str
    """What the agent reads."""
    expected_repr: str
    """The expected answer as a literal, as CPython 3.11 computes it."""
    expected_type: str
    """Name of its type."""
    tools: dict[str, M3ToolRecord]
    """The tools by name, in the original's words."""


def parse_json(raw: bytes, where: str, error: type[SCAError] = SCAError) -> Any:
    """Parse JSON text in UTF-8; NaN and infinite numbers are refused.

    Args:
        raw: The file's bytes.
        where: What an error message calls the file.
        error: The class of the error to raise.

    Raises:
        SCAError: If it is not JSON (or rather the class given as `error`).
    """
    try:
        return json.loads(raw.decode(), parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError) as cause:
        raise error(
            f"Expected JSON in {where}; got {cause}. Get the file from the original again"
        ) from cause


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text}, which JSON does not have")
    return number


def check_table(table: Any, where: str) -> dict[str, dict[str, Any]]:
    """Return a table if it is a JSON object of records.

    Args:
        table: The parsed value.
        where: What an error message calls it.

    Raises:
        SCAError: If it is anything else.
    """
    if not isinstance(table, dict):
        raise SCAError(
            f"Expected {where} to be a JSON object of records, got {type(table).__name__}; "
            "get the file from the original again"
        )
    for key, record in table.items():
        if not isinstance(record, dict):
            raise SCAError(
                f"Expected every record of {where} to be a JSON object, got "
                f"{type(record).__name__} for {key!r}; get the file from the original again"
            )
    return table


def check_task(value: Any, where: str) -> TaskRecord:
    """Return a task if its fields have the shapes that `TaskRecord` says.

    Args:
        value: The parsed value.
        where: What an error message calls it: file and line, or file and task.

    Raises:
        TaskFileError: If a field is missing, unknown or of another type.
    """
    return _check(TaskRecord, value, where)


def check_m3_task(value: Any, where: str) -> M3TaskRecord:
    """Return a task if its fields have the shapes that `M3TaskRecord` says.

    Args:
        value: The parsed value.
        where: What an error message calls it: file and line.

    Raises:
        TaskFileError: If a field is missing, unknown or of another type.
    """
    return _check(M3TaskRecord, value, where)


_R = TypeVar("_R", bound=StrictRecord)


def _check(kind: type[_R], value: Any, where: str) -> _R:
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in detail['loc']) or 'task'}: {detail['msg']}"
            for detail in error.errors()[:3]
        )
        raise TaskFileError(
            f"{where}: expected a task with the fields of the original; got {problems}"
        ) from error


def format_tasks(tasks: Iterable[TaskRecord]) -> bytes:
    """Return tasks as JSON Lines, each with the fields that were set, in the order of the class."""
    return "".join(
        json.dumps(task.model_dump(exclude_unset=True)) + "\n" for task in tasks
    ).encode()


def parse_tasks(raw: bytes, where: str) -> list[TaskRecord]:
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
        tasks.append(check_task(parse_json(line, at, TaskFileError), at))
    return tasks
