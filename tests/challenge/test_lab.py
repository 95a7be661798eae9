"""Attempts and judgements: what verify sees, what it returns, and what it cannot do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest

import sca_envs
from sca_envs.challenge.examination import examine
from sca_envs.challenge.gates import standard_gates
from sca_envs.challenge.lab import OTHER_WORLDS, Attempt, Judgement, Lab, replay
from sca_envs.challenge.verifier import verdict
from sca_envs.core.actions import LoggedCall
from sca_envs.core.database import Database
from sca_envs.core.domain import Domain
from sca_envs.domains import domain
from sca_envs.domains.registry import list_domains
from tests.challenge.labelled import labelled
from tests.challenge.tasks import left, small
from tests.sandbox.conftest import shared_attacks

ORDER = "#W4698082"
CANCEL = f"cancel_pending_order({ORDER!r}, 'no longer needed')"


def judge(lab: Lab, body: str, attempt: Attempt, world: Domain) -> Judgement:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return lab.judge(world, f"def verify(answer):\n{lines}\n", attempt)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("'a text\\n'", "a text\n"),
        ("''", ""),
        ("'null'", "null"),
        ("None", "null"),
        ("True", "true"),
        ("12", "12"),
        ("1.50", "1.5"),
        ("-0.0", "-0.0"),
        ("2**70", str(2**70)),
        ("[1, 'ü', None]", '[1, "ü", null]'),
        ("(1, (2,))", "[1, [2]]"),
        ("{'b': 1, 'a': {}}", '{"b": 1, "a": {}}'),
        ("value='x'", "x"),
        ("'é\\x00🙂'", "é\x00🙂"),
        ("'x' * 500_000", "x" * 500_000),
    ],
)
def test_answers_become_texts(lab: Lab, retail: Domain, value: str, text: str) -> None:
    attempt = lab.attempt(retail, f"answer({value})")
    assert attempt == Attempt(retail.database().snapshot(), (), text)


@pytest.mark.parametrize(
    "value",
    [
        "", "1, 2", "x=1", "{1: 2}", "{1, 2}", "object()", "float('nan')", "float('-inf')",
        "'\\ud800'", "b'x'", "1j", "'x' * 3_000_000", "10**5000",
    ],
)  # fmt: skip
def test_what_is_no_answer_fails(lab: Lab, retail: Domain, value: str) -> None:
    attempt = lab.attempt(retail, f"answer({value})")
    assert attempt.answer == ""
    assert attempt.error is not None


@pytest.mark.parametrize(
    "after",
    [
        "answer('b')",
        "think('b')",
        CANCEL,
        "\ntry:\n    answer('b')\nexcept Exception:\n    pass",
        f"\ntry:\n    {CANCEL}\nexcept BaseException:\n    pass",
    ],
)
def test_nothing_comes_after_the_answer(lab: Lab, retail: Domain, after: str) -> None:
    attempt = lab.attempt(retail, f"answer('a'); {after}")
    assert attempt.answer == "a"
    assert attempt.error == "it did something after its final answer"
    assert attempt.state == retail.database().snapshot()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("def", "SyntaxError"),
        ("answer('\ud800')", "surrogate"),
        ("get_order_details('#W0')", "order not found"),
        ("get_order_details()", "order_id"),
        ("nope()", "NameError"),
        ("while True: pass", "timeout"),
        ("for _ in range(1001): think('x')", "tool calls"),
        ("x = 'x' * 10**10", "Memory"),
        ("import os; os._exit(0)", "exited"),
        ("import sys; sys.exit(0)", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("print('x' * 10**8); 1 / 0", "ZeroDivisionError"),
        ("raise ValueError('x' * 10**6)", "x" * 100),
    ],
)
def test_failed_attempts_say_why(lab: Lab, retail: Domain, source: str, words: str) -> None:
    attempt = lab.attempt(retail, source)
    assert attempt.error is not None
    assert words in attempt.error
    assert len(attempt.error) < 500
    assert lab.attempt(retail, "answer('fine')").answer == "fine"


def test_an_attempt_that_fails_leaves_what_it_did(lab: Lab, retail: Domain) -> None:
    attempt = lab.attempt(retail, f"{CANCEL}\ncancel_pending_order('#W0', 'no longer needed')")
    assert [call.ok for call in attempt.calls] == [True, False]
    assert attempt.error is not None
    assert "order not found" in attempt.error
    changes = retail.changes(Database(retail.base, attempt.state))
    assert {change.path.split("/")[2] for change in changes} == {ORDER}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("return 1", "int"),
        ("return None", "NoneType"),
        ("return 'True'", "str"),
        ("return [True]", "list"),
        ("return 1.0", "float"),
        ("pass", "NoneType"),
    ],
)
def test_only_truth_values_are_verdicts(lab: Lab, retail: Domain, body: str, kind: str) -> None:
    found = judge(lab, body, left(retail), retail)
    assert found == Judgement(False, f"it returned a value of type {kind}, not True or False")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("return object()", "not a JSON type"),
        ("while True: pass", "timeout"),
        ("import os; os._exit(0)", "exited"),
        ("raise SystemExit(0)", "SystemExit"),
        ("return verify(answer)", "RecursionError"),
        ("return get_order_details('#W0') == 1", "order not found"),
        ("answer('x')", "'str' object is not callable"),
        ("return nope", "NameError"),
    ],
)
def test_what_is_no_verdict_says_why(lab: Lab, retail: Domain, body: str, words: str) -> None:
    found = judge(lab, body, left(retail), retail)
    assert not found.fulfilled
    assert found.problem is not None
    assert words in found.problem


@pytest.mark.parametrize(
    "source",
    [
        "state = 'x'\ndef verify(answer): return answer == 'said'",
        "result = True\ndef verify(answer): return answer == 'said'",
        "def verify(given): return given == 'said'",
        "def verify(*given): return given == ('said',)",
        "def initial(n): return n\ndef verify(answer): return initial(3) == 3",
        "changes = call_log = 0\ndef verify(answer): return changes == 0",
        "def verify(answer):\n    print('x' * 10**7)\n    return True",
        "def verify(answer): return True  # no newline at the end, and a quote '",
        'def verify(answer): return True\n"""a text"""',
        "verify = lambda answer: answer == 'said'",
        "def verify(answer):\n    global result\n    result = False\n    return True",
    ],
)
@pytest.mark.parametrize("name", ["tau_retail", "travel_planning"])  # the latter has a prelude
def test_names_are_free(lab: Lab, name: str, source: str) -> None:
    world = domain(name)
    assert lab.judge(world, source, left(world, "said")) == Judgement(True)


def test_result_cannot_replace_the_returned_value(lab: Lab, retail: Domain) -> None:
    source = "def verify(answer):\n    global result\n    result = True\n    return False"
    assert lab.judge(retail, source, left(retail)) == Judgement(False)


@pytest.mark.parametrize("answer", ["", "\x00\n", "🙂", "\ud800", "x" * 100_000, '"', "{}"])
def test_answers_arrive_as_they_are(lab: Lab, retail: Domain, answer: str) -> None:
    found = judge(lab, f"return answer == {answer!r}", left(retail, answer), retail)
    assert found == Judgement(True)


def test_tools_see_the_final_state_and_initial_the_first(lab: Lab, retail: Domain) -> None:
    attempt = lab.attempt(retail, f"{CANCEL}\nanswer('done')")
    body = f"""
