"""Task files that somebody wrote to do harm, or by mistake: an error names the place, soon."""

from __future__ import annotations

import gzip
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import pyarrow
import pytest
from pyarrow import parquet
from typer.testing import CliRunner

import sca_envs
from sca_envs import SCAError
from sca_envs.challenge.files import load_code_tasks
from sca_envs.cli import app
from sca_envs.core.task_files import load_tasks, save_tasks
from tests.challenge.tasks import small

RETAIL = "sca/TauRetail-v0"
CODE = "sca/CodeAsTask-v0"


def task() -> dict[str, Any]:
    value: dict[str, Any] = sca_envs.domain("tau_retail").tasks("test")[0].model_dump(mode="json")
    return value


def code_task() -> dict[str, Any]:
    return small().model_dump(mode="json")


def changed(value: dict[str, Any], path: str, new: Any) -> dict[str, Any]:
    """Return a record with one field changed; a path such as ``script.facts.0.cues``."""
    at: Any = value
    *before, last = path.split(".")
    for key in before:
        at = at[int(key) if key.isdecimal() else key]
    at[int(last) if last.isdecimal() else last] = new
    return value


class Raw(str):
    """Stands for JSON text as it is."""


def line(value: dict[str, Any], path: str, new: Any) -> bytes:
    """Return the line of a record with one field changed."""
    text = json.dumps(changed(value, path, "@" if isinstance(new, Raw) else new))
    return (text.replace('"@"', new, 1) if isinstance(new, Raw) else text).encode()


DEEP = Raw("[" * 100_000 + "]" * 100_000)
DEEPISH = Raw("[" * 500 + "]" * 500)
NAMES = [
    "",
    1,
    None,
    [],
    {},
    True,
    "x" * 1_000_000,
    "a\nb",
    "\x1b[31mred",
    "\x00",
    "\ud800",
    "\x85",
]
NUMBERS = [-1, 1.5, "1", True, Raw("NaN"), Raw("-Infinity"), Raw("1e999"), Raw("9" * 5000), 10**30]
TASKS: list[tuple[str, Any]] = [
    *(("id", name) for name in NAMES),
    *(("domain", name) for name in NAMES[:6]),
    *(("split", name) for name in NAMES[5:8]),
    *(("difficulty", number) for number in NUMBERS),
    ("domain", "nope"),
    ("domain", "tau_airline"),
    ("data", "nope"),
    ("data", "generated:" + "1" * 5000),
    ("data", "generated:-1"),
    ("data", "../../etc"),
    ("instruction", 7),
    ("instruction", None),
    ("unknown", 1),
    ("\x1b[2J" * 1000, 1),
    ("actions", DEEP),
    ("actions", "x"),
    ("actions.0.name", "\x1b[2J"),
    ("actions.0.arguments", []),
    ("actions.0.arguments.x", DEEPISH),
    ("actions.0.arguments.x", Raw("NaN")),
    ("actions.0.arguments.x", Raw("1" * 5000)),
    ("actions.0.arguments.x", Raw("1e400")),
    ("actions.0.arguments", Raw('{"a": 1, "a": 2}')),
    ("outputs", [""] * 1001),
    ("outputs", "text"),
    ("outputs", {"a": 1}),
    ("expected", {"literal": "(" * 90_000, "type": "tuple"}),
    ("expected", {"literal": "-" * 90_000 + "1", "type": "int"}),
    ("expected", {"literal": "1" * 5000, "type": "int"}),
    ("expected", {"literal": "__import__('os').abort()", "type": "int"}),
    ("expected", {"literal": "1", "type": "str"}),
    ("script", []),
    ("script.requests", []),
    ("script.phrases", {}),
    ("script.facts.0.given", "yes"),
    ("script.facts.0.cues", ["(a+)+$"]),
    ("script.facts.0.cues", ["("]),
    ("script.facts.0.cues", "abc"),
    ("script.facts.0.cues", ["(?:" * 5000]),
    ("script.facts.0.cues", ["[ab]{0,200}c"] * 100),
    ("script.id_pattern", r"(\w+\s?)+:"),
    ("script.id_pattern", "a" * 1_000_000),
]
CODE_TASKS: list[tuple[str, Any]] = [
    *(("id", name) for name in NAMES),
    *(("provenance.seed", number) for number in NUMBERS if number != 10**30),
    *(("version", number) for number in [*NUMBERS, 0, 99]),
    ("provenance.seed", Raw("1" + "0" * 5000)),
    ("domain", "nope"),
    ("domain", "\x1b]0;x\x07"),
    ("data", "generated"),
    ("data.name", "nope"),
    ("data.name", "generated:" + "9" * 4000),
    ("data.digest", "\x1b[2J"),
    ("data.digest", "z"),
    ("format", "other"),
    ("verify", None),
    ("verify", ["def verify(answer): ..."]),
    ("failures", "x"),
    ("failures", [1]),
    ("failures", ["x"] * 1001),
    ("unknown", 1),
    ("provenance", DEEP),
    ("provenance.verdicts", [{"gate": "\x07", "passed": True}]),
    ("provenance.verdicts", [{"gate": "g", "passed": "yes"}]),
    ("provenance.verdicts", [{"gate": "solution", "passed": True, "details": {"calls": "many"}}]),
    ("provenance.verdicts", [{"gate": "g", "passed": True, "details": {"rejected": -1}}]),
    ("provenance.verdicts.0", 1),
]


