"""The gates on the labelled set, as a whole."""

from __future__ import annotations

import pytest

from benchmarks.gates_on_labelled import ACCEPTED, GOOD, Outcome, markdown, outcomes, rates
from sca_envs.challenge.lab import Lab
from tests.challenge.labelled import FLAWS, labelled

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found() -> list[Outcome]:
    """Every candidate, examined."""
    return outcomes(labelled())


def test_good_ones_pass_and_bad_ones_do_not(found: list[Outcome]) -> None:
    good, bad = rates(found)
    wrong = [
        (o.example.task.id, o.kind, o.gate) for o in found if (o.gate == ACCEPTED) != o.example.good
    ]
    assert good >= 0.98, wrong
    assert bad <= 0.02, wrong


def test_the_right_gate_catches_each_kind(found: list[Outcome]) -> None:
    expected = {
        "already_satisfied": {"unsatisfied"},
        "impossible": {"solution"},
        "too_few_failures": {"complete"},
        "unsafe": {"safe"},
        "leaks_solution": {"no leak"},
        "near_copy": {"novel"},
        "failure_is_right": {"failures"},
        "always_true": {"strong", "unsatisfied", "failures"},
        "ignores_amount": {"strong", "failures"},
        "answer_only": {"strong", "failures"},
        "time_or_hash_dependent": {"safe", "repeatable", "solution"},
    }
    for kind, gates in expected.items():
        assert {o.gate for o in found if o.kind == kind} <= gates, kind


def test_the_table_adds_up(found: list[Outcome]) -> None:
    header, _, *rows = (
        [cell.strip() for cell in line.split("|")[1:-1]] for line in markdown(found).splitlines()
    )
    assert len(rows) == len(FLAWS) + 1
    for row in rows:
        assert len(row) == len(header)
        assert sum(int(cell or 0) for cell in row[1:-1]) == int(row[-1])
    assert sum(int(row[-1]) for row in rows) == len(labelled())
    assert rows[-1][0] == GOOD


def test_every_wrong_attempt_is_accepted_by_its_verify(lab: Lab) -> None:
    """Otherwise the label would prove nothing."""
    wrong = [example for example in labelled() if example.wrong is not None]
    assert len(wrong) >= 20
    for example in wrong:
        world = example.task.load_domain()
        attempt = lab.attempt(world, example.wrong or "")
        assert attempt.error is None, (example.task.id, attempt.error)
        judgement = lab.judge(world, example.task.verify, attempt)
        assert judgement.fulfilled, (example.task.id, judgement)
