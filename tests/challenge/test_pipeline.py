"""The pipeline and its funnel: the same with any number of workers, and nothing stops a batch."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sca_envs.challenge.case import Case
from sca_envs.challenge.examination import Examination
from sca_envs.challenge.funnel import Funnel, shorten
from sca_envs.challenge.gates import Difficult, Novel, standard_gates
from sca_envs.challenge.pipeline import Pipeline
from sca_envs.challenge.task import CodeAsTask, Verdict
from sca_envs.core.errors import InfrastructureError, OptionError
from tests.challenge import challengers
from tests.challenge.tasks import CHANGE, LOOKUP, by_id, small

N = 18


def pipeline(workers: int = 1, **options: Any) -> Pipeline:
    return Pipeline(standard_gates(), novel=Novel(), workers=workers, **options)


def without_times(found: list[Examination]) -> list[Examination]:
    assert all(seconds >= 0 for examination in found for seconds in examination.seconds)
    return [examination._replace(seconds=()) for examination in found]


@pytest.fixture(scope="module")
def alone() -> tuple[list[Examination], Funnel]:
    made = pipeline()
    return without_times(list(made.challenge(challengers.recorded, range(N)))), made.funnel


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["process", "thread"])
def test_workers_change_nothing(engine: str, alone: tuple[list[Examination], Funnel]) -> None:
    made = pipeline(2, engine=engine)
    found = list(made.challenge(challengers.recorded, range(N)))
    assert without_times(found) == alone[0]
    assert _counts(made.funnel) == _counts(alone[1])


def _counts(funnel: Funnel) -> Any:
    report = funnel.report()
    for stage in report["stages"]:
        del stage["seconds"]
    return report


def test_nothing_stops_a_batch(alone: tuple[list[Examination], Funnel]) -> None:
    found = alone[0]
    assert len(found) == N
    assert found[3].error == "the challenger failed: no luck with [/number] 3"
    assert found[5].error == "nothing was proposed"
    assert found[7].error is not None
    assert found[7].error.startswith("OptionError: Task 'retail-08': expected tau_retail data")
    assert not any(found[i].accepted for i in (3, 5, 7))
    assert sum(examination.accepted for examination in found) >= 4
    for examination in found:
        if examination.error is None:
            assert examination.task is not None
            verdicts = examination.task.provenance.verdicts
            assert all(verdict.passed for verdict in verdicts[:-1])
            assert verdicts[-1].passed == examination.accepted
            assert (examination.fingerprint is not None) >= examination.accepted


def test_the_funnel_adds_up(alone: tuple[list[Examination], Funnel]) -> None:
    found, funnel = alone
    report = json.loads(json.dumps(funnel.report()))
    assert report["candidates"] == N
    assert report["accepted"] == sum(examination.accepted for examination in found)
    assert sum(report["errors"].values()) == sum(e.error is not None for e in found)
    entered = N - sum(report["errors"].values())
    for stage in report["stages"]:
        assert stage["entered"] == entered
        assert stage["entered"] - stage["passed"] == sum(stage["reasons"].values())
        entered = stage["passed"]
    assert entered == report["accepted"]
    assert [stage["gate"] for stage in report["stages"]] == [
        *(gate.name for gate in standard_gates()),
        "novel",
    ]
    reasons = funnel.reasons()
    assert [count for _, _, count in reasons] == sorted((n for _, _, n in reasons), reverse=True)


def test_the_funnel_is_shown_and_drawn(
    alone: tuple[list[Examination], Funnel], tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    console = Console(width=200, record=True)
    for table in alone[1].tables():
        console.print(table)
    text = console.export_text()
    assert f"{alone[1].accepted} of {N} candidates accepted" in text
    assert "the challenger failed" in text
    alone[1].draw(tmp_path / "funnel.png")
    assert (tmp_path / "funnel.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    alone[1].draw(tmp_path / "funnel.svg")
    assert "<svg" in (tmp_path / "funnel.svg").read_text()


@pytest.mark.parametrize("reasons", [[], ["", ":", "\n", "(x)", "[/bold]", "a" * 500, "12 3x"]])
def test_odd_reasons_are_counted(reasons: list[str], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    funnel = Funnel(["[/gate]"])
    for reason in reasons:
        funnel.add([Verdict(gate="[/gate]", passed=False, reason=reason)])
        funnel.add_error(reason)
        assert 0 < len(shorten(reason)) <= 101
    assert funnel.candidates == 2 * len(reasons)
    assert funnel.accepted == 0
    console = Console(file=io.StringIO(), width=80)
    for table in funnel.tables():
        console.print(table)
    funnel.draw(tmp_path / "funnel.png")


def test_the_ten_most_frequent_reasons_are_shown() -> None:
    funnel = Funnel([])
    for number in range(15):
        for _ in range(number + 1):
            funnel.add([Verdict(gate="g", passed=False, reason=chr(ord("a") + number))])
    assert len(funnel.reasons()) == 10
    assert funnel.reasons()[0] == ("g", "o", 15)


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_an_outage_stops_a_batch(workers: int) -> None:
    """It would spoil all that come, which a resumed campaign makes again."""
    made = pipeline(workers)
    found = made.challenge(challengers.cut_off, range(9))
    assert [next(found).error for _ in range(2)] == [None, None]
    with pytest.raises(InfrastructureError, match="the cable is out"):
        next(found)
    assert made.funnel.candidates == 2


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_challenger_that_refuses_its_options_stops_a_batch_at_once(workers: int) -> None:
    made = pipeline(workers)
    with pytest.raises(OptionError, match="flaws out of x, y; got 'z'"):
        next(made.challenge(challengers.unfit, range(9)))
    assert made.funnel.candidates == 0


def test_an_option_error_after_a_proposal_is_one_lost_candidate() -> None:
    made = pipeline()
    errors = [found.error for found in made.challenge(challengers.fit_at_first, range(3))]
    assert errors[0] is None
    assert errors[1:] == ["the challenger failed: Expected flaws out of x, y; got 'z'"] * 2
    assert made.funnel.candidates == 3


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_what_is_no_task_stops_nothing(workers: int) -> None:
    made = pipeline(workers)
    found = list(made.challenge(challengers.wrong_kind, range(3)))
    assert [e.error for e in found] == ["the challenger returned no Code-as-Task but dict"] * 3
    assert [e.task for e in found] == [None] * 3
    assert made.funnel.candidates == 3


def test_tasks_that_exist_are_examined() -> None:
    made = pipeline()
    copy = small(LOOKUP, id="copy")
    unknown = small(domain="nope")
    tasks = [by_id(LOOKUP), copy, unknown, by_id(CHANGE)]
    found = list(made.examine(iter(tasks)))
    assert [e.accepted for e in found] == [True, False, False, True]
    assert found[2].error is not None
    assert "Expected the name of a domain" in found[2].error
    assert [e.task.id for e in found if e.task] == [task.id for task in tasks]


def test_copies_pass_without_novelty() -> None:
    made = Pipeline(standard_gates())
    tasks = [by_id(LOOKUP), small(LOOKUP, id="copy")]
    assert [e.accepted for e in made.examine(tasks)] == [True, True]


class Exploding:
    """A gate that raises."""

    name = "exploding"

    def check(self, case: Case) -> Verdict:
        """Raise."""
        raise RuntimeError(f"boom on {case.task.id}")


def test_a_gate_that_raises_stops_nothing() -> None:
    made = Pipeline([Exploding()])
    found = list(made.examine([by_id(LOOKUP), by_id(CHANGE)]))
    assert [e.error for e in found] == [
        "RuntimeError: boom on retail-01",
        "RuntimeError: boom on retail-02",
    ]


def test_an_executor_decides_last_and_may_fail() -> None:
    tried: list[str] = []

    def executor(task: CodeAsTask) -> float:
        tried.append(task.id)
        if task.id == "retail-07":
            raise ConnectionError("no model")
        return 0.25 if task.id == LOOKUP else 1.0

    made = pipeline(difficult=Difficult(executor, 0.1, 0.9))
    tasks = [by_id(LOOKUP), by_id("retail-03"), by_id(CHANGE), by_id("retail-07")]
    found = list(made.examine(tasks))
    assert tried == [LOOKUP, CHANGE, "retail-07"]
    assert [e.accepted for e in found] == [True, False, False, False]
    assert found[0].task is not None
    assert found[0].task.provenance.verdicts[-1].details["difficulty"] == 0.75
    assert found[3].error == "the executor failed: no model"
    assert made.funnel.report()["stages"][-1]["gate"] == "difficult"
    assert made.funnel.accepted == 1
