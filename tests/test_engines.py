"""Evaluation and gates on the same engines: what is lost comes again, and is given up alike."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any, Protocol

import pytest

from sca_envs import evaluate
from sca_envs.challenge.gates import standard_gates
from sca_envs.challenge.pipeline import Pipeline
from sca_envs.core.engines import JobT, LocalEngine, ResultT, RunnerSpec
from sca_envs.core.errors import OptionError, SCAError
from tests.challenge import challengers

RETAIL = "sca/TauRetail-v0"
DEADLY = {"evaluate": "episode test-5#0", "challenge": "candidate number 5"}
ENGINES = [
    "process",
    pytest.param("ray", marks=[pytest.mark.slow, pytest.mark.filterwarnings("ignore")]),
]


class User(Protocol):
    """A user of engines: does eight jobs and returns what came of them, in order."""

    def __call__(self, marker: Path | None, always: bool = False, **options: Any) -> list[Any]:
        """Job 5 takes its worker down once, or always, and leaves the marker."""
        ...


def _evaluate(marker: Path | None, always: bool = False, **options: Any) -> list[Any]:
    agent: dict[str, Any] = {"agent": "noop"}
    if marker is not None:
        agent = {"agent": "tests.bench.players:Dying"}
        agent["agent_options"] = {"marker": str(marker), "always": always}
    run = evaluate(RETAIL, **{"num_tasks": 8} | agent | options)
    turns = {one.task_id: one.turns for one in run.trajectories()}
    return [turns[task] for task in run.results.tasks]


def _challenge(marker: Path | None, always: bool = False, **options: Any) -> list[Any]:
    propose: Any = challengers.recorded
    if marker is not None:
        propose = challengers.Mortal(marker, 5, always)
    pipeline = Pipeline(standard_gates(strength=None), **options)
    return [one._replace(seconds=()) for one in pipeline.challenge(propose, range(8))]


USERS: dict[str, User] = {"evaluate": _evaluate, "challenge": _challenge}


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    """Name of an engine whose workers can be lost; Ray's has a cluster."""
    if request.param == "ray":
        request.getfixturevalue("cluster")
    return str(request.param)


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("engine", ENGINES, indirect=True)
@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_lost_worker_held_comes_again(
    user: str, engine: str, workers: int, tmp_path: Path
) -> None:
    marker = tmp_path / "died"
    found = USERS[user](marker, engine=engine, workers=workers)
    assert marker.exists()
    assert found == USERS[user](marker)  # which it is survived by, now


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("engine", ENGINES, indirect=True)
def test_what_takes_three_workers_down_stops_the_run(
    user: str, engine: str, tmp_path: Path
) -> None:
    words = f"Expected {DEADLY[user]} to leave its worker alive; 3 workers were lost with it, the"
    with pytest.raises(SCAError, match=words):
        USERS[user](tmp_path / "died", True, engine=engine, workers=2)


@pytest.mark.parametrize("engine", ["local", "thread", *ENGINES], indirect=True)
def test_an_agent_that_cannot_be_made_is_explained(engine: str, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"num_tasks": 3, "workers": 1 if engine == "local" else 2}
    agent = "tests.bench.players:NeedsKey"
    with pytest.raises(ValueError, match="no key"):
        evaluate(RETAIL, agent, engine=engine, out=tmp_path / "run", **settings)
    assert list((tmp_path / "run").iterdir()) == []


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"engine": "nope"}, "engine to be one of local, process, ray, thread, or .*; got 'nope'"),
        ({"engine": ""}, "got ''"),
        ({"workers": 0}, "workers to be an integer from 1; got 0"),
        ({"engine": "local", "workers": 2}, "1 worker for the engine 'local', got 2"),
        ({"engine_options": {"address": "auto"}}, r"engine 'local' \(it has none\); got address"),
        ({"workers": 2, "engine_options": {"x": 1}}, r"engine 'process' \(it has none\); got x"),
    ],
)
def test_wrong_engines_are_explained(user: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        USERS[user](None, **options)


class Backwards:
    """An engine of a user's own: the last job comes first."""

    def run(
        self, spec: RunnerSpec[JobT, ResultT], jobs: Iterable[JobT]
    ) -> Generator[tuple[int, ResultT]]:
        left = list(jobs)
        for number, result in LocalEngine().run(spec, left[::-1]):
            yield len(left) - 1 - number, result


@pytest.mark.parametrize("user", USERS)
def test_an_engine_may_be_an_object(user: str) -> None:
    assert USERS[user](None, engine=Backwards()) == USERS[user](None)


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("engine", ["thread", *ENGINES], indirect=True)
def test_engines_change_nothing(user: str, engine: str) -> None:
    assert USERS[user](None, engine=engine, workers=2) == USERS[user](None)
