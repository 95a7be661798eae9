"""Lower levels still confine, and too low a level is refused."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from sca_envs.sandbox import Level, Sandbox, SandboxUnavailableError
from sca_envs.sandbox.child.seccomp import ARCHITECTURES, Filter, _assemble
from tests.sandbox.attacks import ATTACKS
from tests.sandbox.conftest import LIMITS, PREAMBLE, Host, shared_attacks

QUICK = [
    attack for attack in [*shared_attacks(), *ATTACKS] if attack["oracle"] in ("marker", "next")
]


@pytest.mark.parametrize(
    ("without", "level"),
    [(["namespaces"], Level.LANDLOCK), (["namespaces", "landlock"], Level.SECCOMP)],
)
def test_lower_levels_confine(host: Host, without: list[str], level: Level) -> None:
    try:
        sandbox = Sandbox(without=without, limits=LIMITS)
    except SandboxUnavailableError as error:
        pytest.skip(str(error))
    with sandbox:
        assert sandbox.isolation.level <= level
        assert sandbox.isolation.seccomp
        for attack in QUICK:
            result = sandbox.run(PREAMBLE + attack["code"], host.tools)
            assert "PWNED" not in str(result.value), attack["id"]
            if attack["oracle"] == "next":
                later = sandbox.run(PREAMBLE + attack["then"], host.tools)
                assert later.unwrap() == attack["clean"], attack["id"]


def test_without_seccomp_it_refuses() -> None:
    with pytest.raises(SandboxUnavailableError, match=r"it lacks seccomp.*SCA_SANDBOX=unsafe"):
        Sandbox(without=["seccomp"])


def test_a_minimum_can_be_demanded() -> None:
    with pytest.raises(SandboxUnavailableError, match=r"needs level FULL.*lacks user namespaces"):
        Sandbox(without=["namespaces"], minimum=Level.FULL)


def test_unsafe_runs_with_a_warning(monkeypatch: pytest.MonkeyPatch, host: Host) -> None:
    monkeypatch.setenv("SCA_SANDBOX", "unsafe")
    with pytest.warns(RuntimeWarning, match="WITHOUT protection"):
        sandbox = Sandbox(spares=0)
    with sandbox:
        assert sandbox.isolation.level is Level.UNSAFE
        code = "result = get_order_details('#W1')['status']"
        assert sandbox.run(code, host.tools).unwrap() == "pending"
        with sandbox.session() as session:
            assert session.run("1 + 1").displayed == "2"


def test_other_values_of_the_variable_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCA_SANDBOX", "off")
    with pytest.raises(SandboxUnavailableError, match="expected 'unsafe' or nothing, got 'off'"):
        Sandbox()


def test_as_another_user(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user; the other tests ran as an ordinary one")
    program = (
        "import os; os.setgroups([]); os.setgid(1001); os.setuid(1001)\n"
        "from sca_envs.sandbox import Sandbox\n"
        "with Sandbox() as s: print(s.isolation.level.name, s.isolation.user, "
        "s.run('result = 1').unwrap())"
    )
    folders = [str(Path(__file__).parents[2]), sysconfig.get_path("purelib")]
    readable = [sys.executable, "/usr/bin/python3"]
    for python in readable:
        done = subprocess.run(
            [python, "-c", program],
            capture_output=True,
            text=True,
            env={"PYTHONPATH": os.pathsep.join(folders)},
        )
        if done.returncode == 0:
            assert done.stdout.split()[1:] == ["1001", "1"]
            return
    pytest.skip(f"no interpreter that another user can read: {done.stderr[-200:]}")


def test_the_filter_on_every_architecture() -> None:
    """The program is small, ends in a return, and jumps to places that exist."""
    for numbers in ARCHITECTURES.values():
        Filter(numbers)
        program = _assemble(numbers)
        assert len(program) < 64
        for place, (code, if_true, if_false, _) in enumerate(program):
            if code in (0x15, 0x35, 0x45):
                assert place + 1 + max(if_true, if_false) < len(program)
        for number in numbers.plain:
            assert _evaluate(program, numbers.audit, number) == "allow"
        for number in numbers.on_channel:
            assert _evaluate(program, numbers.audit, number, 3) == "allow"
            assert _evaluate(program, numbers.audit, number, 2) == "deny"
        for number in numbers.not_executable:
            assert _evaluate(program, numbers.audit, number, 0, 3) == "allow"
            assert _evaluate(program, numbers.audit, number, 0, 7) == "deny"
        assert _evaluate(program, numbers.audit, 59999) == "deny"
        assert _evaluate(program, numbers.audit ^ 1, numbers.plain[0]) == "kill"
        assert _evaluate(program, numbers.audit, 0x40000000 + 41) == "kill"


def _evaluate(program: list[Any], audit: int, number: int, arg0: int = 0, arg2: int = 0) -> str:
    """Interpret the filter, as the kernel would."""
    data = {0: number, 4: audit, 16: arg0, 32: arg2}
    place, value = 0, 0
    while True:
        code, if_true, if_false, k = program[place]
        place += 1
        if code == 0x20:
            value = data[k]
        elif code == 0x06:
            return {0x7FFF0000: "allow", 0x80000000: "kill"}.get(k, "deny")
        else:
            holds = {0x15: value == k, 0x35: value >= k, 0x45: bool(value & k)}[code]
            place += if_true if holds else if_false
