"""Task sets in files: nothing is lost on the way, and what is broken is named."""

import contextlib
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from sca_envs.core.errors import OptionError, SCAError, TaskFileError, UnknownTaskError
from sca_envs.core.task import (
    Fact,
    ReferenceAction,
    Request,
    Task,
    TaskSet,
    TaskSource,
    UserScript,
)
from sca_envs.core.task_files import from_datasets, load_tasks, save_tasks, to_datasets

ENDINGS = ["jsonl", "parquet"]

# Every character that some reader takes for the end of a line, and what JSON escapes.
NASTY = 'a"b\\c\n\r\r\n\x0b\x0c\x1c\x85\u2028\u2029\x00\t{}[],: é 😀'

NAME = 'a"b\\c{}[],: é 😀'
PHRASES = dict.fromkeys(("yes", "no", "next", "thanks", "leave_it", "unsure", "give_up"), "")

BARE = Task(id="0", domain="toy", data="d", split="test", instruction="")
FULL = Task(
    id=NAME,
    domain="toy",
    data="generated:0",
    split="train",
    instruction=NASTY,
    script=UserScript(
        facts=(
            Fact(key=NAME, cues=(), text=""),
            Fact(key="k", cues=(re.escape(NASTY),), text=NASTY, given=True),
        ),
        requests=(Request(opening=""), Request(opening=NASTY, ids=("", "1"), outputs=(NASTY,))),
        greeting="",
        phrases={**PHRASES, NASTY: "no"},
    ),
    actions=(
        ReferenceAction(name="bare"),
        ReferenceAction(
            name=NAME,
            arguments={"": None, NASTY: [1, 1.0, True, -0.0, 0.1, 1e22, 10**30, "", [], {}]},
        ),
    ),
    outputs=("", NASTY),
    difficulty=3,
    audit="",
    judge=("", NASTY),
)


def numbered(*ids: str, split: str = "train") -> list[Task]:
    return [BARE.model_copy(update={"id": task_id, "split": split}) for task_id in ids]


def check_equal(loaded: TaskSet, tasks: Any) -> None:
    """Check that two task sets are equal, the kinds of their numbers included."""
    assert loaded == TaskSet(tasks)
    assert [repr(task) for task in loaded] == [repr(task) for task in tasks]


def round_trip(tasks: Any, ending: str) -> TaskSet:
    if ending == "datasets":
        return from_datasets(to_datasets(tasks))
    with tempfile.TemporaryDirectory() as folder:
        save_tasks(tasks, f"{folder}/tasks.{ending}")
        return load_tasks(f"{folder}/tasks.{ending}")


@pytest.mark.parametrize("ending", [*ENDINGS, "datasets"])
def test_generated_tasks_survive(retail_tasks: tuple[Task, ...], ending: str) -> None:
    loaded = round_trip(retail_tasks, ending)
    check_equal(loaded, retail_tasks)
    assert loaded.splits == ("train", "test")
    assert len(loaded.split("train")) + len(loaded.split("test")) == len(retail_tasks)


@pytest.mark.parametrize("ending", [*ENDINGS, "datasets"])
@pytest.mark.parametrize(
    "tasks", [[], [BARE], [FULL], [FULL, BARE], [BARE, FULL, *numbered("1", "2", split="test")]]
)
def test_empty_and_nasty_fields_survive(tasks: list[Task], ending: str) -> None:
    expected = tasks
    if ending == "datasets":  # has the splits one after the other
        expected = [task for split in TaskSet(tasks).splits for task in TaskSet(tasks).split(split)]
    check_equal(round_trip(tasks, ending), expected)


_texts = st.text(max_size=5)
_names = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=5)
_patterns = _texts.map(re.escape)
_some = st.lists(_texts, max_size=2).map(tuple)
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=5,
)
_facts = st.lists(
    st.builds(
        Fact,
        key=_names,
        cues=st.lists(_patterns, max_size=2).map(tuple),
        text=_texts,
        given=st.booleans(),
    ),
    max_size=2,
).map(tuple)
_requests = st.builds(Request, opening=_texts, facts=_facts, ids=_some, outputs=_some)
_scripts = st.builds(
    UserScript,
    facts=_facts,
    requests=st.lists(_requests, min_size=1, max_size=2).map(tuple),
    id_pattern=_patterns,
    greeting=_texts,
    phrases=st.dictionaries(_texts, _texts, max_size=2).map(lambda more: {**PHRASES, **more}),
)
_actions = st.builds(ReferenceAction, name=_names, arguments=st.dictionaries(_texts, _values))
_tasks = st.builds(
    Task,
    id=_names,
    domain=_names,
    data=_names,
    split=st.just("s"),
    instruction=_texts,
    script=st.none() | _scripts,
    actions=st.lists(_actions, max_size=2).map(tuple),
    outputs=_some,
    difficulty=st.integers(0, 2**63 - 1),
    audit=st.none() | _texts,
    judge=_some,
)