def plain(text: str) -> bool:
    """Return whether a text is fit for a terminal, and short."""
    return text.isprintable() and len(text) < 2_000


def check(use: Callable[[], Any], path: Path, place: str, field: str) -> None:
    start = time.process_time()
    with pytest.raises(SCAError) as caught:
        use()
    text = str(caught.value)
    assert f"{path}, {place}: " in text
    assert field in text
    assert plain(text), text
    assert time.process_time() - start < 10


@pytest.mark.parametrize(("field", "value"), TASKS, ids=range(len(TASKS)))
def test_a_hostile_task(tmp_path: Path, field: str, value: Any) -> None:
    path = tmp_path / "tasks.jsonl"
    good = json.dumps({**task(), "id": "good"}).encode()
    path.write_bytes(good + b"\n\n" + line(task(), field, value) + b"\n")
    told = field.rpartition(".")[2] if field.isprintable() else "unexpected"
    told = {"unexpected": "x1b"}.get(told, told)
    told = "" if field in ("domain", "data") else told
    told = "levels" if value is DEEP or "cues" in field else told
    told = "" if "cues" in field or "phrases" in field or "id_pattern" in field else told
    known = field in ("domain", "data") and isinstance(value, str) and value.isprintable()
    if not known:  # which domains there are is not the loader's to know
        check(lambda: load_tasks(path), path, "line 3", told)
    check(lambda: gym.make(RETAIL, tasks=str(path)), path, "line 3", told)
    check(lambda: sca_envs.evaluate(RETAIL, "noop", tasks=path), path, "line 3", told)


@pytest.mark.parametrize(("field", "value"), CODE_TASKS, ids=range(len(CODE_TASKS)))
def test_a_hostile_code_as_task(tmp_path: Path, field: str, value: Any) -> None:
    path = tmp_path / "tasks.jsonl"
    good = json.dumps({**code_task(), "id": "good"}).encode()
    if field == "provenance.verdicts.0":
        bad = line(code_task(), "provenance.verdicts", [value])
    else:
        bad = line(code_task(), field, value)
    path.write_bytes(good + b"\n\n" + bad + b"\n")
    check(lambda: load_code_tasks(path), path, "line 3", "")
    check(lambda: gym.make(CODE, tasks=path), path, "line 3", "")
    check(lambda: sca_envs.evaluate(CODE, "noop", tasks=path), path, "line 3", "")
    for command in ("inspect", "stats"):
        done = CliRunner().invoke(app, ["challenge", command, str(path)])
        assert isinstance(done.exception, SCAError)
        assert f"{path}, line 3: " in str(done.exception)


