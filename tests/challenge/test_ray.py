"""The pipeline on a Ray cluster: what it gives is what it gives on one machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sca_envs.challenge.examination import Examination
from sca_envs.challenge.gates import Novel, standard_gates
from sca_envs.challenge.pipeline import Pipeline
from tests.challenge import challengers

N = 18

# Ray's own code and processes warn of files and sockets left to the garbage collector.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def pipeline(**options: Any) -> Pipeline:
    return Pipeline(standard_gates(strength=None), novel=Novel(), **options)


def examined(propose: Any, **options: Any) -> list[Examination]:
    found = pipeline(**options).challenge(propose, range(N))
    return [one._replace(seconds=()) for one in found]


@pytest.fixture(scope="module")
def alone() -> list[Examination]:
    """What comes of the recorded candidates in this process."""
    return examined(challengers.recorded)


def test_a_lost_machine_changes_nothing(cluster: Any, alone: list[Examination]) -> None:
    """One of two nodes goes while both work; the other does it all, or one that comes helps."""
    found = []
    for one in pipeline(engine="ray", workers=2).challenge(challengers.slow, range(N)):
        found.append(one._replace(seconds=()))
        if len(found) == 4:
            cluster.remove_node(cluster.list_all_nodes()[1], allow_graceful=False)
            cluster.add_node(num_cpus=1)
    assert found == alone


def test_a_campaign_begun_here_goes_on_there(cluster: Any, tmp_path: Path) -> None:
    """The command, on the cluster at an address, ends with the file of a run on this machine."""

    def sca(out: Path, *more: str) -> None:
        arguments = ["sca/TauRetail-v0", "--challenger", "tests.challenge.challengers:Recorded"]
        arguments += ["--n", "7", "--candidates", "16", "--no-strength", "--out", str(out), *more]
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-m", "sca_envs", "challenge", *arguments]
        subprocess.run(command, env=environ, check=True, capture_output=True)

    whole, mixed = tmp_path / "whole.jsonl", tmp_path / "mixed.jsonl"
    sca(whole, "--workers", "1")
    journal = whole.with_name("whole.journal.jsonl").read_bytes().splitlines(keepends=True)
    assert len(journal) > 8
    mixed.with_name("mixed.journal.jsonl").write_bytes(b"".join(journal[:4]))
    sca(mixed, "--engine", "ray", "--address", cluster.address, "--resume")
    assert mixed.read_bytes() == whole.read_bytes()
