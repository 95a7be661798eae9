"""Task sets in files: JSON Lines, Parquet and Hugging Face datasets.

In JSON Lines a line is a task as `Task` defines it. Parquet and datasets want columns of one type,
so there reference actions, scripts and expected answers are JSON texts.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from sca_envs.core.errors import OptionError, SCAError, TaskFileError
from sca_envs.core.task import Task, TaskSet

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

_JSON_COLUMNS = ("actions", "script", "expected")


def load_tasks(path: str | os.PathLike[str]) -> TaskSet:
    """Read a task set.

    Args:
        path: A file that ends in ``.jsonl`` or ``.parquet``.

    Raises:
        TaskFileError: If the file is missing or broken; the message names the line or row.
        OptionError: If the ending is another one.
        SCAError: If a package is missing that the file needs.
    """
    path = Path(path)
    read, _ = _by_ending(path)
    if not path.is_file():
        raise TaskFileError(f"Expected a task file at {path}, found none")
    return _task_set(read(path), str(path))


def save_tasks(tasks: Iterable[Task], path: str | os.PathLike[str]) -> None:
    """Write tasks to a file; it appears whole or not at all.

    Args:
        tasks: The tasks.
        path: A file that ends in ``.jsonl`` or ``.parquet``.

    Raises:
        OptionError: If the ending is another one.
        SCAError: If a package is missing that the file needs.
    """
    path = Path(path)
    _, write = _by_ending(path)
    partial = path.with_name(f"{path.name}.partial")
    try:
        write(tasks, partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def to_datasets(tasks: Iterable[Task]) -> DatasetDict:
    """Return tasks as a Hugging Face `DatasetDict` with a dataset for each split.

    Raises:
        SCAError: If the extra ``datasets`` is not installed.
    """
    datasets = _import("datasets", "datasets")
    splits: dict[str, list[dict[str, Any]]] = {}
    for task in tasks:
        splits.setdefault(task.split, []).append(_to_row(task))
    result: DatasetDict = datasets.DatasetDict(
        {
            split: datasets.Dataset.from_list(rows, features=_features(datasets))
            for split, rows in splits.items()
        }
    )
    return result


def from_datasets(dataset: DatasetDict | Dataset) -> TaskSet:
    """Return the tasks of a Hugging Face dataset, or of all splits of a `DatasetDict`.

    Raises:
        TaskFileError: If a row is not a task, or two have one id; the message names the row.
    """
    parts = dataset.values() if isinstance(dataset, dict) else (dataset,)
    return _task_set(
        [_from_row(row, f"dataset, row {i}") for part in parts for i, row in enumerate(part)],
        "dataset",
    )


def _task_set(tasks: list[Task], name: str) -> TaskSet:
    try:
        return TaskSet(tasks, name)
    except ValueError as error:  # two tasks with one id
        raise TaskFileError(f"{name}: {error}") from None


_Reader = Callable[[Path], list[Task]]
_Writer = Callable[[Iterable[Task], Path], None]


def _by_ending(path: Path) -> tuple[_Reader, _Writer]:
    match path.suffix:
        case ".jsonl":
            return _read_jsonl, _write_jsonl
        case ".parquet":
            return _read_parquet, _write_parquet
        case ending:
            raise OptionError(f"Expected a task file in .jsonl or .parquet; got {ending!r}: {path}")


def _read_jsonl(path: Path) -> list[Task]:
    tasks = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if line.strip():
            try:
                tasks.append(Task.model_validate_json(line))
            except ValidationError as error:
                raise TaskFileError(f"{path}, line {number}: {_explain(error)}") from None
    return tasks


def _write_jsonl(tasks: Iterable[Task], path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{task.model_dump_json()}\n" for task in tasks)


def _read_parquet(path: Path) -> list[Task]:
    pyarrow = _import("pyarrow", "parquet")
    parquet = _import("pyarrow.parquet", "parquet")
    try:
        rows = parquet.read_table(path).to_pylist()
    except (pyarrow.ArrowException, OSError) as error:  # OSError: damaged data pages
        raise TaskFileError(f"{path}: expected a Parquet file, got {error}") from None
    return [_from_row(row, f"{path}, row {number}") for number, row in enumerate(rows)]


def _write_parquet(tasks: Iterable[Task], path: Path) -> None:
    pyarrow = _import("pyarrow", "parquet")
    parquet = _import("pyarrow.parquet", "parquet")
    strings = pyarrow.list_(pyarrow.string())
    kinds = {"outputs": strings, "judge": strings, "difficulty": pyarrow.int64()}
    fields = [(name, kinds.get(name, pyarrow.string())) for name in Task.model_fields]
    table = pyarrow.Table.from_pylist([_to_row(t) for t in tasks], schema=pyarrow.schema(fields))
    parquet.write_table(table, path)


def _features(datasets: Any) -> Any:
    strings = datasets.List(datasets.Value("string"))
    kinds = {"outputs": strings, "judge": strings, "difficulty": datasets.Value("int64")}
    return datasets.Features(
        {name: kinds.get(name, datasets.Value("string")) for name in Task.model_fields}
    )


def _to_row(task: Task) -> dict[str, Any]:
    row = task.model_dump(mode="json")
    for column in _JSON_COLUMNS:
        row[column] = None if row[column] is None else json.dumps(row[column])
    return row


def _from_row(row: dict[str, Any], where: str) -> Task:
    try:
        for column in _JSON_COLUMNS:
            if row.get(column) is not None:
                row = {**row, column: json.loads(row[column])}
        return Task.model_validate(row)
    except (ValidationError, TypeError) as error:
        raise TaskFileError(f"{where}: {_explain(error)}") from None
    except (ValueError, RecursionError) as error:
        raise TaskFileError(f"{where}: expected JSON text in {column!r}, got {error}") from None


def _explain(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return f"expected a task, got {error}"
    problems = [
        f"{'.'.join(map(str, item['loc'])) or 'task'}: {item['msg']}"
        for item in error.errors(include_url=False)[:3]
    ]
    return f"expected a task; {'; '.join(problems)}"


def _import(module: str, extra: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise SCAError(
            f"Expected the package {module.partition('.')[0]}, which is not installed; "
            f"run `pip install 'sca-envs[{extra}]'`"
        ) from None
