"""Task sets in files: JSON Lines, Parquet and Hugging Face datasets; see `record_files`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from sca_envs.core.errors import TaskFileError
from sca_envs.core.extras import import_extra
from sca_envs.core.record_files import RecordFiles
from sca_envs.core.task import Task, TaskSet

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

_FILES = RecordFiles(
    Task,
    "task",
    nested=("actions", "script", "expected"),
    kinds={"outputs": "strings", "judge": "strings", "difficulty": "int64"},
    key=lambda task: (task.split, task.id),
)


def load_tasks(
    path: str | os.PathLike[str], accept: Callable[[Task], object] | None = None
) -> TaskSet:
    """Read a task set.

    Args:
        path: A file that ends in ``.jsonl`` or ``.parquet``.
        accept: Called with each task; an `SCAError` that it raises gets the task's line in front.

    Raises:
        TaskFileError: If the file is missing or broken; the message names the line or row.
        OptionError: If the ending is another one.
        SCAError: If a package is missing that the file needs.
    """
    return _task_set(_FILES.load(path, accept), str(path))


def save_tasks(tasks: Iterable[Task], path: str | os.PathLike[str]) -> None:
    """Write tasks to a file; it appears whole or not at all.

    Args:
        tasks: The tasks.
        path: A file that ends in ``.jsonl`` or ``.parquet``.

    Raises:
        OptionError: If the ending is another one.
        SCAError: If a package is missing that the file needs.
    """
    _FILES.save(tasks, path)


def to_datasets(tasks: Iterable[Task]) -> DatasetDict:
    """Return tasks as a Hugging Face `DatasetDict` with a dataset for each split.

    Raises:
        SCAError: If the extra ``datasets`` is not installed.
    """
    datasets = import_extra("datasets", "datasets")
    splits: dict[str, list[Task]] = {}
    for task in tasks:
        splits.setdefault(task.split, []).append(task)
    result: DatasetDict = datasets.DatasetDict(
        {split: _FILES.to_dataset(members) for split, members in splits.items()}
    )
    return result


def from_datasets(dataset: DatasetDict | Dataset) -> TaskSet:
    """Return the tasks of a Hugging Face dataset, or of all splits of a `DatasetDict`.

    Raises:
        TaskFileError: If a row is not a task, or two have one id; the message names the row.
    """
    parts = dataset.values() if isinstance(dataset, dict) else (dataset,)
    tasks = [task for part in parts for task in _FILES.from_rows(part, "dataset")]
    return _task_set(tasks, "dataset")


def _task_set(tasks: list[Task], name: str) -> TaskSet:
    try:
        return TaskSet(tasks, name)
    except ValueError as error:  # two tasks with one id
        raise TaskFileError(f"{name}: {error}") from None