now, then = get_order_details({ORDER!r}), initial("get_order_details", order_id={ORDER!r})
same = then == initial("get_order_details", {ORDER!r}) == initial(tool="get_order_details",
    order_id={ORDER!r})
return same and now["status"] == "cancelled" and then["status"] == "pending"
"""
    assert judge(lab, body, attempt, retail) == Judgement(True)


def test_what_initial_does_is_forgotten(lab: Lab, retail: Domain) -> None:
    body = f"""
first = initial("cancel_pending_order", {ORDER!r}, "no longer needed")["status"]
again = initial("get_order_details", {ORDER!r})["status"]
return (first, again, get_order_details({ORDER!r})["status"]) == ("cancelled", "pending", "pending")
"""
    assert judge(lab, body, left(retail), retail) == Judgement(True)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("initial()", "expected a tool's name, got None"),
        ("initial('nope')", "expected a tool's name, got 'nope'"),
        ("initial(3)", "expected a tool's name, got 3"),
        ("initial(['a'])", "expected a tool's name"),
        ("initial('answer')", "expected a tool's name"),
        ("initial('call_log')", "expected a tool's name"),
        ("initial('get_order_details')", "'order_id' is missing"),
        ("initial('get_order_details', nope=1)", "'nope' is not a parameter"),
        ("initial('get_order_details', 7)", "order_id"),
        ("initial('get_order_details', '#W0')", "order not found"),
        ("initial('get_order_details', '#W0', 1)", "takes 1 arguments but 2 were given"),
        ("initial('get_order_details', '#W0', order_id='#W0')", "multiple values"),
        ("call_log(1)", "takes 0 positional arguments"),
        ("changes(x=1)", "unexpected keyword argument"),
    ],
)
def test_wrong_use_of_the_helpers_raises(lab: Lab, retail: Domain, call: str, words: str) -> None:
    found = judge(lab, f"return {call} == 0", left(retail), retail)
    assert found.problem is not None
    assert words in found.problem
    caught = f"try:\n    {call}\nexcept Exception:\n    return True"
    assert judge(lab, caught, left(retail), retail) == Judgement(True)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("trade_calculator", ("find_minimum", "3, 1.5, 2")),
        ("trade_calculator", ("find_minimum", "7")),
        ("travel_planning", ("max", "1, 5, 2")),
        ("travel_planning", ("sum", "1, 2")),
        ("message_decoder", ("caesar_decode", "'khoor', 3")),
        ("message_decoder", ("caesar_decode", "message='khoor', shift=3")),
        ("dna_sequencer", ("count_nucleotides", "'ACGT'")),
        ("web_browsing", ("view", "")),
        ("tau_airline", ("calculate", "expression='1 + 2'")),
    ],
)
def test_initial_takes_what_the_tool_takes(lab: Lab, name: str, call: tuple[str, str]) -> None:
    world = domain(name)
    tool, arguments = call
    given = f"{tool!r}, {arguments}" if arguments else repr(tool)
    body = f"return initial({given}) == {tool}({arguments})"
    assert judge(lab, body, left(world), world) == Judgement(True)


def test_initial_takes_a_list_by_its_name(lab: Lab) -> None:
    world = domain("trade_calculator")
    body = "return initial('find_minimum', values=[3, 1.5]) == 1.5"
    assert judge(lab, body, left(world), world) == Judgement(True)


def test_the_log_has_every_call(lab: Lab, retail: Domain) -> None:
    source = f"""
