"""Sessions keep variables over cells, and survive what can be survived."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from sca_envs.sandbox import Limits, Sandbox
from tests.sandbox.attacks import ATTACKS
from tests.sandbox.conftest import Host


def test_variables_stay_and_last_expressions_show(sandbox: Sandbox, host: Host) -> None:
    with sandbox.session(host.tools) as session:
        first = session.run("order = get_order_details('#W1')\nprint('hi')\norder['status']")
        assert (first.displayed, first.stdout) == ("'pending'", "hi\n")
        second = session.run("order['items'][0]['price'] * 2")
        assert (second.displayed, second.stdout, second.calls) == ("3.0", "", ())
        assert session.run("x = 1").displayed is None
        assert session.run("None").displayed is None
        assert session.run("result = x").value == 1
        assert session.run("x").value is None  # assigned by an earlier cell
        assert session.run("state['a']", state={"a": 5}).displayed == "5"
        assert session.run("state").displayed == "{'a': 5}"


def test_bad_cells_leave_the_session_as_it_is(sandbox: Sandbox, host: Host) -> None:
    cells = {
        "x = (": "exception",
        "1 / 0": "exception",
        "result = lambda: 1": "protocol",
        "while True: pass": "timeout",
        "y = bytearray(10**10)": "memory",
        "get_order_details()": None,
        "raise SystemExit(1)": "exception",
        "'\ud800'": "exception",
    }
    limits = Limits(cpu_seconds=0.2)
    with sandbox.session(host.tools, limits=limits) as session:
        session.run("x = 5")
        for code, reason in cells.items():
            result = session.run(code)
            assert result.error is not None
            assert reason is None or result.error.reason == reason, code
            assert session.run("x").displayed == "5", code
            assert session.alive


def test_tracebacks_name_the_cell(sandbox: Sandbox) -> None:
    with sandbox.session() as session:
        session.run("def f(x):\n    return 1 / x")
        error = session.run("f(0)").error
    assert error is not None
    assert error.traceback.splitlines() == [
        "Traceback (most recent call last):",
        '  File "<cell 2>", line 1, in <module>',
        "    f(0)",
        '  File "<cell 1>", line 2, in f',
        "    return 1 / x",
        "ZeroDivisionError: division by zero",
    ]


def test_a_dead_session_says_why(sandbox: Sandbox) -> None:
    with sandbox.session() as session:
        assert session.run("x = 1").error is None
        result = session.run("import os; os._exit(5)")
        assert result.error is not None
        assert result.error.reason == "killed"
        assert not session.alive
        later = session.run("x").error
        assert later is not None
        assert later.reason == "killed"
        assert "the session ended in cell 2" in later.message
    closed = sandbox.session()
    closed.close()
    with pytest.raises(RuntimeError, match="open a new one"):
        closed.run("1")


def test_code_that_ignores_the_interrupt_is_killed(sandbox: Sandbox) -> None:
    stubborn = "sum(iter(int, 1))"  # a loop in C, which never looks for signals
    with sandbox.session(limits=Limits(cpu_seconds=0.2)) as session:
        result = session.run(stubborn)
        assert result.error is not None
        assert result.error.reason == "timeout"
        assert not session.alive


def test_an_interrupted_cell_shows_where(sandbox: Sandbox) -> None:
    with sandbox.session(limits=Limits(cpu_seconds=0.2)) as session:
        result = session.run("print('before')\nwhile True:\n    pass")
        assert result.stdout == "before\n"
        assert result.error is not None
        assert "KeyboardInterrupt" in result.error.traceback


def test_result_can_be_an_ordinary_variable(sandbox: Sandbox) -> None:
    with sandbox.session(read_result=False) as session:
        assert session.run("result = {1, 2}").error is None
        assert session.run("len(result)").displayed == "2"


def test_a_forged_final_frame_breaks_the_session(sandbox: Sandbox) -> None:
    forged = next(attack for attack in ATTACKS if attack["id"] == "frame_final_then_more")
    with sandbox.session() as session:
        session.run(forged["code"].replace("<cell>", "<cell 1>"))
        later = session.run("1").error
        assert later is not None
        assert later.reason == "protocol"


def test_sessions_do_not_share(sandbox: Sandbox) -> None:
    with sandbox.session() as one, sandbox.session() as two:
        one.run("import json\njson.dumps = None\nx = 1")
        assert two.run("import json\njson.dumps(1)").displayed == "'1'"
        assert two.run("x").error is not None


def test_twenty_sessions_at_once(sandbox: Sandbox, host: Host) -> None:
    def play(number: int) -> list[str | None]:
        with sandbox.session(host.tools) as session:
            session.run(f"total = {number}")
            for _ in range(10):
                session.run("total += len(get_order_details('#W1')['items'])")
            return [session.run("total").displayed]

    with ThreadPoolExecutor(20) as threads:
        assert list(threads.map(play, range(20))) == [[str(number + 10)] for number in range(20)]
