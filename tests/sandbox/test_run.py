"""One-shot code: results, tools, errors and limits."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sca_envs.sandbox import Limits, Sandbox, SandboxError, SandboxTool
from tests.sandbox.conftest import Host

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab\x00é☃"), inner),
    max_leaves=10,
)


def reason(sandbox: Sandbox, code: str, **options: Any) -> str:
    result = sandbox.run(code, **options)
    assert result.error is not None
    assert result.value is None
    return result.error.reason


def test_result_is_the_variable_result(sandbox: Sandbox) -> None:
    assert sandbox.run("result = {'a': [1, 2.5, None, True]}").unwrap() == {
        "a": [1, 2.5, None, True]
    }
    assert sandbox.run("x = 1").unwrap() is None
    assert sandbox.run("").unwrap() is None


@settings(max_examples=60, deadline=None)
@given(value=JSON_VALUES)
def test_json_goes_through_unchanged(sandbox: Sandbox, value: Any) -> None:
    echo = {"echo": lambda arguments: arguments["x"]}
    result = sandbox.run("result = [state, echo(x=state)]", echo, state=value)
    if value is None:
        assert result.unwrap() == [None, None]
    else:
        assert json.dumps(result.unwrap()) == json.dumps([value, value])


@pytest.mark.parametrize(
    "code",
    [
        "result = lambda: 1",
        "result = {1, 2}",
        "result = float('nan')",
        "result = [float('inf')]",
        "result = {1: 2}",
        "result = b'x'",
        "result = object()",
        "result = '\\ud800'",
        "result = []\nresult.append(result)",
        "result = 'x' * 2_000_000",
        "result = 10 ** 5000",
    ],
)
def test_a_result_that_is_not_json_is_a_failure(sandbox: Sandbox, code: str) -> None:
    assert reason(sandbox, code) == "protocol"


def test_tuples_and_subclasses_become_json(sandbox: Sandbox) -> None:
    code = "import collections\nresult = [(1, 2), collections.OrderedDict(a=1)]"
    assert sandbox.run(code).unwrap() == [[1, 2], {"a": 1}]


@pytest.mark.parametrize(("code", "verdict"), [("True", True), ("1", False), ("'True'", False)])
def test_only_true_is_a_verdict(sandbox: Sandbox, code: str, verdict: bool) -> None:
    assert sandbox.run(f"result = {code}").verdict is verdict


def test_tools_take_positions_names_and_log_calls(sandbox: Sandbox, host: Host) -> None:
    code = """
first = get_order_details('#W1')
first['status'] = 'changed here only'
result = cancel_order('#W1', reason='late')
"""
    result = sandbox.run(code, host.tools)
    assert result.unwrap() == "done"
    assert [(call.name, call.arguments) for call in result.calls] == [
        ("get_order_details", {"order_id": "#W1"}),
        ("cancel_order", {"order_id": "#W1", "reason": "late"}),
    ]
    assert result.calls[0].result["status"] == "pending"  # as it was at the time
    assert host.orders["#W1"]["status"] == "cancelled"


def test_variadic_tools(sandbox: Sandbox) -> None:
    tools = {
        "largest": SandboxTool("largest", (), lambda a: max(a["args"]), variadic=True),
        "join": SandboxTool("join", ("by",), lambda a: a["by"].join(a["args"]), variadic=True),
    }
    assert sandbox.run("result = [largest(1, 3, 2), join('-', 'a', 'b')]", tools).unwrap() == [
        3,
        "a-b",
    ]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("f(1, 2, 3)", "f() takes 2 positional arguments but 3 were given"),
        ("f(1, a=2)", "f() got multiple values for argument 'a'"),
        ("f(1, c=2)", "f() got an unexpected keyword argument 'c' (parameters: a, b)"),
        ("f({1, 2}, 2)", "f(): the arguments must be JSON values: set is not a JSON type"),
        ("f(float('nan'), 2)", "f(): the arguments must be JSON values"),
        ("g(1)", "g() takes keyword arguments only"),
    ],
)
def test_wrong_arguments_are_type_errors(sandbox: Sandbox, call: str, message: str) -> None:
    tools = {"f": SandboxTool("f", ("a", "b"), lambda a: 1), "g": lambda a: 1}
    code = f"try:\n    {call}\nexcept TypeError as error:\n    result = str(error)"
    result = sandbox.run(code, tools)
    assert result.unwrap().startswith(message)
    assert result.calls == ()


def test_exceptions_of_tools_reach_the_code(sandbox: Sandbox) -> None:
    class OwnError(Exception):
        pass

    def fail(arguments: dict[str, Any]) -> Any:
        kinds = {"own": OwnError("mine"), "value": ValueError("bad"), "key": KeyError("k")}
        raise kinds[arguments["kind"]]

    code = """
