"""How fast the sandbox is: `pytest benchmarks/bench_sandbox.py`.

The rates depend on the machine: the shares of the kernel (fork, page faults, exit) and of Python
are about equal. Compare with the first benchmark, which runs the same code without any sandbox.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sca_envs.sandbox import Job, Sandbox, SandboxPool, SandboxTool

VERIFY = """
def verify(order_id):
    order = get_order_details(order_id)
    user = get_user_details(order["user_id"])
    if order["status"] != "cancelled":
        return False
    total = 0.0
    for item in order["items"]:
        total += item["price"]
    if round(total, 2) != 30.0:
        return False
    return user["name"] == "Ann"
result = verify(state)
"""
ORDERS: dict[str, Any] = {
    "#W1": {
        "user_id": "ann_1",
        "status": "cancelled",
        "items": [{"name": "lamp", "price": 10.0}, {"name": "desk", "price": 20.0}],
    }
}
USERS: dict[str, Any] = {"ann_1": {"name": "Ann", "address": {"city": "Oslo", "zip": "0150"}}}
TOOLS = {
    "get_order_details": SandboxTool(
        "get_order_details", ("order_id",), lambda arguments: ORDERS[arguments["order_id"]]
    ),
    "get_user_details": SandboxTool(
        "get_user_details", ("user_id",), lambda arguments: USERS[arguments["user_id"]]
    ),
}


@pytest.fixture(scope="module")
def pinned() -> Iterator[Sandbox]:
    """A sandbox on the same core as this thread."""
    before = os.sched_getaffinity(0)
    core = max(before)
    os.sched_setaffinity(0, {core})
    with Sandbox(core=core) as sandbox:
        yield sandbox
    os.sched_setaffinity(0, before)


@pytest.fixture
def loose() -> Iterator[Sandbox]:
    """A sandbox that the kernel places."""
    with Sandbox() as sandbox:
        sandbox.run(VERIFY, TOOLS, state="#W1")
        yield sandbox


def test_plain_exec(benchmark: Any) -> None:
    """The yardstick: the same code, compiled and run in this process."""

    def run() -> None:
        variables: dict[str, Any] = {"state": "#W1"}
        variables["get_order_details"] = lambda order_id: ORDERS[order_id]
        variables["get_user_details"] = lambda user_id: USERS[user_id]
        exec(compile(VERIFY, "<cell>", "exec"), variables)

    benchmark(run)


def test_start(benchmark: Any) -> None:
    """A new sandbox, until its first result."""

    def run() -> None:
        with Sandbox() as sandbox:
            sandbox.run("result = 1").unwrap()

    benchmark.pedantic(run, rounds=5)


def test_verify_latency_idle(benchmark: Any, loose: Sandbox) -> None:
    """One verification after a pause, with a child ready."""
    benchmark.pedantic(
        lambda: loose.run(VERIFY, TOOLS, state="#W1"),
        setup=lambda: time.sleep(0.01),
        rounds=200,
    )


def test_verify_latency_one_core(benchmark: Any, pinned: Sandbox) -> None:
    """One verification after the other, on one core."""
    assert pinned.run(VERIFY, TOOLS, state="#W1").verdict
    benchmark.pedantic(lambda: pinned.run(VERIFY, TOOLS, state="#W1"), rounds=500)


def test_verify_throughput_all_cores(benchmark: Any) -> None:
    """A batch of 1,000 verifications on all cores; the rate is in `extra_info`."""
    jobs = [Job(VERIFY, TOOLS, state="#W1")] * 1000
    with SandboxPool() as pool:
        pool.map(jobs[:20])
        results = benchmark.pedantic(lambda: pool.map(jobs), rounds=3)
    assert all(result.verdict for result in results)
    benchmark.extra_info["verifications_per_second"] = round(1000 / benchmark.stats.stats.min)


def test_tool_call_one_core(benchmark: Any, pinned: Sandbox) -> None:
    """1,000 tool calls in one cell; `extra_info` has the time of one."""
    code = "for _ in range(1000): get_user_details('ann_1')"
    with pinned.session(TOOLS) as session:
        benchmark.pedantic(lambda: session.run(code), rounds=20)
    benchmark.extra_info["microseconds_per_call"] = round(benchmark.stats.stats.median * 1000, 1)


def test_session_cell(benchmark: Any, pinned: Sandbox) -> None:
    """A cell with an expression to display, in a session."""
    with pinned.session(TOOLS) as session:
        benchmark(lambda: session.run("1 + 1"))


def test_twenty_sessions(benchmark: Any, loose: Sandbox) -> None:
    """Twenty sessions at once, ten cells each."""

    def play(_: int) -> None:
        with loose.session(TOOLS) as session:
            for _ in range(10):
                session.run("get_order_details('#W1')['status']")

    with ThreadPoolExecutor(20) as threads:
        benchmark.pedantic(lambda: list(threads.map(play, range(20))), rounds=5)
