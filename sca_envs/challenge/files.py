"""Sets of Code-as-Tasks in files, in datasets, and in folders of plain files.

A folder holds a task the way that collections of verifiable tasks lay it out: the instruction, the
verification function, the gold solution and the wrong ones as files of their own.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from sca_envs.challenge.task import VERSION, CodeAsTask
from sca_envs.core.errors import SCAError, TaskFileError
from sca_envs.core.record_files import MAX_RECORD, RecordFiles, explain, open_file
from sca_envs.core.strict_json import parse_json
from sca_envs.domains.registry import find_spec

if TYPE_CHECKING:
    from datasets import Dataset

_INSTRUCTION, _VERIFY, _GOLD, _META = "instruction.md", "verify.py", "gold.py", "task.json"
_WRONG = re.compile(r"wrong_(\d+)\.py")


def _check(value: dict[str, Any]) -> None:
    version = value.get("version", VERSION)
    if isinstance(version, int) and version > VERSION:
        raise ValueError(
            f"it has version {version} of the format and this release reads up to {VERSION}; "
            "upgrade sca-envs"
        )


_FILES = RecordFiles(
    CodeAsTask,
    "Code-as-Task",
    nested=("data", "failures", "provenance"),
    kinds={"version": "int64"},
    key=lambda task: (task.id,),
    check=_check,
)


def load_code_tasks(
    path: str | os.PathLike[str], accept: Callable[[CodeAsTask], object] | None = None
) -> list[CodeAsTask]:
    """Read Code-as-Tasks.

    Args:
        path: A file that ends in ``.jsonl`` or ``.parquet``, or a folder that `export_folder`
            wrote.
        accept: Called with each task; an `SCAError` that it raises gets the task's place in front.

    Raises:
        TaskFileError: If it is missing or broken; the message names the line, row or folder.
        OptionError: If a task is of a domain or of data that do not exist.
        OptionError: If the ending is another one.
        SCAError: If a package is missing that the file needs.
    """

    def check(task: CodeAsTask) -> None:
        find_spec(task.domain).parse_data(task.data.name)
        if accept is not None:
            accept(task)

    path = Path(path)
    if not os.path.isdir(path):  # unlike Path's, it is calm about names that cannot be
        return _FILES.load(path, check)
    tasks = _distinct(import_folder(path), str(path))
    for task in tasks:
        try:
            check(task)
        except SCAError as error:
            raise type(error)(f"{path}, task {task.id!r}: {error}") from None
    return tasks


def parse_code_task(line: str | bytes, where: str) -> CodeAsTask:
    """Return the Code-as-Task of one line of JSON.

    Args:
        line: The line.
        where: What error messages begin with.

    Raises:
        TaskFileError: If it is none.
    """
    return _FILES.parse(line, where)


def save_code_tasks(tasks: Iterable[CodeAsTask], path: str | os.PathLike[str]) -> None:
    """Write Code-as-Tasks to a file; it appears whole or not at all.

    Args:
        tasks: The tasks.
        path: A file that ends in ``.jsonl`` or ``.parquet``.

    Raises:
        OptionError: If the ending is another one.
        SCAError: If a package is missing that the file needs.
    """
    _FILES.save(tasks, path)


def code_tasks_to_dataset(tasks: Iterable[CodeAsTask]) -> Dataset:
    """Return Code-as-Tasks as a Hugging Face dataset.

    Raises:
        SCAError: If the extra ``datasets`` is not installed.
    """
    return _FILES.to_dataset(tasks)


def code_tasks_from_dataset(dataset: Dataset) -> list[CodeAsTask]:
    """Return the Code-as-Tasks of a Hugging Face dataset.

    Raises:
        TaskFileError: If a row is none, or two have one id.
    """
    return _distinct(_FILES.from_rows(dataset, "dataset"), "dataset")


def export_folder(tasks: Iterable[CodeAsTask], folder: str | os.PathLike[str]) -> list[Path]:
    """Write each task to a folder of its own: instruction, verify, gold and wrong solutions.

    Args:
        tasks: The tasks.
        folder: Where to make their folders.

    Returns:
        The folders.

    Raises:
        TaskFileError: If a task's folder exists already.
    """
    written: list[Path] = []
    for task in tasks:
        name = re.sub(r"[^\w.-]", "_", task.id)
        place = Path(folder) / re.sub(r"^\.+$", "_", name)
        while place in written:  # another id that only differs in what a folder cannot be called
            place = place.with_name(f"{place.name}_")
        if place.exists():
            raise TaskFileError(f"Expected no folder at {place}; remove it or choose another place")
        place.mkdir(parents=True)
        rest = task.model_dump(
            mode="json", exclude={"instruction", "verify", "solution", "failures"}
        )
        texts = {_INSTRUCTION: task.instruction, _VERIFY: task.verify, _GOLD: task.solution}
        texts |= {f"wrong_{i}.py": source for i, source in enumerate(task.failures, 1)}
        texts[_META] = json.dumps(rest, indent=2) + "\n"
        for name, text in texts.items():
            # Bytes, because a newline must come back as it was.
            (place / name).write_bytes(text.encode("utf-8", "surrogatepass"))
        written.append(place)
    return written


def import_folder(folder: str | os.PathLike[str]) -> list[CodeAsTask]:
    """Read the tasks of a folder of folders, as `export_folder` writes them.

    Raises:
        TaskFileError: If there are none, or one is broken; the message names it.
    """
    places = sorted(path.parent for path in Path(folder).glob(f"*/{_META}"))
    if not places:
        raise TaskFileError(f"Expected folders with a {_META} in {folder}, found none")
    return [_read_folder(place) for place in places]


def _read_folder(place: Path) -> CodeAsTask:
    try:
        value = parse_json(_read(place / _META))
        if not isinstance(value, dict):
            raise ValueError(f"{_META} is no JSON object")
        _check(value)
        names = {"instruction": _INSTRUCTION, "verify": _VERIFY, "solution": _GOLD}
        value |= {field: _read(place / name) for field, name in names.items()}
        wrong = {int(m[1]): path for path in place.iterdir() if (m := _WRONG.fullmatch(path.name))}
        value["failures"] = [_read(wrong[number]) for number in sorted(wrong)]
        return CodeAsTask.model_validate(value)
    except ValidationError as error:
        raise TaskFileError(f"{place}: expected a Code-as-Task; {explain(error)}") from None
    except (OSError, ValueError, TaskFileError) as error:
        raise TaskFileError(f"{place}: expected a Code-as-Task; {error}") from None


def _read(path: Path) -> str:
    with open_file(path, "Code-as-Task") as file:
        content = file.read(MAX_RECORD + 1)
    if len(content) > MAX_RECORD:
        raise ValueError(f"{path.name} has more than {MAX_RECORD:,} bytes")
    return content.decode("utf-8", "surrogatepass")


def _distinct(tasks: list[CodeAsTask], where: str) -> list[CodeAsTask]:
    seen: set[str] = set()
    for task in tasks:
        if task.id in seen:
            raise TaskFileError(f"{where}: expected unique ids; {task.id!r} occurs twice")
        seen.add(task.id)
    return tasks