def whole(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode()


FILES: dict[str, tuple[Callable[[dict[str, Any]], bytes], str]] = {
    "a byte order mark": (lambda v: b"\xef\xbb\xbf" + whole(v), "line 1: .*byte order mark"),
    "UTF-16": (lambda v: json.dumps(v).encode("utf-16"), "line 1: .*UTF-8"),
    "UTF-16 without a mark": (lambda v: json.dumps(v).encode("utf-16-le"), "line 1: .*JSON"),
    "Latin-1": (lambda v: whole({**v, "x": 1})[:-1] + b"\xe9}", "line 1: .*UTF-8, got byte 0xe9"),
    "gzip": (lambda v: gzip.compress(whole(v)), "line 1: .*UTF-8, got byte 0x8b"),
    "NUL": (lambda v: b"\0" * 100, "line 1: .*JSON"),
    "NUL at the end": (lambda v: whole(v) + b"\0", "line 1: .*JSON"),
    "half a line": (lambda v: whole(v)[:-9], "line 1: .*JSON"),
    "two in a line": (lambda v: whole(v) * 2, "line 1: .*JSON"),
    "a list of tasks": (lambda v: b"[" + whole(v) + b"]", "line 1: .*object"),
    "pretty JSON": (lambda v: json.dumps(v, indent=1).encode(), "line 1: .*JSON"),
    "a key twice": (lambda v: b'{"id": "a", ' + whole(v)[1:], "line 1: .*id: .*twice"),
    "an id twice": (lambda v: whole(v) + b"\n" + whole(v), "twice, in line 1 and line 2"),
    "a scalar": (lambda v: b"1", "line 1: .*object"),
    "nothing but depth": (lambda v: b'{"a":' * 100_000, "line 1: .*levels"),
    "a long line": (lambda v: b'{"id": "' + b"a" * 10_000_001, "line 1: .*10,000,000 bytes"),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", ["task", "code"])
def test_a_hostile_file(tmp_path: Path, name: str, kind: str) -> None:
    make, words = FILES[name]
    path = tmp_path / "tasks.jsonl"
    path.write_bytes(make(task() if kind == "task" else code_task()))
    load: Callable[[Path], Any] = load_tasks if kind == "task" else load_code_tasks
    env_id = RETAIL if kind == "task" else CODE
    for use in (load, lambda path: gym.make(env_id, tasks=path)):
        with pytest.raises(SCAError, match=rf"tasks\.jsonl.*{words}") as caught:
            use(path)
        assert plain(str(caught.value))


@pytest.mark.parametrize("load", [load_tasks, load_code_tasks])
def test_what_is_no_file(tmp_path: Path, load: Callable[[Path], Any]) -> None:
    fifo = tmp_path / "pipe.jsonl"
    os.mkfifo(fifo)
    (tmp_path / "loop.jsonl").symlink_to(tmp_path / "loop.jsonl")
    (tmp_path / "null.parquet").symlink_to("/dev/zero")
    for name, words in {
        "pipe.jsonl": "a pipe or device",
        "loop.jsonl": "",
        "null.parquet": "a pipe or device",
        "a\0b.jsonl": "null",
        "n" * 300 + ".jsonl": "too long",
    }.items():
        with pytest.raises(SCAError, match=rf"file at .*{words}"):
            load(tmp_path / name)
    with (tmp_path / "sparse.jsonl").open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(SCAError, match=r"line 1: expected at most"):
        load(tmp_path / "sparse.jsonl")


def test_a_folder_of_pipes_is_refused(tmp_path: Path) -> None:
    from sca_envs.challenge.files import export_folder

    for name in ("verify.py", "task.json"):
        (folder,) = export_folder([small()], tmp_path / name)
        (folder / name).unlink()
        os.mkfifo(folder / name)
        with pytest.raises(SCAError, match=r"a pipe or device"):
            load_code_tasks(tmp_path / name)


COLUMNS: dict[str, tuple[Any, str]] = {
    "id": (pyarrow.array([7]), "id: "),
    "domain": (pyarrow.array([b"tau_retail"]), "domain: .*bytes"),
    "instruction": (pyarrow.array([None], pyarrow.null()), "instruction: "),
    "difficulty": (pyarrow.array([float("nan")]), "difficulty: .*finite"),
    "outputs": (pyarrow.array([[1, 2]]), r"outputs\.0: "),
    "script": (pyarrow.array([3]), "JSON text in 'script', got int"),
    "actions": (pyarrow.array(['[{"name": "a", "name": "b"}]']), "'actions', got 0.name: .*twice"),
    "judge": (pyarrow.array(["x"]), "judge: "),
    "expected": (pyarrow.array(['{"literal": NaN}']), "'expected', got literal: .*finite"),
    "split": (pyarrow.array([0], pyarrow.timestamp("s")), "split: .*datetime"),
}


@pytest.mark.parametrize("column", COLUMNS)
def test_a_parquet_file_with_another_column(tmp_path: Path, column: str) -> None:
    array, words = COLUMNS[column]
    path = tmp_path / "tasks.parquet"
    save_tasks([sca_envs.domain("tau_retail").tasks("test")[0]], path)
    table = parquet.read_table(path)
    index = table.schema.get_field_index(column)
    parquet.write_table(table.set_column(index, column, array), path)
    for use in (load_tasks, lambda path: gym.make(RETAIL, tasks=path)):
        with pytest.raises(SCAError, match=rf"tasks\.parquet, row 0: .*{words}"):
            use(path)


def test_a_small_parquet_file_that_holds_much(tmp_path: Path) -> None:
    path = tmp_path / "bomb.parquet"
    text = pyarrow.DictionaryArray.from_arrays([0] * 64, ["x" * 20_000_000])
    parquet.write_table(pyarrow.table({"id": text}), path, compression="zstd")
    assert path.stat().st_size < 1_000_000
    with pytest.raises(SCAError, match=r"bomb\.parquet: .*10,000,000 bytes"):
        load_tasks(path)


def test_a_renamed_file(tmp_path: Path) -> None:
    tasks = [sca_envs.domain("tau_retail").tasks("test")[0]]
    save_tasks(tasks, tmp_path / "a.parquet")
    (tmp_path / "b.jsonl").write_bytes((tmp_path / "a.parquet").read_bytes())
    save_tasks(tasks, tmp_path / "c.jsonl")
    (tmp_path / "d.parquet").write_bytes((tmp_path / "c.jsonl").read_bytes())
    for name in ("b.jsonl", "d.parquet"):
        with pytest.raises(SCAError, match=name):
            load_tasks(tmp_path / name)


def test_an_empty_file_is_refused_where_tasks_are_wanted(tmp_path: Path) -> None:
    path = tmp_path / "tasks.jsonl"
    path.write_bytes(b"")
    assert len(load_tasks(path)) == 0
    for env_id in (RETAIL, CODE):
        with pytest.raises(SCAError, match=r"at least one task.*tasks\.jsonl"):
            gym.make(env_id, tasks=path)
        with pytest.raises(SCAError, match=r"at least one task.*tasks\.jsonl"):
            sca_envs.evaluate(env_id, "noop", tasks=path)


def test_a_file_of_code_as_tasks_is_evaluated(tmp_path: Path) -> None:
    """What `--tasks` reads for the other environments, it reads for this one, too."""
    from sca_envs.challenge.files import save_code_tasks

    path = tmp_path / "tasks.jsonl"
    save_code_tasks([small(), small(id="b")], path)
    run = sca_envs.evaluate(CODE, "reference", tasks=path)
    assert run.results.success is not None
    assert run.results.success.mean == 1.0
    assert all(sca_envs.replay(one).ok for one in run.trajectories())


def test_megabytes_are_shown_soon(tmp_path: Path) -> None:
    path = tmp_path / "tasks.jsonl"
    text = "word " * 1_500_000
    path.write_text(json.dumps({**code_task(), "instruction": text, "solution": "-" * 100_000}))
    for command in ("inspect", "stats"):
        start = time.process_time()
        done = CliRunner().invoke(app, ["challenge", command, str(path)])
        assert done.exit_code == 0, done.output
        assert time.process_time() - start < 40  # laying all of it out took 87 s