result = []
for kind in ('own', 'value', 'key'):
    try:
        fail(kind=kind)
    except Exception as error:
        result.append([type(error).__name__, str(error)])
"""
    result = sandbox.run(code, {"fail": fail})
    assert result.unwrap() == [["ToolError", "mine"], ["ValueError", "bad"], ["KeyError", "'k'"]]
    assert [call.error for call in result.calls] == [
        "OwnError: mine",
        "ValueError: bad",
        "KeyError: k",
    ]
    uncaught = sandbox.run("fail(kind='own')", {"fail": fail}).error
    assert uncaught is not None
    assert uncaught.message == "ToolError: mine"


def test_what_stops_the_host_stops_the_execution(sandbox: Sandbox) -> None:
    def stop(arguments: dict[str, Any]) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sandbox.run("stop()", {"stop": stop})
    assert sandbox.run("result = 1").unwrap() == 1


def test_a_tool_that_returns_no_json_is_an_error(sandbox: Sandbox) -> None:
    code = "try:\n    f()\nexcept TypeError as error:\n    result = str(error)"
    assert "JSON" in sandbox.run(code, {"f": lambda a: {1, 2}}).unwrap()


def test_a_name_of_a_tool_may_be_shadowed(sandbox: Sandbox, host: Host) -> None:
    code = "def get_order_details(order_id): return 'mine'\nresult = get_order_details(1)"
    assert sandbox.run(code, host.tools).unwrap() == "mine"
    assert sandbox.run("result = get_order_details('#W1')['order_id']", host.tools).unwrap() == (
        "#W1"
    )


def test_traceback_shows_lines_of_the_code_only(sandbox: Sandbox) -> None:
    error = sandbox.run("def f(x):\n    return 1 / x\n\nimport json\njson.loads('{')").error
    assert error is not None
    assert error.traceback.splitlines() == [
        "Traceback (most recent call last):",
        '  File "<cell>", line 5, in <module>',
        "    json.loads('{')",
        "JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 "
        "(char 1)",
    ]


def test_deep_tracebacks_are_short(sandbox: Sandbox) -> None:
    error = sandbox.run("def f(): f()\nf()").error
    assert error is not None
    assert error.message.startswith("RecursionError")
    assert len(error.traceback.splitlines()) < 50


def test_code_that_does_not_parse(sandbox: Sandbox) -> None:
    error = sandbox.run("x = 1\ny = (").error
    assert error is not None
    assert error.reason == "exception"
    assert "SyntaxError: '(' was never closed" in error.message
    assert "line 2, in <module>\n    y = (" in error.traceback
    assert reason(sandbox, "x = '\ud800'") == "exception"


def test_printed_text_is_captured_and_cut(sandbox: Sandbox) -> None:
    result = sandbox.run("import sys\nprint('a', 'ü☃')\nprint('b', file=sys.stderr)")
    assert (result.stdout, result.stderr, result.truncated) == ("a ü☃\n", "b\n", False)
    flood = "for _ in range(100): print('x' * 1_000_000)\nresult = 1"
    result = sandbox.run(flood, limits=Limits(output_bytes=1000))
    assert (len(result.stdout), result.truncated, result.value) == (1000, True, 1)
    assert reason(sandbox, flood, limits=Limits(output_bytes=9, fail_on_overflow=True)) == "output"


def test_limits(sandbox: Sandbox, host: Host) -> None:
    assert reason(sandbox, "while True: pass", limits=Limits(cpu_seconds=0.1)) == "timeout"
    assert reason(sandbox, "while True: pass", limits=Limits(wall_seconds=0.1)) == "timeout"
    assert reason(sandbox, "x = bytearray(10**9)") == "memory"
    assert reason(sandbox, "x = bytearray(10**8)", limits=Limits(memory_bytes=100 << 20)) == (
        "memory"
    )
    assert sandbox.run(
        "x = bytearray(10**9)\nresult = 1", limits=Limits(memory_bytes=2 << 30)
    ).unwrap()
    calls = "while True: get_order_details('#W1')"
    result = sandbox.run(calls, host.tools, limits=Limits(tool_calls=10))
    assert (result.error and result.error.reason, len(result.calls)) == ("output", 10)
    big, tools = "while True: echo(x='x' * 1000)", {"echo": lambda arguments: 1}
    assert reason(sandbox, big, tools=tools, limits=Limits(traffic_bytes=50_000)) == "output"


@pytest.mark.parametrize("name", ["wall_seconds", "memory_bytes", "message_bytes", "tool_calls"])
def test_limits_have_ranges(name: str) -> None:
    with pytest.raises(ValueError, match=f"Limits.{name}: expected "):
        Limits(**{name: -1})


def test_bad_arguments_of_the_host(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="expected a name that Python code can call"):
        sandbox.run("", {"not a name": lambda a: 1})
    with pytest.raises(ValueError, match="its own name is 'g'"):
        sandbox.run("", {"f": SandboxTool("g", (), lambda a: 1)})
    with pytest.raises(ValueError, match="JSON"):
        sandbox.run("", state=float("nan"))
    with pytest.raises((ValueError, TypeError), match="JSON"):
        sandbox.run("", state={1, 2})


def test_failures_do_not_stop_the_next(sandbox: Sandbox) -> None:
    for code in ("import os; os._exit(0)", "import ctypes; ctypes.string_at(0)", "1 / 0"):
        assert sandbox.run(code).error is not None
        assert sandbox.run("result = 1").unwrap() == 1
    assert reason(sandbox, "import os; os._exit(0)") == "killed"


def test_errors_pickle_and_copy() -> None:
    error = SandboxError("timeout", "it took longer", "trace")
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (twin.reason, twin.message, twin.traceback) == ("timeout", "it took longer", "trace")


WORLD = """
import asyncio, datetime, json, random, time, uuid
async def wait():
    await asyncio.sleep(3)
    return await asyncio.gather(asyncio.sleep(1, 'a'), asyncio.sleep(2, 'b'))
