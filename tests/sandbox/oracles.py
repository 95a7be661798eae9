"""Runs attacks and judges them: what each kind must not have done."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, NamedTuple

from sca_envs.sandbox import Result, Sandbox, SandboxError
from tests.sandbox.conftest import LIMITS, ORDERS, PREAMBLE, Host

SECRET = {"total": 4711.5}
GRACE = 20.0  # generous: the machine may be busy
HOST_SECONDS = 1.5
"""Processor time that one execution may cost the host."""

# Everything stored, byte for byte, and much of what is loaded: what an earlier execution could
# have changed for this one.
CANARY = """
import sys, hashlib, json, re, random, time, os, textwrap, decimal, datetime, string, builtins
import pprint, argparse, csv, shlex, difflib, gc
store = next(finder for finder in sys.meta_path if hasattr(finder, '_code'))
result = [
    hashlib.sha256(store._code).hexdigest(), len(store._index), pprint.pformat({'a': [1] * 40}),
    shlex.split('a "b c"'), difflib.get_close_matches('appel', ['ape', 'apple']),
    json.dumps(json.loads('{"a": [1.5, null]}')), re.sub('a+', 'b', 'caat'), random.random(),
    time.time(), os.getpid(), str(decimal.getcontext()), str(datetime.datetime.now()),
    id(object()), hash('x'), sys.getrecursionlimit(), sorted(vars(builtins)), sorted(sys.modules),
    os.urandom(4).hex(), gc.get_threshold(), dict(os.environ), textwrap.fill('a b c', 3),
]
"""


class Run(NamedTuple):
    """An attack's execution."""

    result: Result
    wall: float
    """Seconds of the clock."""
    host: float
    """Seconds of the host's processor time."""


def run(sandbox: Sandbox, attack: dict[str, Any], mode: str, host: Host) -> Run:
    """Run an attack once or as the first cell of a session."""
    start, used = time.monotonic(), time.process_time()
    code = PREAMBLE + attack["code"]
    if mode == "once":
        result = sandbox.run(code, host.tools)
    else:
        if attack.get("forges"):
            code = code.replace("<cell>", "<cell 1>")
        try:
            with sandbox.session(host.tools) as session:
                result = session.run(code)
        except SandboxError as error:
            result = Result(error=error)
    return Run(result, time.monotonic() - start, time.process_time() - used)


def outcome(result: Result) -> list[Any]:
    """Return all of a result that must repeat."""
    error = result.error
    failure = None if error is None else [error.reason, error.message, error.traceback]
    return [result.value, result.stdout, result.stderr, result.displayed, failure]


def judge(
    sandbox: Sandbox,
    attack: dict[str, Any],
    mode: str,
    clean: list[Any],
    folder: Path,
    limits: Any = LIMITS,
) -> None:
    """Run an attack and assert that it met its oracle and left nothing behind.

    Args:
        sandbox: Where to run it.
        attack: The attack.
        mode: "once" or "session".
        clean: What `CANARY` gives in a sandbox of the same kind in which nothing ran before.
        folder: The current directory of the host.
        limits: The sandbox's own.
    """
    host = Host()
    result, wall, used = run(sandbox, attack, mode, host)
    shown = json.dumps(outcome(result), ensure_ascii=False)
    assert "PWNED" not in shown.partition("Traceback")[0], shown[:500]
    assert not [text for text in attack.get("absent", []) if text in shown]
    assert result.error is None or "/sca_envs/" not in result.error.traceback
    assert not list(folder.glob("sbx_pwned*"))
    assert used < HOST_SECONDS
    _is_small(result, limits)
    _meets(attack, mode, result, wall, lambda: run(sandbox, attack, mode, host).result)
    if attack["oracle"] == "next":
        later = sandbox.run(PREAMBLE + attack["then"], host.tools)
        assert later.unwrap() == attack["clean"]
    assert host.orders == ORDERS or attack["oracle"] != "state"
    canary = sandbox.run(CANARY)
    assert canary.unwrap() == clean
    good = sandbox.run("result = get_order_details('#W1')['status']", Host().tools)
    assert good.unwrap() == "pending"


def _is_small(result: Result, limits: Any) -> None:
    for text in (result.stdout, result.stderr, result.displayed or ""):
        assert len(text.encode()) <= limits.output_bytes
    assert len(json.dumps(result.value)) <= 1.2 * limits.message_bytes
    if result.error is not None:
        assert len(result.error.message) + len(result.error.traceback) < 64 << 10


def _meets(attack: dict[str, Any], mode: str, result: Result, wall: float, again: Any) -> None:
    oracle = attack["oracle"]
    if attack.get("once") and mode == "session":
        oracle = "contain"
    if oracle == "limits":
        assert result.error is not None
        assert wall < LIMITS.wall_seconds + GRACE
    elif oracle == "host_eq":
        assert result.value != SECRET
    elif oracle == "verdict" or (oracle == "forged_not_true" and mode == "once"):
        assert result.verdict is False
    elif oracle == "same":
        assert outcome(result) == outcome(again())
    elif oracle.startswith("reason:"):
        assert result.error is not None
        assert result.error.reason == oracle.removeprefix("reason:"), result.error
