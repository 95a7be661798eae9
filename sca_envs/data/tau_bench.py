"""Import of the original tau-bench: retail and airline, their tables, policies and tasks.

The original's task lists are Python files. They are read as syntax trees and never executed: only
what a list of tasks is made of is understood, and anything else is an error with its line.
"""

from __future__ import annotations

import ast
import math
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sca_envs.core.errors import OptionError, TaskFileError
from sca_envs.data.files import (
    LICENSE,
    POLICY,
    TABLES,
    domain_files,
    read_source,
    replace_folder,
)
from sca_envs.data.records import (
    TaskRecord,
    check_table,
    check_task,
    format_tasks,
    parse_json,
    parse_tasks,
)

FOLDER = "tau_bench"
SPLITS: Mapping[str, tuple[str, ...]] = {"retail": ("test", "train", "dev"), "airline": ("test",)}
"""Domain folder -> its splits."""
DOMAIN_FILES = {domain: domain_files(domain, splits) for domain, splits in SPLITS.items()}
"""Domain folder -> names of the files in it."""

_TASK_FIELDS = ("annotator", "user_id", "instruction", "actions", "outputs")
_ACTION_FIELDS = ("name", "kwargs")
_IN_WORDS = {
    ast.Call: "a function call",
    ast.JoinedStr: "an f-string",
    ast.Import: "an import",
    ast.ImportFrom: "an import",
    ast.Name: "a variable",
    ast.BinOp: "a computation",
    ast.List: "another list",
}


def import_tau_bench(source: Path, target: Path) -> list[Path]:
    """Convert the original data into ``<target>/tau_bench``; see `sca_envs.data` for the form.

    Args:
        source: A checkout of sierra-research/tau-bench, its ``tau_bench`` folder, or a folder that
            an earlier import wrote.
        target: The data folder. An older import in it is replaced once the new one is complete.

    Returns:
        The written files.

    Raises:
        OptionError: If `source` is none of these, or incomplete.
        TaskFileError: If a task file has anything but tasks; the message names file and line.
        SCAError: If a table is not a JSON object of records, or `target` cannot be written to.
    """
    if not source.is_dir():
        raise OptionError(
            f"Expected a checkout of sierra-research/tau-bench, got {source}, which is no folder"
        )
    if (source / "tau_bench" / "envs").is_dir():
        files = _read_checkout(source / "tau_bench", source)
    elif (source / "envs").is_dir():
        files = _read_checkout(source, source.absolute().parent)
    elif any((source / domain / POLICY).is_file() for domain in SPLITS):
        files = _read_converted(source)
    else:
        raise OptionError(
            "Expected a checkout of sierra-research/tau-bench (a folder with tau_bench/envs), its "
            "tau_bench folder (with envs), or a folder that an earlier import wrote (with "
            f"retail/{POLICY}); {source} has none of these"
        )
    return replace_folder(target, FOLDER, files, known=_known_files())


def _known_files() -> list[str]:
    return [LICENSE, *(f"{domain}/{name}" for domain in SPLITS for name in DOMAIN_FILES[domain])]


def _read_checkout(package: Path, root: Path) -> dict[str, bytes]:
    """Return the files of the converted form, from the original's package and repository."""
    files = {LICENSE: read_source(root, LICENSE)}
    for domain, splits in SPLITS.items():
        folder = package / "envs" / domain
        for table in TABLES[domain]:
            files[f"{domain}/{table}.json"] = read_source(folder, f"data/{table}.json")
        files[f"{domain}/{POLICY}"] = read_source(folder, "wiki.md")
        _check_tables(files, domain, folder / "data")
        for split in splits:
            name = f"tasks_{split}.py"
            tasks = read_task_list(read_source(folder, name), str(folder / name))
            files[f"{domain}/tasks_{split}.jsonl"] = format_tasks(tasks)
    return files


def _read_converted(source: Path) -> dict[str, bytes]:
    """Return the files of an earlier import as they are, after the same checks."""
    files = {relative: read_source(source, relative) for relative in _known_files()}
    for domain, splits in SPLITS.items():
        _check_tables(files, domain, source / domain)
        for split in splits:
            relative = f"{domain}/tasks_{split}.jsonl"
            for index, task in enumerate(parse_tasks(files[relative], str(source / relative))):
                _check_converted(task, index, f"{source / relative}:{index + 1}")
    return files


def _check_tables(files: Mapping[str, bytes], domain: str, folder: Path) -> None:
    for table in TABLES[domain]:
        where = str(folder / f"{table}.json")
        check_table(parse_json(files[f"{domain}/{table}.json"], where), where)


