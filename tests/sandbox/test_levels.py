"""Lower levels still confine, and too low a level is refused."""

from __future__ import annotations

import functools
import itertools
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sca_envs.cli import app
from sca_envs.sandbox import Level, Sandbox, SandboxError, SandboxUnavailableError
from sca_envs.sandbox.child.seccomp import ARCHITECTURES, RULES, Filter, assemble
from sca_envs.sandbox.worker import Worker
from tests.sandbox.conftest import Host


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


PROC_READ_ONLY = "mount --bind /proc /proc && mount -o remount,ro,bind /proc"
NO_PROC = "mount -t tmpfs none /proc"
PROGRAM = """
from sca_envs.sandbox import Sandbox
with Sandbox() as sandbox:
    print(sandbox.isolation.level.name, [sandbox.run("result = 1").unwrap() for _ in range(4)])
    with sandbox.session() as session:
        print(session.run("2 + 2").displayed, sandbox.isolation.missing)
"""


def in_a_place(prepare: str, *command: str) -> str:
    """Run a program in a mount namespace of its own; skip where that is not possible."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("only root can change what is mounted")
    script = f'{prepare} && exec "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", *command], capture_output=True, text=True
    )
    if "mount:" in done.stderr or "unshare:" in done.stderr:
        pytest.skip(f"mounts cannot be changed here: {done.stderr}")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("prepare", [PROC_READ_ONLY, NO_PROC])
def test_namespaces_that_stop_half_way_are_left_out(prepare: str) -> None:
    """As on Ubuntu since 24.04: a user namespace can be made, and its user cannot be mapped."""
    first, second = in_a_place(prepare, sys.executable, "-c", PROGRAM).splitlines()
    assert first == "LANDLOCK [1, 1, 1, 1]"
    assert "namespaces: [Errno " in second
    assert "/proc/self/setgroups" in second


def test_doctor_says_what_is_missing_and_what_would_help() -> None:
    said = in_a_place(PROC_READ_ONLY, sys.executable, "-m", "sca_envs", "doctor")
    assert "Level: LANDLOCK" in said
    assert "Missing: namespaces: [Errno 30]" in said
    assert "kernel.apparmor_restrict_unprivileged_userns=0" in " ".join(said.split())


def test_doctor_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    said = CliRunner().invoke(app, ["doctor"]).stdout
    with Sandbox() as sandbox:
        assert f"Level: {sandbox.isolation.level.name}" in said
    assert "Kernel: Linux" in said
    monkeypatch.setenv("SCA_SANDBOX", "unsafe")
    with pytest.warns(RuntimeWarning):
        said = CliRunner().invoke(app, ["doctor"]).stdout
    assert "WITHOUT protection" in said


@pytest.mark.parametrize(("broken", "level"), [(1, Level.LANDLOCK), (2, Level.SECCOMP)])
def test_a_level_counts_only_if_two_executions_work(
    monkeypatch: pytest.MonkeyPatch, broken: int, level: Level
) -> None:
    take, taken = Worker.take, []

    def fail_second(self: Worker, memory_bytes: int) -> Any:
        if self not in taken and len(set(map(id, taken))) < broken:
            taken.append(self)
            return take(self, memory_bytes)
        if self in taken:
            raise SandboxError("killed", "the system has no process for it: Cannot allocate memory")
        return take(self, memory_bytes)

    monkeypatch.setattr(Worker, "take", fail_second)
    with Sandbox() as sandbox:
        assert sandbox.isolation.level == level
        assert "namespaces: granted, but there is no process for the second execution" in str(
            sandbox.isolation.missing
        )
        assert sandbox.run("result = 1").unwrap() == 1


def test_what_works_at_no_level_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Worker, memory_bytes: int) -> Any:
        raise SandboxError("killed", "no process")

    monkeypatch.setattr(Worker, "take", fail)
    with pytest.raises(SandboxUnavailableError, match=r"at any level.*namespaces.*landlock"):
        Sandbox()


def test_the_filter_on_every_architecture() -> None:
    """The program is small, ends in a return, and jumps to places that exist."""
    for numbers, still in itertools.product(ARCHITECTURES.values(), (True, False)):
        Filter(numbers, still)
        program = assemble(numbers, still)
        assert len(program) < 80
        for place, (code, if_true, if_false, _) in enumerate(program):
            if code in (0x15, 0x35, 0x45):
                assert place + 1 + max(if_true, if_false) < len(program)
        call = functools.partial(_evaluate, program, numbers.audit)
        allowed = numbers.allowed
        assert call(allowed["clock_gettime"]) == call(allowed["getrandom"])
        assert call(allowed["clock_gettime"]) == ("deny" if still else "allow")
        for name, number in allowed.items():
            if name not in RULES and name not in ("clock_gettime", "getrandom"):
                assert call(number) == "allow"
        for name in ("read", "write"):
            assert [call(allowed[name], fd) for fd in (3, 2)] == ["allow", "deny"]
        assert [call(allowed["mprotect"], 0, 0, rights) for rights in (3, 7)] == ["allow", "deny"]
        for rights, flags, verdict in (
            (3, 0x22, "allow"),
            (3, 0x21, "allow"),
            (7, 0x22, "deny"),
            (3, 0x02, "deny"),
            (3, 0x01, "deny"),
            (3, 0x40022, "deny"),
        ):
            assert call(allowed["mmap"], 0, 0, rights, flags) == verdict
        assert [call(allowed["futex"], 0, op) for op in (128, 0, 1, 137, 393, 134)] == [
            "allow", "deny", "deny", "allow", "allow", "deny",
        ]  # fmt: skip
        assert [call(allowed["madvise"], 0, 0, advice) for advice in (4, 8, 9, 12, 100)] == [
            "allow", "allow", "deny", "deny", "deny",
        ]  # fmt: skip
        assert call(59999) == "deny"
        assert _evaluate(program, numbers.audit ^ 1, allowed["exit"]) == "kill"
        assert call(0x40000000 + 41) == "kill"


def _evaluate(program: list[Any], audit: int, number: int, *arguments: int) -> str:
    """Interpret the filter, as the kernel would."""
    values = {16 + 8 * place: value for place, value in enumerate((*arguments, 0, 0, 0, 0)[:4])}
    data = {0: number, 4: audit, **values}
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