class C: pass
result = [asyncio.run(wait()), repr(datetime.datetime.now()), str(datetime.date.today()),
          time.time(), random.random(), str(uuid.uuid4()), hash('abc'), repr(C()), id([]),
          list({'a', 'b', 'c'})]
"""


def test_results_repeat_in_any_process_and_history(sandbox: Sandbox) -> None:
    first = sandbox.run(WORLD).unwrap()
    assert first[:4] == [
        ["a", "b"],
        "datetime.datetime(2024, 5, 15, 15, 0, 5)",
        "2024-05-15",
        1715785205.0,
    ]
    for code in ("1 / 0", "import os; os._exit(3)", "result = 1"):
        sandbox.run(code)
    sessions = [sandbox.session() for _ in range(3)]
    for session in sessions:
        session.close()
    program = (
        "import json, sys; from sca_envs.sandbox import Sandbox\n"
        "with Sandbox() as s: print(json.dumps(s.run(sys.stdin.read()).unwrap()))"
    )
    other = subprocess.run(
        [sys.executable, "-c", program], input=WORLD, capture_output=True, text=True, check=True
    )
    same = 10 if sandbox.isolation.fixed_addresses else 7
    for again in (sandbox.run(WORLD).unwrap(), json.loads(other.stdout)):
        assert json.dumps(again[:same]) == json.dumps(first[:same])


def test_seed_and_clock_are_options() -> None:
    code = "import random, time\nresult = [random.random(), time.time()]"
    with Sandbox(seed=1, clock=5.0, spares=0) as one, Sandbox(seed=2, spares=0) as two:
        assert one.run(code).unwrap()[1] == 5.0
        assert one.run(code).unwrap()[0] != two.run(code).unwrap()[0]


def test_any_module_of_the_standard_library(sandbox: Sandbox) -> None:
    code = """