def _check_converted(task: TaskRecord, index: int, where: str) -> None:
    if task.task_id != index:
        raise TaskFileError(f"{where}: expected the task_id {index}, got {task.task_id!r}")
    if task.model_fields_set != {"task_id", *_TASK_FIELDS}:
        raise TaskFileError(
            f"{where}: expected the fields task_id, {', '.join(_TASK_FIELDS)}; got "
            f"{', '.join(sorted(task.model_fields_set))}"
        )


def read_task_list(raw: bytes, where: str) -> list[TaskRecord]:
    """Read the tasks of a Python file of the original without executing it.

    Allowed are an import of ``Task`` and ``Action``, and one assignment of a list of ``Task(...)``
    with literal arguments.

    Args:
        raw: The file's bytes.
        where: What an error message calls the file.

    Returns:
        The tasks; their ids are their places in the list.

    Raises:
        TaskFileError: If the file has anything else; the message names the line.
    """
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
    return _Reader(where).module(module)


class _Reader:
    """Turns the syntax tree of one task file into tasks."""

    def __init__(self, where: str) -> None:
        self._where = where

    def module(self, module: ast.Module) -> list[TaskRecord]:
        lists: list[list[ast.expr]] = []
        for statement in module.body:
            match statement:
                case ast.Assign(targets=[ast.Name()], value=ast.List(elts=elements)) if not lists:
                    lists.append(elements)
                case ast.ImportFrom(module="tau_bench.types", names=names, level=0) if all(
                    name.name in ("Task", "Action") and name.asname is None for name in names
                ):
                    pass
                case ast.Expr(value=ast.Constant(value=str())):
                    pass
                case _:
                    raise self._error(statement, "one list of tasks and nothing that runs")
        if not lists:
            raise TaskFileError(f"{self._where}:1: expected a list of tasks, got none")
        return [self._task(index, node) for index, node in enumerate(lists[0])]

    def _task(self, index: int, node: ast.expr) -> TaskRecord:
        fields = self._call(node, "Task", _TASK_FIELDS)
        actions = fields["actions"]
        if not isinstance(actions, ast.List):
            raise self._error(actions, "a list of Action(...)")
        # In the order of the original's fields, whatever the order of the keywords.
        task: dict[str, Any] = {"task_id": index}
        for name in _TASK_FIELDS:
            if name == "actions":
                task[name] = [self._action(element) for element in actions.elts]
            else:
                task[name] = self._literal(fields[name])
        return check_task(task, f"{self._where}:{node.lineno}")

    def _action(self, node: ast.expr) -> dict[str, Any]:
        fields = self._call(node, "Action", _ACTION_FIELDS)
        return {name: self._literal(fields[name]) for name in _ACTION_FIELDS}

    def _call(self, node: ast.expr, name: str, fields: Sequence[str]) -> dict[str, ast.expr]:
        """Return the arguments of ``name(field=…, …)``, which must be exactly `fields`."""
        expected = f"{name}({', '.join(f'{field}=…' for field in fields)})"
        match node:
            case ast.Call(func=ast.Name(id=called), args=[], keywords=keywords) if called == name:
                if sorted(keyword.arg or "" for keyword in keywords) == sorted(fields):
                    return {keyword.arg or "": keyword.value for keyword in keywords}
        raise self._error(node, expected)

    def _literal(self, node: ast.expr) -> Any:
        """Return the JSON value that a literal stands for."""
        match node:
            case ast.Constant(value=str() | bool() | int() | None as value):
                return value
            case ast.Constant(value=float() as value) if math.isfinite(value):
                return value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float()) as number):
                return -self._literal(number)
            case ast.List(elts=elements):
                return [self._literal(element) for element in elements]
            case ast.Dict(keys=keys, values=values):
                names = [self._key(key, node) for key in keys]
                if len(set(names)) < len(names):
                    raise self._error(node, "every key once", got=f"the keys {', '.join(names)}")
                pairs = zip(names, values, strict=True)
                return {name: self._literal(value) for name, value in pairs}
        raise self._error(node, "a text, number, list or dictionary")

    def _key(self, node: ast.expr | None, dictionary: ast.Dict) -> str:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        raise self._error(node or dictionary, "a text as key")

    def _error(
        self, node: ast.expr | ast.stmt, expected: str, got: str | None = None
    ) -> TaskFileError:
        value = node.value if isinstance(node, ast.Expr | ast.Assign) else node
        got = got or _IN_WORDS.get(type(value), f"{type(value).__name__} code")
        return TaskFileError(
            f"{self._where}:{node.lineno}: expected {expected}; got {got}. The file is read, "
            "never run, so it may have only what the original's task lists are made of"
        )