try:
    get_order_details("#W0")
except Exception:
    pass
{CANCEL}
answer("done")
"""
    body = f"""
return call_log() == [
    {{"name": "get_order_details", "arguments": {{"order_id": "#W0"}}, "ok": False}},
    {{"name": "cancel_pending_order",
      "arguments": {{"order_id": {ORDER!r}, "reason": "no longer needed"}}, "ok": True}},
]
"""
    assert judge(lab, body, lab.attempt(retail, source), retail) == Judgement(True)


def test_changes_are_those_of_the_attempt(lab: Lab, retail: Domain) -> None:
    body = f"""
modify_pending_order_address("#W6758868", *["x"] * 6) if False else None
found = changes()
paths = [change["path"] for change in found]
status = found[paths.index("/orders/{ORDER}/status")]
added = found[paths.index("/orders/{ORDER}/cancel_reason")]
return (
    all(set(change) == {{"path", "before", "after", "kind"}} for change in found)
    and status == {{"path": "/orders/{ORDER}/status", "before": "pending", "after": "cancelled",
        "kind": "change"}}
    and (added["kind"], added["after"]) == ("add", "no longer needed")
    and changes() == found
)
"""
    attempt = lab.attempt(retail, f"{CANCEL}\nanswer('done')")
    assert judge(lab, body, attempt, retail) == Judgement(True)
    assert judge(lab, "return changes() == []", left(retail), retail) == Judgement(True)


def test_where_the_agent_looks_is_no_change() -> None:
    world = domain("web_browsing")
    database = world.database()
    url = world.base.tables["browser"]["state"]["page"]
    assert isinstance(url, str)
    world.call(database, "scroll_down", {})
    assert world.changes(database) == []
    assert world.changes(database, position=True)


def test_huge_logs_and_odd_arguments_reach_verify(lab: Lab, retail: Domain) -> None:
    calls = (LoggedCall("think", {"thought": "x" * 90_000}, True),) * 30
    calls += (LoggedCall("think", {"thought": "\ud800"}, True),)
    attempt = Attempt(retail.database().snapshot(), calls)
    body = "return len(call_log()) == 31 and call_log()[-1]['arguments']['thought'] == '\\ud800'"
    assert judge(lab, body, attempt, retail) == Judgement(True)


def test_a_verdict_changes_nothing(lab: Lab, retail: Domain) -> None:
    """Writes of verify are seen and reported, and gone afterwards."""
    attempt = lab.attempt(retail, "answer('done')")
    before = (attempt, retail.base.digest())
    body = f"{CANCEL}\nreturn get_order_details({ORDER!r})['status'] == 'cancelled'"
    found = judge(lab, body, attempt, retail)
    assert found.fulfilled
    assert f"/orders/{ORDER}/status" in found.changed
    assert judge(lab, body, attempt, retail) == found
    body = f"return changes() == [] and get_order_details({ORDER!r})['status'] == 'pending'"
    assert judge(lab, body, attempt, retail) == Judgement(True)
    body = "call_log().append(1); changes().append(1); return call_log() == changes() == []"
    assert judge(lab, body, attempt, retail) == Judgement(True)
    assert (attempt, retail.base.digest()) == before


# Attacks

CATEGORIES = ("reward", "state", "introspect")
_attacks = [
    pytest.param(attack["code"], id=attack["id"])
    for attack in shared_attacks()
    if attack["cat"] in CATEGORIES
]
_skipped = [pytest.param("", marks=pytest.mark.skip("attacks.jsonl is not in SCA_DATA_DIR"))]
OWN = [
    pytest.param(code, id=name)
    for name, code in {
        "frames": "import sys\nf = sys._getframe()\nwhile f:\n    f.f_globals.update("
        "verify=lambda a: True, result=True, changes=lambda: [], call_log=lambda: [])\n"
        "    f = f.f_back",
        "json": "import json\njson.dumps = json.JSONEncoder.encode = lambda *a, **k: 'true'",
        "builtins": "import builtins\nbuiltins.isinstance = lambda *a: True\nbuiltins.bool = int",
        "atexit": "import atexit\natexit.register(lambda: print('true'))",
        "thread": "import threading\nthreading.Thread(target=lambda: None).start()",
        "fds": "import os\nfor fd in range(3, 64):\n    try:\n"
        "        os.write(fd, b'true\\n' * 9)\n    except OSError:\n        pass",
        "truth": "class T(int):\n    __eq__ = lambda s, o: True\n    __hash__ = int.__hash__\n"
        "result = T(1)",
    }.items()
]
ALL = [*_attacks, *OWN] if _attacks else [*_skipped, *OWN]
PREAMBLE = f"OID = {ORDER!r}\nUID = 'ruth_ramirez_1'\n"
STRICT = f"""
def verify(answer):
    return (
        changes() == [] and call_log() == [] and answer == ""
        and len("abc") == 3 and isinstance(3, int) and not isinstance("3", int)
        and get_order_details({ORDER!r})["status"] == "pending"
        and initial("get_order_details", {ORDER!r})["status"] == "pending"
    )