@pytest.mark.parametrize(("ending", "examples"), [("jsonl", 60), ("parquet", 40), ("datasets", 5)])
def test_any_tasks_survive(ending: str, examples: int) -> None:
    @settings(max_examples=examples)
    @given(st.lists(_tasks, min_size=1, max_size=3, unique_by=lambda task: task.id))
    def check(tasks: list[Task]) -> None:
        check_equal(round_trip(tasks, ending), tasks)

    check()


def test_one_dataset_is_a_task_set(retail_tasks: tuple[Task, ...]) -> None:
    parts = to_datasets(retail_tasks)
    assert set(parts) == {"train", "test"}
    check_equal(from_datasets(parts["test"]), [t for t in retail_tasks if t.split == "test"])
    assert parts["train"][0]["id"] == "train-0"


def write_lines(path: Path, *lines: str | bytes) -> Path:
    path.write_bytes(b"\n".join(line.encode() if isinstance(line, str) else line for line in lines))
    return path


GOOD = BARE.model_dump_json()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"id": "0"', "Invalid JSON"),
        ("nonsense", "Invalid JSON"),
        ("[]", "task: Input should be an object"),
        ("{}", "id: Field required; domain: Field required"),
        (GOOD.replace('"id":"0"', '"id":0'), "id: Input should be a valid string"),
        (GOOD[:-1] + ',"more":1}', "more: Extra inputs are not permitted"),
        (GOOD.replace('"actions":[]', '"actions":[{"name":1}]'), "actions.0.name: "),
        (b'{"id": "\xff"}', "Invalid JSON"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str | bytes, problem: str) -> None:
    path = write_lines(tmp_path / "broken.jsonl", GOOD, "", line, "also broken")
    with pytest.raises(TaskFileError) as caught:
        load_tasks(path)
    assert str(caught.value).startswith(f"{path}, line 3: expected a task; ")
    assert problem in str(caught.value)


def test_blank_lines_and_line_ends_do_not_matter(tmp_path: Path) -> None:
    other = GOOD.replace('"id":"0"', '"id":"1"')
    path = write_lines(tmp_path / "t.jsonl", "", GOOD + "\r", "  ", other)
    check_equal(load_tasks(path), numbered("0", split="test") + numbered("1", split="test"))


def write_rows(path: Path, *rows: dict[str, Any]) -> Path:
    parquet.write_table(pyarrow.Table.from_pylist(list(rows)), path)
    return path


ROW = {"id": "0", "domain": "toy", "data": "d", "split": "s", "instruction": "i", "actions": "[]"}


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"actions": ""}, "expected JSON text in 'actions', got "),
        ({"actions": "[{"}, "expected JSON text in 'actions', got "),
        ({"actions": '[{"name": 1}]'}, "expected a task; actions.0.name: "),
        ({"actions": "{}"}, "expected a task; actions: "),
        ({"actions": "[" * 200_000}, "expected JSON text in 'actions', got "),
        ({"domain": None}, "expected a task; domain: "),
    ],
)
def test_a_broken_row_is_named(tmp_path: Path, row: dict[str, Any], problem: str) -> None:
    path = write_rows(tmp_path / "broken.parquet", ROW, ROW | {"id": "1"}, ROW | row)
    with pytest.raises(TaskFileError) as caught:
        load_tasks(path)
    assert str(caught.value).startswith(f"{path}, row 2: {problem}")


def test_a_broken_row_of_a_dataset_is_named() -> None:
    datasets = pytest.importorskip("datasets")
    with pytest.raises(TaskFileError, match=r"^dataset, row 1: expected a task; instruction: "):
        from_datasets(datasets.Dataset.from_list([ROW, ROW | {"id": "1", "instruction": None}]))


@pytest.mark.parametrize("text", [b"", b"PAR1", b"PAR1 and PAR1", GOOD.encode()])
def test_a_broken_parquet_file_is_named(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "broken.parquet"
    path.write_bytes(text)
    with pytest.raises(TaskFileError, match=r"broken\.parquet: expected a Parquet file, got "):
        load_tasks(path)


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 0.8, 0.95])
@pytest.mark.parametrize("cut", [True, False])
def test_damage_in_a_parquet_file_is_no_crash(
    tmp_path: Path, retail_tasks: tuple[Task, ...], share: float, cut: bool
) -> None:
    path = tmp_path / "damaged.parquet"
    save_tasks(retail_tasks, path)
    data = path.read_bytes()
    at = int(len(data) * share)
    path.write_bytes(data[:at] if cut else data[:at] + bytes(40) + data[at + 40 :])
    if cut:
        with pytest.raises(TaskFileError, match=r"damaged\.parquet: expected a Parquet file"):
            load_tasks(path)
    else:
        with contextlib.suppress(TaskFileError):  # or nothing that matters was hit
            check_equal(load_tasks(path), retail_tasks)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_missing_file_is_named(tmp_path: Path, ending: str) -> None:
    for path in (tmp_path / f"none.{ending}", tmp_path / f"folder.{ending}"):
        if path.stem == "folder":
            path.mkdir()
        with pytest.raises(TaskFileError, match=f"Expected a task file at .*{path.name}"):
            load_tasks(path)


