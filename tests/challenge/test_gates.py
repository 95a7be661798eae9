"""Each gate on a good task, and on the smallest bad one of each kind that it stops."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from sca_envs.challenge.gates import (
    Complete,
    Difficult,
    FailuresFail,
    Gate,
    HeldOut,
    NoLeak,
    Novel,
    Repeatable,
    Safe,
    SolutionPasses,
    Strong,
    Unsatisfied,
    difficulty_factor,
    standard_gates,
)
from sca_envs.challenge.gates.trials import MOST_CALLS
from sca_envs.challenge.lab import Lab
from sca_envs.challenge.report import MEANINGS
from sca_envs.challenge.task import CodeAsTask, Verdict
from sca_envs.core.errors import OptionError
from tests.challenge.tasks import CHANGE, LOOKUP, by_id, case, small

GOOD = by_id(CHANGE)
ANSWER = "answer('x')"


def check(gate: Gate, task: CodeAsTask, lab: Lab) -> Verdict:
    verdict = gate.check(case(task, lab))
    assert verdict.gate == gate.name
    assert verdict.passed == (verdict.reason == "")
    return verdict


@pytest.mark.parametrize("task_id", [LOOKUP, CHANGE])
@pytest.mark.parametrize("gate", [*standard_gates(), Novel(), Difficult(lambda task: 0.5)])
def test_good_tasks_pass(gate: Gate, task_id: str, lab: Lab) -> None:
    assert check(gate, by_id(task_id), lab).passed


def test_the_gates_are_the_documented_ones_in_their_order() -> None:
    gates = (*standard_gates(), HeldOut(["x"]), Novel(), Difficult(len))  # type: ignore[arg-type]
    assert [gate.name for gate in gates] == list(MEANINGS)
    assert all(isinstance(gate, Gate) for gate in standard_gates())


DEEP = "+".join(["1"] * 400)
BAD: list[tuple[Callable[[], Gate], dict[str, Any], str]] = [
    (Complete, {"instruction": " \n"}, "the instruction is empty"),
    (Complete, {"instruction": "a\ud800"}, "half a surrogate pair"),
    (Complete, {"verify": ""}, "verify does not define"),
    (Complete, {"verify": "def verify(answer"}, r"verify does not parse: .* in line 1"),
    (Complete, {"verify": "\ud800"}, "verify does not parse"),
    (Complete, {"verify": "x = '\x00'"}, "verify does not parse"),
    (Complete, {"verify": "(" * 5_000}, "verify does not parse"),
    (Complete, {"verify": "def verify(): return True"}, "with one argument"),
    (Complete, {"verify": "def verify(a, b): return True"}, "with one argument"),
    (Complete, {"verify": "def verify(a, *, b): return True"}, "with one argument"),
    (Complete, {"verify": "async def verify(answer): return True"}, "does not define"),
    (Complete, {"verify": "class A:\n def verify(answer): return 1"}, "does not define"),
    (Complete, {"solution": "x = 1"}, r"the solution never calls answer\(…\)"),
    (Complete, {"solution": "answer(1"}, "the solution does not parse"),
    (Complete, {"failures": GOOD.failures[:2]}, "at least 3 failure cases, got 2"),
    (Complete, {"failures": ()}, "at least 3 failure cases, got 0"),
    (Complete, {"failures": (*GOOD.failures, "1")}, "failure case 4 never calls answer"),
    (
        Complete,
        {"failures": (*GOOD.failures, f"# again\n{GOOD.failures[0]}")},
        "two failure cases are the same",
    ),
    (Complete, {"failures": (*GOOD.failures, GOOD.solution + "\n#")}, "the solution itself"),
    (Safe, {"instruction": "x" * 4_001}, "instruction is longer than 4000"),
    (Safe, {"verify": GOOD.verify + "#" * 12_000}, "verify is longer than 12000"),
    (Safe, {"failures": (*GOOD.failures, "x" * 12_001)}, "failure case 4 is longer"),
    (Safe, {"solution": "import os"}, "the solution imports os; allowed are abc"),
    (Safe, {"solution": "import os.path as math"}, "imports os.path"),
    (Safe, {"solution": "from . import x"}, "imports"),
    (Safe, {"verify": "from random import random"}, "verify imports random"),
    (Safe, {"verify": "import time"}, "verify imports time"),
    (Safe, {"verify": "import math, json, subprocess"}, "imports subprocess"),
    (Safe, {"verify": "open('x')"}, "verify uses open"),
    (Safe, {"verify": "f = eval"}, "uses eval"),
    (Safe, {"verify": "__import__('os')"}, "uses __import__"),
    (Safe, {"verify": "().__class__.__bases__"}, "uses __"),
    (Safe, {"verify": "''.__hash__()"}, "uses __hash__"),
    (Safe, {"verify": "hash('x')"}, "uses hash"),
    (Safe, {"verify": "id(3)"}, "uses id"),
    (Safe, {"verify": "import datetime\ndatetime.datetime.now()"}, r"asks for the time by \.now"),
    (Safe, {"verify": "from datetime import date as d\nf = d.today"}, r"by \.today"),
    (NoLeak, {"instruction": "def verify(answer): return True"}, "contains code"),
    (NoLeak, {"instruction": "Do ```x```"}, "contains code"),
    (NoLeak, {"instruction": "Use cancel_pending_order."}, "names the tool cancel_pending_order"),
    (NoLeak, {"instruction": "Run calculate(1 + 1)."}, "names the tool calculate"),
    (
        NoLeak,
        {
            "solution": "value = sorted([1, 2, 3])",
            "instruction": "Say what value =  sorted([1, 2, 3]) is",
        },
        r"quotes the solution: value = sorted",
    ),
    (Unsatisfied, {"verify": "def verify(answer): return True"}, "true before anything was done"),
    (Unsatisfied, {"verify": "def verify(answer): return not answer"}, "true before"),
    (Unsatisfied, {"verify": "def verify(answer): return 0"}, "type int, not True or False"),
    (Unsatisfied, {"verify": "def verify(answer): return answer[0]"}, "IndexError"),
    (
        Unsatisfied,
        {"verify": "def verify(answer):\n while True: pass"},
        "untouched state.*timeout",
    ),
    (
        Unsatisfied,
        {
            "verify": "def verify(answer):\n"
            " cancel_pending_order('#W4698082', 'no longer needed')\n return False"
        },
        r"verify changed its copy of the world .*\(/orders/#W4698082",
    ),
    (SolutionPasses, {"solution": "answer(1 / 0)"}, "the solution failed: .*ZeroDivisionError"),
    (SolutionPasses, {"solution": "answer('a'); answer('b')"}, "after its final answer"),
    (SolutionPasses, {"solution": ANSWER}, r"verify is false after the solution \(answer 'x'\)"),
    (SolutionPasses, {"verify": "def verify(answer): return 1"}, "verify failed on the solution"),
    (
        SolutionPasses,
        {"solution": f"for i in range({MOST_CALLS - 1}): think(str(i))\n{GOOD.solution}"},
        f"the solution makes {MOST_CALLS + 1} tool calls; expected at most {MOST_CALLS}",
    ),
    (
        SolutionPasses,
        {"solution": f"transfer_to_human_agents('x')\n{GOOD.solution}"},
        "goes on after transfer_to_human_agents, which ends the conversation",
    ),
    (
        SolutionPasses,
        {
            "verify": "def verify(answer): return answer == 'x'",
            "solution": f"transfer_to_human_agents('x')\n{ANSWER}",
        },
        "verify wants an answer, but transfer_to_human_agents ends the conversation",
    ),
    (
        FailuresFail,
        {"failures": (*GOOD.failures, GOOD.solution.replace("are", "go"))},
        "verify is true after failure case 4",
    ),
    (
        FailuresFail,
        {"verify": "def verify(answer): return 3 if 'send' in answer else False"},
        "verify failed on failure case 3: it returned a value of type int",
    ),
    (FailuresFail, {"failures": ("1 / 0", "2 / 0", "3 / 0")}, "every failure case crashed"),
    (
        FailuresFail,
        {"verify": "def verify(answer): return False", "failures": (GOOD.solution + "\n#",)},
        "failure case 1 ends as the solution does",
    ),
    (
        Repeatable,
        {"verify": "import time\ndef verify(answer): return int(time.time()) == 1715785200"},
        "the verdict on the solution differs",
    ),
    (
        Repeatable,
        {"verify": "def verify(answer): return list({'c', 'x', 'y'})[0] == 'c'"},
        "differs from run to run",
    ),
    (Strong, {"verify": "def verify(answer): return bool(answer)"}, "verify accepts .* near misse"),
    (
        Strong,
        {"verify": "def verify(answer): return True", "solution": "answer('')"},
        "nothing about the solution could be varied",
    ),
]


@pytest.mark.parametrize(("make", "changes", "words"), BAD)
def test_bad_tasks_are_stopped(
    make: Callable[[], Gate], changes: dict[str, Any], words: str, lab: Lab
) -> None:
    verdict = check(make(), small(**changes), lab)
    assert not verdict.passed
    assert re.search(words, verdict.reason, re.DOTALL), verdict.reason


@pytest.mark.parametrize(
    ("make", "changes"),
    [
        (Complete, {"verify": "x: int = 1\n\ndef verify(given='', /): return False"}),
        (Complete, {"verify": "def verify(answer, extra=1): return False"}),
        (Complete, {"solution": f"{ANSWER}\nx = {DEEP}"}),
        (Safe, {"verify": "import math, json.decoder\nfrom datetime import datetime, timedelta"}),
        (Safe, {"verify": "class A:\n    def __init__(self):\n        self.day = 1"}),
        (Safe, {"instruction": "x" * 4_000}),
        (NoLeak, {"instruction": "Please calculate and think; cancel the pending order."}),
        (NoLeak, {"instruction": "", "solution": "answer(1)"}),
        (SolutionPasses, {"solution": f"for _ in range(27): think('')\n{GOOD.solution}"}),
        (FailuresFail, {"failures": ("1 / 0", *GOOD.failures[:2])}),
    ],
)  # fmt: skip
def test_what_is_allowed_passes(
    make: Callable[[], Gate], changes: dict[str, Any], lab: Lab
) -> None:
    assert check(make(), small(**changes), lab).passed


def test_a_transfer_may_end_a_solution(lab: Lab) -> None:
    verify = "def verify(answer): return call_log()[-1:][0]['name'].startswith('transfer')"
    task = small(verify=verify, solution=f"transfer_to_human_agents('x')\n{ANSWER}")
    assert check(SolutionPasses(), task, lab).passed


def test_deep_code_stops_no_gate(lab: Lab) -> None:
    task = small(LOOKUP, solution=f"{by_id(LOOKUP).solution}\nx = {DEEP}")
    for gate in standard_gates():
        assert gate.check(case(task, lab)).gate == gate.name


def test_strength_counts(lab: Lab) -> None:
    weak = small(verify="def verify(answer): return bool(changes())")
    verdict = check(Strong(), weak, lab)
    details = verdict.details
    assert not verdict.passed
    assert details["rejected"] == round(1 - len(details["accepted"]) / details["mutants"], 4)
    assert "near misses" in verdict.reason
    blind = check(Strong(threshold=0), weak, lab)
    assert "does not notice a detail" in blind.reason
    assert check(Strong(limit=1), GOOD, lab).details["mutants"] == 1
    assert check(Strong(), GOOD, lab).details["rejected"] == 1


@pytest.mark.parametrize("task_id", [LOOKUP, CHANGE])
def test_copies_are_not_novel(task_id: str, lab: Lab) -> None:
    novel = Novel()
    task = by_id(task_id)
    assert check(novel, task, lab).passed
    other_words = small(task_id, id="b", instruction="Something else entirely, in other words.")
    assert "does the same as that of task retail" in check(novel, other_words, lab).reason
    again = small(
        task_id,
        id="c",
        instruction=task.instruction + " Thanks!",
        solution="cancel_pending_order('#W6758868', 'no longer needed'); answer('7')",
    )
    assert "says nearly the same as that of task retail" in check(novel, again, lab).reason
    for other in ("retail-04", "retail-07"):
        assert check(novel, by_id(other), lab).passed


def test_what_was_refused_is_not_remembered(lab: Lab) -> None:
    novel = Novel(similarity=0.0)
    assert check(novel, by_id(CHANGE), lab).passed
    near = small(LOOKUP, instruction=f"{GOOD.instruction} And more than that.")
    assert not check(novel, near, lab).passed
    assert check(novel, by_id(LOOKUP), lab).passed


@pytest.mark.parametrize(
    ("rate", "low", "high", "passed"),
    [(0.5, 0.2, 0.8, True), (0.2, 0.2, 0.8, True), (0.8, 0.2, 0.8, True), (0.0, 0.2, 0.8, False),
     (1.0, 0.2, 0.8, False), (0.0, 0.0, 1.0, True)],
)  # fmt: skip
def test_difficulty_is_a_band(rate: float, low: float, high: float, passed: bool, lab: Lab) -> None:
    verdict = check(Difficult(lambda task: rate, low, high), GOOD, lab)
    assert verdict.passed == passed
    assert verdict.details == {"pass_rate": rate, "difficulty": difficulty_factor(rate)}
    assert passed or f"from 0.2 to 0.8, got {rate:g}" in verdict.reason


@pytest.mark.parametrize(("low", "high"), [(-0.1, 1), (0, 1.1), (0.6, 0.5)])
def test_a_band_is_within_0_and_1(low: float, high: float) -> None:
    with pytest.raises(OptionError, match="0 <= low <= high <= 1"):
        Difficult(lambda task: 0.5, low, high)


def test_difficulty_factor() -> None:
    assert [difficulty_factor(p) for p in (0, 0.25, 0.5, 1)] == [0, 0.75, 1, 0]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (
            {"verify": False, "solution": False, "failures": False, "strength": None},
            ["complete"],
        ),
        (
            {"solution": False, "failures": False},
            ["complete", "safe", "no leak", "unsatisfied"],
        ),
        (
            {"failures": False, "strength": None},
            ["complete", "safe", "no leak", "unsatisfied", "solution", "repeatable"],
        ),
        ({"strength": None}, list(MEANINGS)[:7]),
    ],
)
def test_ablations(options: dict[str, Any], names: list[str], lab: Lab) -> None:
    gates = standard_gates(**options)
    assert [gate.name for gate in gates] == names
    if "verify" in options:
        bare = small(verify="", solution="", failures=())
        assert gates[0].check(case(bare, lab)).passed
