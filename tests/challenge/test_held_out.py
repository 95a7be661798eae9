"""The gate that keeps the tasks of a test out, and what a pipeline knows from before."""

from __future__ import annotations

import pickle

import pytest

from sca_envs.challenge.gates import HeldOut, Novel, SolutionPasses
from sca_envs.challenge.pipeline import Pipeline
from tests.challenge.tasks import small


@pytest.mark.parametrize(
    ("instruction", "passed"),
    [
        ("Please cancel order W1 for me, as it is no longer needed.", False),
        ("please cancel Order W1 for me as it is no longer needed", False),
        ("Please cancel order W2 for me, as it is no longer needed.", True),
        ("", True),
    ],
)
def test_held_out(instruction: str, passed: bool) -> None:
    gate = HeldOut(
        ["Where is my parcel?", "Please cancel order W1 for me, as it is no longer needed."]
    )
    pipeline = Pipeline([pickle.loads(pickle.dumps(gate))])  # it goes to workers
    (found,) = pipeline.examine([small(instruction=instruction)])
    assert found.accepted is passed
    assert found.task is not None
    assert found.task.provenance.verdicts[0].gate == "held out"


def test_known_tasks_are_not_accepted_again() -> None:
    pipeline = Pipeline([SolutionPasses()], novel=Novel())
    pipeline.know([small()])
    (found,) = pipeline.examine([small()])
    assert not found.accepted
    assert found.task is not None
    assert "known" in found.task.provenance.verdicts[-1].reason
    Pipeline([SolutionPasses()]).know([small()])  # nobody asks for novelty
