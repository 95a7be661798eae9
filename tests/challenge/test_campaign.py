"""Campaigns: interrupted anywhere and resumed, they end with the same file."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import pytest

from sca_envs.challenge.campaign import Campaign, Progress
from sca_envs.challenge.examination import Propose, examine
from sca_envs.challenge.files import load_code_tasks
from sca_envs.challenge.gates import Novel, standard_gates
from sca_envs.challenge.pipeline import Pipeline
from sca_envs.challenge.task import CodeAsTask
from sca_envs.core.engines import JobT, LocalEngine, ResultT, RunnerSpec
from sca_envs.core.errors import OptionError, TaskFileError
from tests.challenge import challengers

RECORD: dict[str, Any] = {"domain": "tau_retail", "seed": 0, "options": {"a": (1, 2.5, None)}}
WANTED, MOST = 4, 16
_examined: dict[Any, Any] = {}


class Remembering:
    """An engine that examines each candidate once in all tests: the sandbox is slow."""

    def run(
        self, spec: RunnerSpec[JobT, ResultT], jobs: Iterable[JobT]
    ) -> Generator[tuple[int, ResultT]]:
        for number, job in enumerate(jobs):
            if job not in _examined:
                ((_, _examined[job]),) = LocalEngine().run(spec, [job])
            yield number, _examined[job]


def pipeline() -> Pipeline:
    return Pipeline(standard_gates(strength=None), novel=Novel(), engine=Remembering())


def campaign(path: Path, **options: Any) -> Campaign:
    return Campaign(path, options.pop("record", RECORD), WANTED, **{"most": MOST, **options})


def run(path: Path, propose: Propose = challengers.recorded, **options: Any) -> list[Progress]:
    return list(campaign(path, **options).run(propose, pipeline()))


def tasks(path: Path) -> list[CodeAsTask]:
    return load_code_tasks(path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a campaign that ran through."""
    folder = tmp_path_factory.mktemp("whole")
    steps = run(folder / "t.jsonl")
    assert steps[0] == Progress(0, 0)
    assert [step.candidates for step in steps] == list(range(len(steps)))
    assert steps[-1].accepted == WANTED
    assert len(tasks(folder / "t.jsonl")) == WANTED
    assert sorted(path.name for path in folder.iterdir()) == ["t.journal.jsonl", "t.jsonl"]
    return folder


def journal(folder: Path) -> bytes:
    return (folder / "t.journal.jsonl").read_bytes()


def stripped(text: bytes) -> list[Any]:
    """Return the lines of a journal without the times."""
    lines = [json.loads(line) for line in text.splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def check_same(folder: Path, whole: Path) -> None:
    assert (folder / "t.jsonl").read_bytes() == (whole / "t.jsonl").read_bytes()
    assert stripped(journal(folder)) == stripped(journal(whole))


def test_closed_at_any_point_and_resumed(whole: Path, tmp_path: Path) -> None:
    length = len(journal(whole).splitlines())
    for stop in range(length):
        folder = tmp_path / str(stop)
        begun = campaign(folder / "t.jsonl").run(challengers.recorded, pipeline())
        for _ in range(stop):
            next(begun)
        begun.close()
        if stop:
            found = tasks(folder / "t.jsonl")
            assert found == tasks(whole / "t.jsonl")[: len(found)]
        run(folder / "t.jsonl", resume=stop > 0)
        check_same(folder, whole)


def test_interrupted_again_and_again(whole: Path, tmp_path: Path) -> None:
    for _ in range(3):  # before the first candidate
        begun = campaign(tmp_path / "t.jsonl", resume=(tmp_path / "t.jsonl").exists())
        steps = begun.run(challengers.recorded, pipeline())
        next(steps)
        steps.close()
    while True:
        steps = campaign(tmp_path / "t.jsonl", resume=True).run(challengers.recorded, pipeline())
        before = next(steps)
        if next(steps, before) == before:
            break
        steps.close()
    check_same(tmp_path, whole)


def test_cut_off_at_any_byte(whole: Path, tmp_path: Path) -> None:
    """As a crash leaves it: the journal ends anywhere, and there is no task file."""
    text = journal(whole)
    header = text.index(b"\n")
    for number, cut in enumerate([0, 1, header, header + 1, *range(header + 2, len(text), 4_001)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "t.journal.jsonl").write_bytes(text[:cut])
        run(folder / "t.jsonl", resume=True)
        check_same(folder, whole)


def test_a_finished_campaign_stays_as_it_is(whole: Path, tmp_path: Path) -> None:
    for name in ("t.jsonl", "t.journal.jsonl"):
        (tmp_path / name).write_bytes((whole / name).read_bytes())
    assert len(run(tmp_path / "t.jsonl", resume=True)) == 1
    assert journal(tmp_path) == journal(whole)
    check_same(tmp_path, whole)


def test_more_or_fewer_tasks_may_be_wanted_later(whole: Path, tmp_path: Path) -> None:
    (tmp_path / "t.journal.jsonl").write_bytes(journal(whole))
    fewer = Campaign(tmp_path / "t.jsonl", RECORD, 2, resume=True)
    list(fewer.run(challengers.recorded, pipeline()))
    assert tasks(tmp_path / "t.jsonl") == tasks(whole / "t.jsonl")[:2]
    more = Campaign(tmp_path / "t.jsonl", RECORD, WANTED + 1, most=MOST, resume=True)
    list(more.run(challengers.recorded, pipeline()))
    assert tasks(tmp_path / "t.jsonl")[:WANTED] == tasks(whole / "t.jsonl")
    assert len(tasks(tmp_path / "t.jsonl")) == WANTED + 1


def test_parquet_is_written_as_well(whole: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    run(tmp_path / "t.parquet")
    assert tasks(tmp_path / "t.parquet") == tasks(whole / "t.jsonl")


def test_a_campaign_ends_with_its_candidates(tmp_path: Path) -> None:
    steps = run(tmp_path / "t.jsonl", most=3)
    assert steps[-1].candidates == 3
    assert len(tasks(tmp_path / "t.jsonl")) == steps[-1].accepted < WANTED


def test_existing_files_are_not_touched(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"Expected no file at .*--resume"):
        run(whole / "t.jsonl")
    with pytest.raises(OptionError, match="--resume"):
        run(whole / "t.parquet")  # the journal is there
    mine = tmp_path / "mine.jsonl"
    mine.write_text("precious\n")
    for resume in (False, True):
        with pytest.raises(OptionError, match=r"mine\.j"):
            run(mine, resume=resume)
    assert mine.read_text() == "precious\n"
    assert list(tmp_path.iterdir()) == [mine]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seed": 1}, r"go on with seed=0, .*; got 1"),
        ({"options": {"a": (1, 2.5, 3)}}, r"options=.*None.*; got .*3"),
        ({"more": True}, r"more=None, .*; got True"),
        ({"domain": "tau_airline"}, "domain='tau_retail'"),
    ],
)
def test_another_campaign_is_not_resumed(changes: dict[str, Any], words: str, whole: Path) -> None:
    before = journal(whole)
    with pytest.raises(OptionError, match=words):
        run(whole / "t.jsonl", resume=True, record={**RECORD, **changes})
    assert journal(whole) == before


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda lines: ["x", *lines[1:]], "line 1: expected the record of a campaign"),
        (lambda lines: ["[]", *lines[1:]], "line 1: expected the record of a campaign"),
        (lambda lines: [lines[0], "{}", *lines[2:]], "line 2: expected a candidate"),
        (lambda lines: [lines[0], lines[1], "\x00", *lines[3:]], "line 3: expected a candidate"),
        (lambda lines: [lines[0], *lines[2:]], "line 2: .*candidate 1 in place of 0"),
        (lambda lines: [*lines[:3], lines[2], *lines[3:]], "line 4: .*candidate 1 in place of 2"),
        (lambda lines: [lines[0], '{"number": 0, "task": 3}', *lines[2:]], "line 2: expected"),
    ],
)
def test_a_damaged_journal_is_explained(
    damage: Any, words: str, whole: Path, tmp_path: Path
) -> None:
    lines = journal(whole).decode().splitlines()
    path = tmp_path / "t.journal.jsonl"
    path.write_text("\n".join(damage(lines)) + "\n")
    before = path.read_bytes()
    with pytest.raises(TaskFileError, match=words):
        run(tmp_path / "t.jsonl", resume=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["t.txt", "t", "t.jsonl.gz"])