"""


def check_that_nothing_stayed(lab: Lab, retail: Domain, digest: str) -> None:
    assert lab.judge(retail, STRICT, left(retail)) == Judgement(True)
    assert lab.judge(retail, STRICT, left(retail, "x")) == Judgement(False)
    assert retail.base.digest() == digest


@pytest.mark.parametrize("code", ALL)
def test_attacks_as_verify_code(lab: Lab, retail: Domain, code: str) -> None:
    digest = retail.base.digest()
    attempt = lab.attempt(retail, f"{CANCEL}\nanswer('done')")
    kept = (attempt.state, attempt.calls, attempt.answer)
    body = "\n".join(f"    {line}" for line in (PREAMBLE + code).splitlines())
    # At the top of the source, and inside of the function, where `result` is a local variable.
    for source in (
        f"{PREAMBLE}{code}\ndef verify(answer):\n    return False\n",
        f"def verify(answer):\n{body}\n    return 0\n",
    ):
        found = lab.judge(retail, source, attempt)
        assert not found.fulfilled
        assert "PWNED" not in (found.problem or "")
        assert (attempt.state, attempt.calls, attempt.answer) == kept
        assert all(path.startswith("/orders/") for path in found.changed)
    check_that_nothing_stayed(lab, retail, digest)


@pytest.mark.parametrize("code", ALL)
def test_attacks_as_attempts(lab: Lab, retail: Domain, code: str) -> None:
    """A solution and a failure case are attempts alike: neither touches its judge."""
    digest = retail.base.digest()
    attempt = lab.attempt(retail, f"{PREAMBLE}{code}\nanswer('done')")
    assert "PWNED" not in attempt.answer + (attempt.error or "")
    assert attempt.state == retail.database().snapshot()
    impossible = f"def verify(answer): return get_order_details({ORDER!r})['status'] != 'pending'"
    assert lab.judge(retail, impossible, attempt) == Judgement(False)
    check_that_nothing_stayed(lab, retail, digest)


@pytest.mark.parametrize("code", ALL)
def test_an_attack_is_no_solution(lab: Lab, code: str) -> None:
    """The gates stop it: they find it unsafe, or see that it did nothing."""
    task = small(solution=f"{PREAMBLE}{code}\nanswer('done')")
    gates = standard_gates(failures=False, strength=None)
    assert not examine(task, gates, lab, task.load_domain()).accepted


# The same verdict everywhere

_PROBE = """
import json, sys
from sca_envs.challenge.task import CodeAsTask
from sca_envs.challenge.examination import examine
from sca_envs.challenge.verifier import verdict
from sca_envs.core.actions import LoggedCall
for line in sys.stdin:
    task, calls, answer = json.loads(line)
    calls = [LoggedCall(**call) for call in calls]
    print(verdict(CodeAsTask.model_validate(task), calls, answer), flush=True)
