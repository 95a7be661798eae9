"""Engines by themselves, with jobs that are numbers."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sca_envs.core.engines import RunnerSpec, Take, in_order, make_engine
from sca_envs.core.errors import OptionError, SCAError

POOLS = ["thread", "process"]
ALL = ["local", *POOLS]


@dataclass(frozen=True)
class Squares(RunnerSpec[int, int]):
    """Squares numbers, `capacity` at once, or does something else with one of them."""

    capacity: int = 1
    lasts: int = 1 << 62
    """How many jobs a runner does until it is spent."""
    odd: int = -1
    """The number that `deed` is done with."""
    deed: Callable[[int], object] = abs
    lookahead: int | None = None  # type: ignore[misc]
    time_limit: float | None = None  # type: ignore[misc]
    mark: Path | None = None
    """A folder with a file for each runner that is closed."""

    def make(self, seat: int | None) -> Runner:
        if self.odd == -2:
            self.deed(0)
        return Runner(self)

    def describe(self, job: int) -> str:
        return f"number {job}"

    def expire(self, job: int) -> int:
        return -job


class Runner:
    def __init__(self, spec: Squares) -> None:
        self.capacity, self.spent = spec.capacity, False
        self._spec, self._left = spec, spec.lasts

    def run(self, take: Take[int]) -> Iterator[tuple[int, int]]:
        running: list[Any] = []
        while True:
            while self._left and len(running) < self.capacity:
                if (item := take(not running)) is None:
                    break
                self._left -= 1
                running.append(item)
            if not running:
                self.spent = not self._left
                return
            item = running.pop()
            if item.job == self._spec.odd:
                self._spec.deed(item.job)
            yield item.number, item.job**2

    def close(self) -> None:
        if self._spec.mark is not None:
            (self._spec.mark / f"{os.getpid()}-{time.monotonic_ns()}").touch()


def run(engine: str, spec: Squares, jobs: Any = range(40)) -> list[int]:
    return list(in_order(make_engine(engine, 1 if engine == "local" else 2).run(spec, jobs)))


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("capacity", [1, 4])
@pytest.mark.parametrize("lasts", [1 << 62, 7])
@pytest.mark.parametrize("lookahead", [None, 1])
def test_every_job_is_done_once(
    engine: str, capacity: int, lasts: int, lookahead: int | None, tmp_path: Path
) -> None:
    spec = Squares(capacity, lasts, lookahead=lookahead, mark=tmp_path)
    assert run(engine, spec) == [n**2 for n in range(40)]
    assert run(engine, spec, iter([3])) == [9]
    assert run(engine, spec, ()) == []
    assert len(list(tmp_path.iterdir())) >= 2
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("engine", ALL)
def test_jobs_are_not_taken_long_before_they_are_done(engine: str) -> None:
    taken: list[int] = []

    def jobs() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    spec = Squares(lookahead=3, odd=0, deed=_nap)
    results = in_order(make_engine(engine, 1 if engine == "local" else 2).run(spec, jobs()))
    with contextlib.closing(results):
        assert [next(results) for _ in range(5)] == [0, 1, 4, 9, 16]
    assert len(taken) < 30


@pytest.mark.parametrize("engine", POOLS)
def test_whoever_stops_ends_the_workers(engine: str) -> None:
    before = threading.active_count()
    results = make_engine(engine, 2).run(Squares(), range(10**9))
    assert len([next(results) for _ in range(5)]) == 5
    results.close()
    assert not multiprocessing.active_children()
    assert threading.active_count() == before


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("odd", [-2, 5])
def test_what_a_runner_raises_comes_here(engine: str, odd: int) -> None:
    with pytest.raises(KeyError, match="a slip"):
        run(engine, Squares(odd=odd, deed=_slip))
    assert not multiprocessing.active_children()


def test_an_error_that_cannot_travel_is_told() -> None:
    with pytest.raises(SCAError, match="LocalError: 7 lines"):
        run("process", Squares(odd=5, deed=_raise_local))


def test_workers_that_never_start_stop_the_run() -> None:
    with pytest.raises(SCAError, match=r"worker to start; 3 ended .* exit code 7\..*__main__"):
        run("process", Squares(odd=-2, deed=_die))


def test_a_lost_batch_is_done_again_one_by_one() -> None:
    """The one that takes workers down is named, not its company."""
    with pytest.raises(SCAError, match=r"number 5 to leave its worker alive; 3 .* exit code 7\."):
        run("process", Squares(capacity=8, odd=5, deed=_die))
    with pytest.raises(SCAError, match=r"exit code -9 \(often a lack of memory\)"):
        run("process", Squares(odd=5, deed=_kill))


@pytest.mark.slow
def test_a_stuck_worker_is_ended() -> None:
    spec = Squares(odd=5, deed=_stop, time_limit=0.2)
    assert run("process", spec, range(8)) == [0, 1, 4, 9, 16, -5, 36, 49]


@pytest.mark.parametrize("engine", ["process"])
def test_what_cannot_be_sent_is_explained(engine: str) -> None:
    with pytest.raises(OptionError, match=r"sent to another process; .*the engine 'local'"):
        run(engine, Squares(deed=lambda number: None))
    with pytest.raises(OptionError, match="sent to another process"):
        run(engine, Squares(), [lambda: None])
    assert not multiprocessing.active_children()


@pytest.mark.parametrize(
    ("name", "workers", "options", "words"),
    [
        ("nope", 1, {}, "one of local, process, ray, thread, or .*; got 'nope'"),
        ("", 1, {}, "one of local, process, ray, thread, or .*; got ''"),
        (7, 1, {}, r"a method run\(spec, jobs\); got 7"),
        *((name, n, {}, f"from 1; got {n}") for name in (*ALL, "ray") for n in (0, -1, True, 1.5)),
        ("local", 2, {}, "1 worker for the engine 'local', got 2"),
        ("local", 1, {"address": "auto"}, r"'local' \(it has none\); got address"),
        ("process", 2, {"address": "auto"}, r"'process' \(it has none\); got address"),
        ("thread", 2, {"workers": 3}, r"'thread' \(it has none\); got workers"),
        ("ray", 2, {"nope": 1}, r"'ray' \(address, num_cpus, num_gpus, autoscaling\); got nope"),
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
    name: Any, workers: Any, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(OptionError, match=words):
        make_engine(name, workers, **options)


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


def _nap(number: int) -> None:
    time.sleep(0.3)


def _slip(number: int) -> None:
    raise KeyError("a slip")


def _raise_local(number: int) -> None:
    class LocalError(Exception):
        pass

    raise LocalError("7 lines")


def _die(number: int) -> None:
    os._exit(7)


def _kill(number: int) -> None:
    os.kill(os.getpid(), 9)


def _stop(number: int) -> None:
    os.kill(os.getpid(), 19)
