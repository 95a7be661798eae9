"""Code-as-Tasks in files, datasets and folders: what goes in comes out, or the error says why."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import sca_envs
from sca_envs.challenge.files import (
    code_tasks_from_dataset,
    code_tasks_to_dataset,
    export_folder,
    import_folder,
    load_code_tasks,
    parse_code_task,
    save_code_tasks,
)
from sca_envs.challenge.task import VERSION, CodeAsTask, DataRef, Provenance, Verdict
from sca_envs.core.errors import OptionError, TaskFileError
from tests.challenge.tasks import small

ODD = ("", "\n", "\r\n a\rb", "\x00", "\u2028\u0085", "ünïcödé 🙂", '"\\u0041\\', " \t ", "[/bold]")
VERDICT = Verdict(
    gate="strong", passed=False, reason="why\nnot", details={"mutants": 3, "accepted": ["a"]}
)


def odd(number: int, text: str) -> CodeAsTask:
    return CodeAsTask(
        id=f"task {number}",
        domain="tau_retail",
        data=DataRef(name="generated:0", digest="0"),
        instruction=text,
        verify=text,
        solution=text,
        failures=(text, "", text),
        provenance=Provenance(challenger=text, seed=number, flaw=text, verdicts=(VERDICT,)),
    )


TASKS = [odd(number, text) for number, text in enumerate(ODD)]


def through_dataset(tasks: list[CodeAsTask], folder: Path) -> list[CodeAsTask]:
    pytest.importorskip("datasets")
    return code_tasks_from_dataset(code_tasks_to_dataset(tasks))


def through_file(name: str) -> Callable[[list[CodeAsTask], Path], list[CodeAsTask]]:
    def there_and_back(tasks: list[CodeAsTask], folder: Path) -> list[CodeAsTask]:
        if name.endswith("parquet"):
            pytest.importorskip("pyarrow")
        save_code_tasks(tasks, folder / name)
        assert [path.name for path in folder.iterdir()] == [name]
        return load_code_tasks(folder / name)

    return there_and_back


WAYS = {
    "jsonl": through_file("a.jsonl"),
    "parquet": through_file("a.parquet"),
    "dataset": through_dataset,
}


@pytest.mark.parametrize("way", WAYS)
def test_odd_texts_come_back(way: str, tmp_path: Path) -> None:
    assert WAYS[way](TASKS, tmp_path) == TASKS
    assert WAYS[way]([], tmp_path) == []


def test_odd_texts_come_back_from_folders(tmp_path: Path) -> None:
    tasks = [task.model_copy(update={"id": f"t{i}"}) for i, task in enumerate(TASKS)]
    folders = export_folder(tasks, tmp_path)
    assert load_code_tasks(tmp_path) == tasks
    assert (folders[4] / "instruction.md").read_bytes() == ODD[4].encode()
    assert sorted(path.name for path in folders[0].iterdir()) == [
        "gold.py", "instruction.md", "task.json", "verify.py", "wrong_1.py", "wrong_2.py",
        "wrong_3.py",
    ]  # fmt: skip


def test_ten_failures_keep_their_order_in_folders(tmp_path: Path) -> None:
    task = small(failures=tuple(f"answer({i})" for i in range(12)))
    export_folder([task], tmp_path)
    assert import_folder(tmp_path) == [task]


def test_lone_surrogates_come_back_where_the_format_can(tmp_path: Path) -> None:
    tasks = [odd(0, "a\ud800b"), odd(1, "\udfff")]
    assert WAYS["jsonl"](tasks, tmp_path) == tasks
    export_folder([task.model_copy(update={"id": "x"}) for task in tasks[:1]], tmp_path / "f")
    assert import_folder(tmp_path / "f")[0].instruction == "a\ud800b"


@pytest.mark.parametrize("way", ["parquet", "dataset"])
def test_lone_surrogates_are_refused_by_columns(way: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"surrogate pair.*\.jsonl"):
        WAYS[way]([small(instruction="\ud800")], tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_failed_save_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    save_code_tasks([small()], path)
    with pytest.raises(OptionError):
        save_code_tasks([small(), small(verify="\ud800")], path)
    assert load_code_tasks(path) == [small()]


def broken(**changes: object) -> str:
    return json.dumps({**small().model_dump(mode="json"), **changes})


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "Expecting property name"),
        ("[]", "Code-as-Task"),
        ("null", "Code-as-Task"),
        ("\x80", "Code-as-Task"),
        ("[" * 100_000, "Code-as-Task"),
        ("{}", "id: Field required"),
        (broken(version=VERSION + 1), f"version {VERSION + 1}.*upgrade sca-envs"),
        (broken(version=0), "version"),
        (broken(format="x"), "format"),
        (broken(failures="x"), "failures"),
        (broken(failures=[1]), r"failures\.0"),
        (broken(extra=1), "extra"),
        (broken(id=""), "id"),
        (broken(data=None), "data"),
        (broken(verify=None), "verify"),
        (broken(provenance={"nope": 1}), r"provenance\.nope"),
    ],
)
def test_a_broken_line_is_named(line: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    good = small().model_dump_json()
    path.write_bytes(b"\n".join([good.encode(), b"", line.encode("latin-1"), good.encode()]))
    with pytest.raises(TaskFileError, match=words) as caught:
        load_code_tasks(path)
    assert str(caught.value).startswith(f"{path}, line 3: ")


def test_a_broken_row_is_named(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    rows = code_tasks_to_dataset([small(), small(id="b")]).to_list()
    rows[1]["data"] = "{"
    with pytest.raises(TaskFileError, match="dataset, row 1: expected JSON text in 'data'"):
        code_tasks_from_dataset(datasets.Dataset.from_list(rows))
    rows[1] = {**rows[0], "version": VERSION + 1}
    with pytest.raises(TaskFileError, match=r"dataset, row 1: .*upgrade sca-envs"):
        code_tasks_from_dataset(datasets.Dataset.from_list(rows))
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(TaskFileError, match="expected a Parquet file"):
        load_code_tasks(tmp_path / "a.parquet")


def test_two_of_one_id_are_refused(tmp_path: Path) -> None:
    save_code_tasks([small(), small()], tmp_path / "a.jsonl")
    with pytest.raises(TaskFileError, match=r"a\.jsonl: expected unique ids; 'retail-02'"):
        load_code_tasks(tmp_path / "a.jsonl")


@pytest.mark.parametrize("name", ["none.jsonl", "none.parquet"])
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(TaskFileError, match=name):
        load_code_tasks(tmp_path / name)
    with pytest.raises(OptionError, match=r"'\.txt'"):
        load_code_tasks(tmp_path / "a.txt")
    with pytest.raises(OptionError, match=r"'\.txt'"):
        save_code_tasks([], tmp_path / "a.txt")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("task.json", "{", "Expecting property name"),
        ("task.json", "[]", "no JSON object"),
        ("task.json", '{"version": 99}', "upgrade sca-envs"),
        ("task.json", '{"nope": 1}', "id: Field required"),
        ("verify.py", None, r"verify\.py"),
        ("gold.py", None, r"gold\.py"),
        ("instruction.md", None, r"instruction\.md"),
    ],
)
def test_a_broken_folder_is_named(
    name: str, content: str | None, words: str, tmp_path: Path
) -> None:
    (folder,) = export_folder([small()], tmp_path)
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)
    with pytest.raises(TaskFileError, match=words) as caught:
        load_code_tasks(tmp_path)
    assert str(folder) in str(caught.value)


def test_folders_are_never_overwritten_and_must_exist(tmp_path: Path) -> None:
    export_folder([small()], tmp_path)
    with pytest.raises(TaskFileError, match="remove it or choose another place"):
        export_folder([small()], tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(TaskFileError, match=r"Expected folders with a task\.json"):
        load_code_tasks(tmp_path / "empty")


def test_an_id_cannot_leave_the_folder(tmp_path: Path) -> None:
    tasks = [
        small(id=task_id) for task_id in ("../../up", "/up/x", "a b/c", "..", ".", "c:d", "a_b c")
    ]
    for folder in export_folder(tasks, tmp_path / "in"):
        assert folder.resolve().parent == (tmp_path / "in").resolve()
    assert sorted(task.id for task in import_folder(tmp_path / "in")) == sorted(
        task.id for task in tasks
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"domain": "nope"}, "Expected the name of a domain; got 'nope'"),
        ({"data": DataRef(name="nope", digest="0")}, "generated:SEED.*'nope'"),
        ({"data": DataRef(name="../..", digest="0")}, "generated:SEED"),
        (
            {"data": DataRef(name="generated:0", digest="123")},
            "'retail-02'.*digest.*import the data that it was made on",
        ),
    ],
)
def test_other_data_is_refused(changes: dict[str, object], words: str) -> None:
    task = small(**changes)
    with pytest.raises(OptionError, match=words):
        task.load_domain()
    with pytest.raises(OptionError, match=words):
        sca_envs.make(task)


def test_the_content_digest_is_about_the_content() -> None:
    task = small()
    assert task.content_digest == small(id="x", provenance=Provenance(seed=1)).content_digest
    for field in ("instruction", "verify", "solution", "domain"):
        assert task.content_digest != small(**{field: "\ud800"}).content_digest
    assert task.content_digest != small(failures=()).content_digest


def test_a_line_is_parsed_alone() -> None:
    assert parse_code_task(small().model_dump_json(), "here") == small()
    with pytest.raises(TaskFileError, match=r"^here: "):
        parse_code_task("x", "here")


def test_the_published_schema_is_that_of_the_model() -> None:
    path = Path(__file__).parents[2] / "docs" / "code_as_task.schema.json"
    assert json.loads(path.read_text("utf-8")) == CodeAsTask.model_json_schema()