"""


@pytest.mark.slow
def test_verdicts_are_the_same_in_another_process(lab: Lab) -> None:
    """With another hash seed, time zone and folder; for right and wrong attempts at good tasks."""
    lines, expected = [], []
    for name in list_domains():
        examples = [example.task for example in labelled() if example.task.domain == name]
        for task in examples[:4]:
            world = task.load_domain()
            sources = [task.solution, *task.failures[:1]]
            for attempt in (lab.attempt(world, source) for source in sources):
                calls = [call._asdict() for call in attempt.calls]
                for answer in (attempt.answer, ""):
                    lines.append(json.dumps([task.model_dump(mode="json"), calls, answer]))
                    expected.append(str(verdict(task, attempt.calls, answer)))
    assert {"True", "False"} == set(expected)
    for seed, zone in (("1", "Asia/Tokyo"), ("77", "America/Lima")):
        environ = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone}
        done = subprocess.run(
            [sys.executable, "-c", _PROBE],
            input="\n".join(lines),
            env=environ,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == expected


def test_judging_elsewhere_is_in_other_circumstances(lab: Lab, retail: Domain) -> None:
    source = """
def verify(answer):
    import time
    seen = [int(time.time()), next(iter({"a", "b", "c", "d", "e", "f"})), hash("x") % 1000]
    return str(seen) == answer
