"""Nothing leaks, nothing is left behind, and a lost worker is replaced."""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sca_envs.sandbox import Job, Limits, Sandbox, SandboxPool
from sca_envs.sandbox.runner import shared_runner
from tests.sandbox.conftest import Host

SPARES = 2  # children that may or may not be ready at the moment
LEAK_RUNS = int(os.environ.get("SCA_SANDBOX_LEAK_RUNS", "2000"))


def descendants(process: int) -> set[int]:
    """Return the numbers of all processes below one."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(entry.parent.name)] = int(fields[1])
    found = {process}
    while True:
        more = {child for child, parent in parents.items() if parent in found} - found
        if not more:
            return found - {process}
        found |= more


def kill_all_below() -> None:
    for process in descendants(os.getpid()):
        with contextlib.suppress(ProcessLookupError):  # the first may take the others along
            os.kill(process, signal.SIGKILL)


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def resident(process: int | str = "self") -> int:
    """Return the resident memory of a process, in bytes."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


@pytest.fixture(scope="module", autouse=True)
def no_other_sandbox() -> None:
    """End what code actions of other tests left running in this process."""
    shared_runner().close()


@pytest.mark.parametrize(
    "runs",
    [
        pytest.param(LEAK_RUNS, marks=pytest.mark.slow),
        pytest.param(20_000, marks=pytest.mark.nightly),
    ],
)
def test_many_executions_leak_nothing(host: Host, runs: int) -> None:
    codes = [
        "result = get_order_details('#W1')['status']",
        "print('x' * 1000)\nresult = [1] * 100",
        "1 / 0",
        "import os; os._exit(1)",
    ]
    with Sandbox(limits=Limits(cpu_seconds=1)) as sandbox:
        for code in codes * 25:
            sandbox.run(code, host.tools)
        gc.collect()
        ours = sandbox._current._process.pid  # other tests' processes may be about
        processes = descendants(ours)
        before = len(os.listdir("/proc/self/fd")), resident()
        for number in range(runs):
            sandbox.run(codes[number % len(codes)], host.tools)
        gc.collect()
        after = len(os.listdir("/proc/self/fd")), resident()
        assert after[0] <= before[0] + SPARES
        assert after[1] - before[1] < 20 << 20
        assert eventually(lambda: len(descendants(ours)) <= len(processes) + SPARES)
        for process in descendants(ours) & processes:
            with contextlib.suppress(OSError):  # it has just ended
                assert resident(process) < 40 << 20


def test_forty_sessions_at_once_keep_apart(host: Host) -> None:
    def play(number: int) -> list[str | None]:
        with sandbox.session(host.tools) as session:
            session.run(f"import json\njson.mine = {number}\nx = {number}")
            return [session.run("(x, json.mine)").displayed for _ in range(5)]

    with Sandbox() as sandbox, ThreadPoolExecutor(40) as threads:
        shown = list(threads.map(play, range(40)))
        assert shown == [[f"({number}, {number})"] * 5 for number in range(40)]
        assert sandbox.run("import json\nresult = hasattr(json, 'mine')").unwrap() is False


def test_close_ends_every_process(host: Host) -> None:
    before = descendants(os.getpid())
    files = len(os.listdir("/proc/self/fd"))
    sandbox = Sandbox()
    session = sandbox.session()
    sandbox.run("result = 1")
    assert descendants(os.getpid()) - before
    sandbox.close()
    assert session.run("1").error is not None
    assert eventually(lambda: not descendants(os.getpid()) - before)
    assert len(os.listdir("/proc/self/fd")) == files
    with pytest.raises(RuntimeError, match="the sandbox is closed"):
        sandbox.run("result = 1")


