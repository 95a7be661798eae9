"""The Ray engine on a cluster of two nodes on one machine."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

import sca_envs
from sca_envs import evaluate
from sca_envs.challenge.gates import standard_gates
from sca_envs.challenge.pipeline import Pipeline
from sca_envs.core.engines.ray import RayEngine
from sca_envs.core.errors import OptionError

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


@pytest.mark.parametrize(
    ("agent", "how", "lost"),
    [("Stuck", "sleep", 2), ("Stuck", "lock", 2), ("StuckBatch", "lock", 4)],
)
def test_stuck_worker_loses_nothing(cluster: Any, agent: str, how: str, lost: int) -> None:
    """One of two workers never returns, or lets not even its process answer."""
    settings: dict[str, Any] = {"num_tasks": 12, "engine": "ray", "workers": 2}
    agent = f"tests.bench.stuck:{agent}"
    run = evaluate(
        RETAIL, agent, agent_options={"how": how, "tasks": [1, 3]}, episode_timeout=2, **settings
    )
    assert run.results.errors["agent_timeout"] == lost
    assert run.results.episodes == 12
    whole = evaluate(RETAIL, agent, agent_options={"tasks": []}, num_tasks=12)
    turns = {one.task_id: one.turns for one in whole.trajectories()}
    for one in run.trajectories():
        assert one.termination_reason == "agent_timeout" or one.turns == turns[one.task_id]


def test_a_limit_changes_no_byte(cluster: Any) -> None:
    settings: dict[str, Any] = {"num_tasks": 12, "seed": 4}
    far = evaluate(RETAIL, "random", engine="ray", workers=2, episode_timeout=300, **settings)
    assert _lines(far) == _lines(evaluate(RETAIL, "random", **settings))


def test_a_full_cluster_is_spoken_of(cluster: Any, caplog: pytest.LogCaptureFixture) -> None:
    import ray

    @ray.remote(num_cpus=1)
    def occupy() -> None:
        time.sleep(12)

    busy = [occupy.remote() for _ in range(2)]
    time.sleep(3)
    run = evaluate(RETAIL, "noop", engine="ray", workers=4, num_tasks=4)
    assert run.results.episodes == 4
    (first, *_) = caplog.messages
    said = r"waiting for 4 workers of 1 CPU each; the cluster has 0 of [12] CPUs free \(for 5 s"
    assert re.match(said, first)  # a test before this one may have taken a node away
    ray.get(busy)


@pytest.mark.parametrize("options", [{"num_cpus": 8}, {"num_gpus": 1}])
def test_what_fits_on_no_machine_is_refused(cluster: Any, options: dict[str, Any]) -> None:
    with pytest.raises(
        OptionError, match=r"machine with room for a worker of .*the cluster has \d"
    ):
        evaluate(RETAIL, "noop", engine="ray", num_tasks=1, engine_options=options)
    with pytest.raises(OptionError, match=r"machine with room for a worker of .*autoscaling=true"):
        Pipeline(standard_gates(), engine="ray", workers=1, engine_options=options)
    assert RayEngine(1, **options, autoscaling=True)