"""
    told = source.replace("return str(seen) == answer", "raise ValueError(seen)")
    here = lab.judge(retail, told, left(retail)).problem
    seen = {here}
    for world in range(OTHER_WORLDS):
        found = lab.judge_elsewhere(retail, told, left(retail), world)
        assert found == lab.judge_elsewhere(retail, told, left(retail), world)
        seen.add(found.problem)
    assert len(seen) == OTHER_WORLDS + 1


def test_replaying_gives_what_the_code_left(lab: Lab) -> None:
    for example in labelled():
        if example.good and example.task.id.endswith(("01", "02", "05")):
            world = example.task.load_domain()
            attempt = lab.attempt(world, example.task.solution)
            assert replay(world, attempt.calls, attempt.answer) == attempt


def test_replaying_finds_out_what_succeeds(retail: Domain) -> None:
    calls: list[Any] = [
        LoggedCall("nope", {}, True),
        LoggedCall("get_order_details", {"order_id": "#W0"}, True),
        LoggedCall("get_order_details", {"order_id": 3}, True),
        LoggedCall("get_order_details", {"order_id": ORDER}, False),
    ]
    attempt = replay(retail, calls, "x")
    assert [call.ok for call in attempt.calls] == [False, False, False, True]
    assert (attempt.answer, attempt.error) == ("x", None)
    assert attempt.state == retail.database().snapshot()


@pytest.mark.parametrize(
    ("name", "call", "arguments"),
    [
        ("trade_calculator", "find_minimum(3, 1.5)", {"values": [3, 1.5]}),
        ("travel_planning", "book_hotel('Rome', 'pool')", None),
        ("message_decoder", "caesar_decode('khoor', 3)", {"message": "khoor", "shift": 3}),
    ],
)
def test_arguments_are_logged_by_their_names(
    lab: Lab, name: str, call: str, arguments: dict[str, Any] | None
) -> None:
    world = domain(name)
    attempt = lab.attempt(world, f"try:\n    {call}\nexcept Exception:\n    pass\nanswer('')")
    properties = world.tools[call.partition("(")[0]].parameters["properties"]
    (logged,) = attempt.calls
    assert logged.arguments.keys() <= properties.keys()
    assert arguments is None or logged.arguments == arguments
    assert replay(world, attempt.calls, "") == attempt


def test_a_worker_that_was_killed_costs_no_verdict() -> None:
    """What ends an execution from outside says nothing about the code."""
    domain = sca_envs.domain("tau_retail")
    verify = "def verify(answer):\n    return answer == 'x'"
    with Lab() as lab:
        attempt = lab.attempt(domain, "answer('x')")
        assert lab.judge(domain, verify, attempt).fulfilled
        os.kill(lab._sandbox._current._process.pid, signal.SIGKILL)
        lab._sandbox._current._process.wait()
        assert lab.attempt(domain, "answer('x')").error is None
        os.kill(lab._sandbox._current._process.pid, signal.SIGKILL)
        lab._sandbox._current._process.wait()
        assert lab.judge(domain, verify, attempt).fulfilled