def test_a_forgotten_sandbox_is_closed() -> None:
    before = descendants(os.getpid())
    sandbox = Sandbox()
    sandbox.run("result = 1")
    del sandbox
    gc.collect()
    assert eventually(lambda: not descendants(os.getpid()) - before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("without", [[], ["namespaces", "landlock"]])
def test_a_killed_host_leaves_no_orphan(number: int, without: list[str]) -> None:
    program = (
        "from sca_envs.sandbox import Limits, Sandbox\n"
        f"s = Sandbox(without={without!r})\n"
        "q = s.session(); q.run('x = 1')\n"
        "tell = {'tell': lambda a: print('running', flush=True)}\n"
        "s.run('tell()\\nwhile True: pass', tell, limits=Limits(60, 60))"
    )
    host = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    with host:
        assert host.stdout is not None
        assert host.stdout.readline() == "running\n"
        below = descendants(host.pid)
        assert len(below) >= 3
        host.send_signal(number)
        host.wait(20)

    def all_gone() -> bool:
        return not any(_lives(process) for process in below)

    assert eventually(all_gone)


def _lives(process: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False


def test_a_lost_worker_is_replaced(host: Host) -> None:
    with Sandbox() as sandbox, sandbox.session() as session:
        kill_all_below()
        error = session.run("1").error
        assert error is not None
        assert error.reason == "killed"
        assert sandbox.run("result = get_order_details('#W1')['status']", host.tools).value


def test_a_worker_lost_in_the_middle_is_a_failure() -> None:
    def strike(arguments: dict[str, object]) -> None:
        kill_all_below()

    with Sandbox() as sandbox:
        error = sandbox.run("strike()\nresult = True", {"strike": strike}).error
        assert error is not None
        assert error.reason == "killed"
        assert sandbox.run("result = 1").unwrap() == 1


def test_a_fork_of_the_host_does_not_end_the_worker() -> None:
    with Sandbox() as sandbox:
        assert sandbox.run("result = 1").unwrap() == 1
        child = os.fork()
        if child == 0:
            status = 1
            try:
                status = 0 if sandbox.run("result = 2").unwrap() == 2 else 1
                sandbox.close()
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert sandbox.run("result = 3").unwrap() == 3


def test_nothing_of_the_host_is_inherited() -> None:
    reader, writer = os.pipe()
    os.set_inheritable(reader, True)
    try:
        with Sandbox() as sandbox:
            sandbox.run("result = 1")
            inspected = 0
            for process in descendants(os.getpid()):
                try:
                    environment = Path(f"/proc/{process}/environ").read_bytes()
                    names = {os.readlink(file) for file in Path(f"/proc/{process}/fd").iterdir()}
                except (FileNotFoundError, ProcessLookupError):  # it has just ended
                    continue
                assert b"PATH=" not in environment
                assert not any(name.startswith("pipe:") for name in names), names
                inspected += 1
            assert inspected
    except PermissionError:
        pytest.skip("the processes of the sandbox cannot be inspected by this user")
    finally:
        os.close(reader)
        os.close(writer)


def test_a_pool_returns_results_in_order(host: Host) -> None:
    affinity = os.sched_getaffinity(0)
    with SandboxPool(2) as pool:
        assert pool.isolation.seccomp
        jobs = [Job(f"result = state + {number}", state=10) for number in range(40)]
        jobs[7] = Job("1 / 0")
        results = pool.map(jobs)
        assert [result.value for result in results] == [
            None if number == 7 else 10 + number for number in range(40)
        ]
        assert pool.run("result = get_order_details('#W1')['status']", host.tools).value
    assert os.sched_getaffinity(0) == affinity
    with pytest.raises(ValueError, match="workers: expected at least 1"):
        SandboxPool(0)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupted_host_goes_on(host: Host) -> None:
    """Ctrl-C at any moment loses at most the execution, not the next one's process.

    Between the kernel's making of a socket and the name that holds it, it is Python that closes
    the socket, with a warning, which is not what is tested.
    """

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    old = signal.signal(signal.SIGALRM, interrupt)
    try:
        with Sandbox() as sandbox:
            for number in range(60):
                with contextlib.suppress(KeyboardInterrupt):
                    signal.setitimer(signal.ITIMER_REAL, 0.0005 + number * 0.0003)
                    sandbox.run("result = 1")
                signal.setitimer(signal.ITIMER_REAL, 0)
            start = time.monotonic()
            assert sandbox.run("result = 2").unwrap() == 2
            assert time.monotonic() - start < 25  # a lost answer was waited for 30 seconds
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


def test_a_host_with_few_descriptors_fails_as_an_execution(host: Host) -> None:
    program = """
import os, resource
from sca_envs.sandbox import Sandbox, SandboxError, SandboxUnavailableError
sandbox = Sandbox()
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
most = max(map(int, os.listdir("/proc/self/fd")))
resource.setrlimit(resource.RLIMIT_NOFILE, (most + 6, hard))
sessions = []
try:
    while len(sessions) < 20: sessions.append(sandbox.session())
except SandboxError as error: print(error.reason)
print(sandbox.run("result = 1").error.reason)
try: Sandbox()
except SandboxUnavailableError as error: print("unavailable")
for session in sessions: session.close()
print(sandbox.run("result = 1").unwrap())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["killed", "killed", "unavailable", "1"], done.stderr


def test_a_session_that_ended_behind_its_answer_is_a_failure() -> None:
    code = """
import os, json, struct
def frame(kind, value):
    body = json.dumps(value).encode()
    os.write(3, struct.pack('<I', len(body) + 1) + kind + body)
frame(b'C', ['tool', {}])
frame(b'F', {'cell': '<cell 1>', 'overflowed': False, 'error': None})
for _ in range(10**6): pass
os._exit(0)
"""
    with Sandbox() as sandbox, sandbox.session({"tool": lambda arguments: "x" * 10}) as session:
        session.run(code)
        time.sleep(0.2)
        error = session.run("1").error
        assert error is not None
        assert error.reason == "killed"