import argparse, calendar, csv, dataclasses, decimal, email.message, enum, html, io, logging
import pathlib, pickle, statistics, string, tempfile, threading, unittest, urllib.parse
import xml.etree.ElementTree, zoneinfo, concurrent.futures, queue, shlex, hashlib, sched, typing
result = [hashlib.sha256(b'x').hexdigest()[:8], 'é'.encode('cp1252').hex(), __name__]
"""
    assert sandbox.run(code).unwrap() == ["2d711642", "e9", "__main__"]
    missing = sandbox.run("import numpy").error
    assert missing is not None
    assert missing.message == "ModuleNotFoundError: No module named 'numpy'"


def test_extension_modules_on_request() -> None:
    pytest.importorskip("sqlite3")
    with Sandbox(modules=["sqlite3"], spares=0) as sandbox:
        code = "import sqlite3\nc = sqlite3.connect(':memory:')\n"
        code += "result = c.execute('select 7').fetchone()"
        assert sandbox.run(code).unwrap() == [7]


def test_what_a_tool_raises_may_be_of_an_odd_class(sandbox: Sandbox) -> None:
    class OddError(Exception):
        def __str__(self) -> str:
            raise ZeroDivisionError

    def fail(arguments: dict[str, Any]) -> None:
        raise OddError

    code = "try:\n    fail()\nexcept Exception as error:\n    result = type(error).__name__"
    assert sandbox.run(code, {"fail": fail}).unwrap() == "Exception"


@pytest.mark.parametrize("state", [{1, 2}, object(), float("nan"), {(1, 2): 3}])
def test_a_state_that_is_not_json_is_a_value_error(sandbox: Sandbox, state: Any) -> None:
    with pytest.raises(ValueError, match="JSON"):
        sandbox.run("result = 1", state=state)
    with sandbox.session() as session:
        with pytest.raises(ValueError, match="JSON"):
            session.run("1", state=state)
        assert session.run("1 / 0").error.traceback.startswith(  # type: ignore[union-attr]
            'Traceback (most recent call last):\n  File "<cell 1>"'
        )


@pytest.mark.parametrize(
    "limits",
    [
        {"wall_seconds": float("inf")},
        {"cpu_seconds": float("nan")},
        {"memory_bytes": 128e6},
        {"memory_bytes": 1 << 60},
        {"tool_calls": True},
        {"output_bytes": "1"},
    ],
)
def test_limits_have_limits(limits: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Limits(**limits)


@pytest.mark.parametrize("name", ["state", "__builtins__", "lambda", "a b"])
def test_a_tool_has_a_name_that_code_can_call(sandbox: Sandbox, name: str) -> None:
    with pytest.raises(ValueError, match="expected a name that Python code can call"):
        sandbox.run("result = 1", {name: lambda arguments: 1})


def test_json_of_very_many_parts_is_refused_alike_on_both_sides(sandbox: Sandbox) -> None:
    assert len(sandbox.run("result = [[]] * 99_000").unwrap()) == 99_000
    error = sandbox.run("result = [[]] * 100_000").error
    assert error is not None
    assert "it has 100,001 brackets, and 100,000 are allowed" in error.message