@pytest.mark.parametrize("name", ["tasks.json", "tasks.csv", "tasks", "tasks.jsonl.gz"])
def test_an_unknown_ending_is_refused(tmp_path: Path, name: str) -> None:
    for use in (load_tasks, lambda path: save_tasks([BARE], path)):
        with pytest.raises(OptionError, match=r"in \.jsonl or \.parquet; got "):
            use(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_equal_ids_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unique ids in task set; '1' occurs twice"):
        TaskSet(numbered("0", "1", "2", "1"))
    assert len(TaskSet(numbered("1") + numbered("1", split="test"))) == 2
    for ending in ENDINGS:
        path = tmp_path / f"twice.{ending}"
        save_tasks(numbered("a", "a"), path)
        with pytest.raises(TaskFileError, match=f"twice.{ending}: .*'a' occurs twice"):
            load_tasks(path)
    with pytest.raises(TaskFileError, match=r"dataset: .*'a' occurs twice"):
        from_datasets(to_datasets(numbered("a", "a")))


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_failing_write_leaves_the_old_file(tmp_path: Path, ending: str) -> None:
    def failing() -> Iterator[Task]:
        yield FULL
        raise RuntimeError("out of tasks")

    path = tmp_path / f"tasks.{ending}"
    for before in (None, [BARE]):
        if before is not None:
            save_tasks(before, path)
        with pytest.raises(RuntimeError, match="out of tasks"):
            save_tasks(failing(), path)
        if before is not None:
            check_equal(load_tasks(path), before)
        assert list(tmp_path.iterdir()) == ([] if before is None else [path])


@pytest.mark.parametrize("package", ["pyarrow", "datasets"])
def test_a_missing_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    extra = "parquet" if package == "pyarrow" else package
    with pytest.raises(
        SCAError, match=rf"package {package}, .* `pip install 'sca-envs\[{extra}\]'"
    ):
        save_tasks([BARE], tmp_path / "x.parquet") if extra == "parquet" else to_datasets([BARE])


@pytest.mark.parametrize(
    ("ids", "key", "found"),
    [
        (["a", "b", "c"], "b", "b"),
        (["a", "b", "c"], 0, "a"),
        (["a", "b", "c"], 2, "c"),
        (["a", "b", "c"], -1, "c"),
        (["a", "b", "c"], -3, "a"),
        (["a", "b", "1"], 1, "1"),  # an id goes before an index
        (["a", "b", "1"], "1", "1"),
        (["a", "b", "1"], 2, "1"),
        (["7", "5", "0"], 5, "5"),
        (["7", "5", "0"], 0, "0"),
        (["7", "5", "0"], "7", "7"),
    ],
)
def test_find(ids: list[str], key: str | int, found: str) -> None:
    tasks = TaskSet(numbered(*ids))
    assert isinstance(tasks, TaskSource)
    assert tasks.find(key).id == found


@pytest.mark.parametrize(
    ("ids", "key"),
    [
        (["a", "b"], "c"),
        (["a", "b"], "0"),
        (["a", "b"], ""),
        (["a", "b"], 2),
        (["a", "b"], -3),
        (["a", "b"], 10**30),
        (["7", "5"], 0),
        (["7", "5"], 1),
        (["7", "5"], -1),
        (["7", "5"], "05"),
    ],
)
def test_find_what_is_not_there(ids: list[str], key: str | int) -> None:
    with pytest.raises(UnknownTaskError) as caught:
        TaskSet(numbered(*ids), "toys").find(key)
    text = str(caught.value)
    assert "of toys" in text
    assert f"{len(ids)} tasks" in text
    assert text.endswith(f"got {key!r}")
    assert ("an index below" in text) == ("a" in ids)


@pytest.mark.parametrize("key", [0, -1, "0", "a"])
def test_find_in_an_empty_set(key: str | int) -> None:
    with pytest.raises(UnknownTaskError, match=f"toys has no tasks; got {key!r}"):
        TaskSet([], "toys").find(key)


def test_find_in_several_splits() -> None:
    tasks = TaskSet(numbered("0", "1") + numbered("1", "2", split="test"))
    assert tasks.find("2").split == "test"
    with pytest.raises(UnknownTaskError, match="Task 1 is in several splits"):
        tasks.find(1)
    assert tasks.split("test").find(1).split == "test"
    assert len(tasks.split("none")) == 0


def test_a_task_set_is_a_sequence() -> None:
    tasks = TaskSet(numbered("a", "b", "c"), "toys")
    assert [task.id for task in tasks] == [task.id for task in tasks[:]] == ["a", "b", "c"]
    assert tasks[1:] == TaskSet(numbered("b", "c"))
    assert tasks[-1].id == "c"
    assert tasks.size == len(tasks) == 3
    assert tasks != list(tasks)
    with pytest.raises(IndexError):
        tasks[3]
    assert json.loads(tasks[0].model_dump_json())["id"] == "a"
