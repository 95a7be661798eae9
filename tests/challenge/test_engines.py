"""Engines by name: what is refused, and how. They are compared in test_pipeline and test_ray."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest

from sca_envs.challenge.engines import LocalEngine, ProcessEngine, make_engine
from sca_envs.challenge.examination import Candidate, Examination, Proposal
from sca_envs.challenge.gates import Gate, standard_gates
from sca_envs.challenge.pipeline import Pipeline
from sca_envs.core.errors import OptionError, SCAError
from tests.challenge import challengers


def test_workers_choose_the_local_engine() -> None:
    assert isinstance(make_engine("local", 0), LocalEngine)
    assert isinstance(make_engine("local", 3), ProcessEngine)


@pytest.mark.parametrize(
    ("name", "workers", "options", "words"),
    [
        ("nope", 0, {}, "one of local, ray; got 'nope'"),
        ("thread", 2, {}, "one of local, ray; got 'thread'"),
        ("local", -1, {}, "at least 0, got -1"),
        ("local", True, {}, "at least 0, got True"),
        ("local", 1.5, {}, "at least 0, got 1.5"),
        ("local", 2, {"address": "auto"}, r"'local' \(.*none\); got address"),
        ("ray", 0, {}, "integer from 1; got 0"),
        ("ray", 2, {"nope": 1}, r"'ray' \(.*address, num_cpus, num_gpus, autoscaling\); got nope"),
        ("ray", 2, {"workers": 3}, "got workers"),
        ("ray", 2, {"num_cpus": -1}, "num_cpus of a worker .* got -1"),
        ("ray", 2, {"num_cpus": "x"}, "num_cpus of a worker .* got 'x'"),
        ("ray", 2, {"num_gpus": 1.5}, "num_gpus of a worker .* got 1.5"),
        ("ray", 2, {"num_gpus": float("nan")}, "num_gpus of a worker .* got nan"),
        ("ray", 2, {"num_gpus": float("inf")}, "num_gpus of a worker .* got inf"),
        ("ray", 2, {"address": 7}, "cluster as text; got 7"),
    ],
)
def test_wrong_engines_are_explained(
    name: str, workers: Any, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(OptionError, match=words):
        Pipeline(standard_gates(), workers=workers, engine=name, engine_options=options)


def test_missing_ray_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SCAError, match=r"pip install 'sca-envs\[ray\]'"):
        make_engine("ray", 2)


@pytest.mark.parametrize("address", ["127.0.0.1:{port}", "ray://127.0.0.1:{port}", "no words"])
def test_an_address_without_a_cluster_is_explained(address: str) -> None:
    ray = pytest.importorskip("ray", reason="needs Ray: pip install 'sca-envs[ray]'")
    if ray.is_initialized():
        pytest.skip("Ray runs in this process, so nobody looks at the address")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = address.format(port=free.getsockname()[1])
    with pytest.raises(SCAError, match=f"a Ray cluster at '{address}'; .*ray start --head"):
        make_engine("ray", 2, address=address)


class Backwards:
    """An engine of a user's own, which has nothing but the method."""

    def map(self, gates: Sequence[Gate], candidates: Iterable[Candidate]) -> Iterator[Examination]:
        for candidate in list(candidates)[::-1]:
            assert isinstance(candidate, Proposal)
            yield Examination(None, False, error=f"{candidate.number} of {len(gates)} gates")


def test_an_engine_may_be_an_object() -> None:
    pipeline = Pipeline(standard_gates(), engine=Backwards())
    found = pipeline.challenge(challengers.recorded, range(3))
    assert [one.error for one in found] == [f"{n} of 8 gates" for n in (2, 1, 0)]
    assert pipeline.funnel.candidates == 3