def test_other_endings_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"\.jsonl or \.parquet"):
        run(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_candidates_that_are_no_text_are_journaled(tmp_path: Path) -> None:
    def fresh() -> Pipeline:
        return Pipeline(standard_gates(strength=None), novel=Novel())

    path = tmp_path / "t.jsonl"
    for most in (2, 4):
        begun = Campaign(path, RECORD, 9, most=most, resume=path.exists())
        steps = list(begun.run(challengers.surrogates, fresh()))
    assert steps[0] == Progress(1, 2)
    assert steps[-1] == Progress(1, 4)
    assert [task.id for task in load_code_tasks(path)] == ["retail-01"]


def test_the_funnel_of_a_resumed_campaign_counts_all(whole: Path, tmp_path: Path) -> None:
    through = pipeline()
    list(campaign(tmp_path / "t.jsonl").run(challengers.recorded, through))
    (tmp_path / "again").mkdir()
    half = b"".join(journal(tmp_path).splitlines(keepends=True)[:4])
    (tmp_path / "again" / "t.journal.jsonl").write_bytes(half)
    resumed = pipeline()
    list(campaign(tmp_path / "again" / "t.jsonl", resume=True).run(challengers.recorded, resumed))
    one, other = through.funnel.report(), resumed.funnel.report()
    for stage in (*one["stages"], *other["stages"]):
        assert stage.pop("seconds") >= 0
    assert one == other


def test_a_copy_of_what_was_accepted_earlier_is_refused_after_resuming(tmp_path: Path) -> None:
    def same(number: int) -> CodeAsTask | None:
        task = challengers.recorded(0)
        return task and task.model_copy(update={"id": f"copy-{number}"})

    path = tmp_path / "t.jsonl"
    for most in (1, 3):
        begun = Campaign(path, RECORD, 9, most=most, resume=path.exists())
        made = Pipeline(standard_gates(strength=None), novel=Novel())
        steps = list(begun.run(same, made))
    assert steps[-1] == Progress(1, 3)
    assert made.funnel.stages["novel"].entered == 3


def test_what_examine_says_survives_the_journal(lab: Any, tmp_path: Path) -> None:
    task = challengers.recorded(0)
    assert task is not None
    found = examine(task, standard_gates(strength=None), lab, task.load_domain())
    run(tmp_path / "t.jsonl", most=1)
    (again,) = campaign(tmp_path / "t.jsonl", resume=True)._earlier
    assert again.fingerprint == found.fingerprint
    assert again.accepted
    assert again.task is not None
    assert again.task.content_digest == task.content_digest
