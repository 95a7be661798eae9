"""Every attack meets its oracle, once and in a session, and leaves the worker as it was."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from sca_envs.sandbox import Result, Sandbox
from tests.sandbox.attacks import ATTACKS
from tests.sandbox.conftest import LIMITS, ORDERS, PREAMBLE, Host, shared_attacks

SECRET = {"total": 4711.5}
GRACE = 20.0  # generous: the machine may be busy

_shared = shared_attacks()
_skipped = [pytest.param({}, marks=pytest.mark.skip("attacks.jsonl is not in SCA_DATA_DIR"))]
_all = [pytest.param(attack, id=attack["id"]) for attack in [*_shared, *ATTACKS]]


def run(sandbox: Sandbox, host: Host, mode: str, code: str) -> Result:
    if mode == "once":
        return sandbox.run(PREAMBLE + code, host.tools)
    with sandbox.session(host.tools) as session:
        return session.run(PREAMBLE + code)


@pytest.mark.parametrize("mode", ["once", "session"])
@pytest.mark.parametrize("attack", _all + ([] if _shared else _skipped))
def test_attack_meets_its_oracle(
    sandbox: Sandbox,
    host: Host,
    attack: dict[str, Any],
    mode: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("SBX_SECRET", "SBX_SECRET_VALUE")
    monkeypatch.chdir(tmp_path)
    start = time.monotonic()
    result = run(sandbox, host, mode, attack["code"])
    elapsed = time.monotonic() - start

    assert "PWNED" not in json.dumps(result.value)
    assert "PWNED" not in result.stdout
    assert not list(tmp_path.glob("sbx_pwned*"))
    assert result.error is None or "/sca_envs/" not in result.error.traceback
    oracle = "contain" if attack.get("once") and mode == "session" else attack["oracle"]
    if oracle == "limits":
        assert result.error is not None
        assert elapsed < LIMITS.wall_seconds + GRACE
    elif oracle == "host_eq":
        assert result.value != SECRET
    elif oracle == "verdict":
        assert result.verdict is False
    elif oracle == "next":
        later = sandbox.run(PREAMBLE + attack["then"], host.tools)
        assert later.unwrap() == attack["clean"]
    elif oracle == "same":
        again = run(sandbox, host, mode, attack["code"])
        assert json.dumps(result.unwrap()) == json.dumps(again.unwrap())
    elif oracle.startswith("reason:"):
        assert result.error is not None
        assert result.error.reason == oracle.removeprefix("reason:"), result.error
    else:
        assert oracle in ("marker", "contain", "state")

    assert host.orders == ORDERS  # no attack here calls a tool that writes
    good = sandbox.run("result = get_order_details('#W1')['status']", host.tools)
    assert good.unwrap() == "pending"


def test_attacks_are_many() -> None:
    assert len(ATTACKS) >= 25
    assert len({attack["id"] for attack in ATTACKS}) == len(ATTACKS)
