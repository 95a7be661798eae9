"""The Ray engine on a cluster of two nodes on one machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sca_envs
from sca_envs import evaluate
from sca_envs.core.errors import SCAError

RETAIL = "sca/TauRetail-v0"
PLAYERS = "tests.bench.players"

# Ray's own code and processes warn of files and sockets left to the garbage collector.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def _lines(run: sca_envs.Evaluation) -> list[str]:
    return sorted(one.to_line() for one in run.trajectories())


@pytest.mark.parametrize("agent", ["random", f"{PLAYERS}:Batched"])
def test_results_are_those_of_the_local_engine(cluster: Any, agent: str) -> None:
    settings: dict[str, Any] = {"num_tasks": 25, "trials": 2, "seed": 4}
    local = evaluate(RETAIL, agent, **settings)
    far = evaluate(RETAIL, agent, engine="ray", workers=2, **settings)
    assert _lines(far) == _lines(local)
    assert far.results.to_json() == local.results.to_json()


def test_errors_of_a_worker_are_explained(cluster: Any, tmp_path: Path) -> None:
    with pytest.raises(SCAError, match="no key"):
        evaluate(RETAIL, f"{PLAYERS}:NeedsKey", engine="ray", workers=1, num_tasks=2)
    marker = str(tmp_path / "died")
    run = evaluate(
        RETAIL,
        f"{PLAYERS}:Dying",
        agent_options={"marker": marker},
        engine="ray",
        workers=1,
        num_tasks=8,
    )
    assert run.results.episodes == 8
    with pytest.raises(SCAError, match="test-5#0 to leave its worker alive"):
        evaluate(
            RETAIL,
            f"{PLAYERS}:Dying",
            agent_options={"marker": marker, "always": True},
            engine="ray",
            workers=1,
            num_tasks=8,
        )


@pytest.mark.parametrize("replaced", [True, False])
def test_lost_node_loses_nothing(cluster: Any, replaced: bool) -> None:
    """One of two nodes goes while both play; another one comes, or the other one does it all."""
    settings: dict[str, Any] = {"num_tasks": 60, "seed": 4, "agent_options": {"seconds": 0.01}}
    agent = f"{PLAYERS}:Slow"
    killed = []

    def kill(progress: sca_envs.Progress) -> None:
        if progress.done == 10:
            cluster.remove_node(cluster.list_all_nodes()[1], allow_graceful=False)
            killed.append(progress.done)
            if replaced:
                cluster.add_node(num_cpus=1)

    far = evaluate(RETAIL, agent, engine="ray", workers=2, on_progress=kill, **settings)
    assert killed == [10]
    assert _lines(far) == _lines(evaluate(RETAIL, agent, **settings))
