"""The process engine: workers in processes of their own, for agents and tools that compute.

Each worker has a pipe. It is sent a few jobs ahead and one more for each episode that comes back,
so it never waits, and what a lost worker held is known and played again. A worker whose run was
killed reads the end of its pipe and goes.

Where an agent's time is limited, a worker that left an agent behind goes, and another one plays
what it held. One that has no pulse any more, because the agent lets no other thread run, is killed.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any, cast

from sca_envs.bench.evaluating.recording import Finished, Job
from sca_envs.bench.evaluating.worker import Worker, WorkerSpec, timed_out
from sca_envs.core.errors import OptionError, SCAError
from sca_envs.core.waiting import Waiting
from sca_envs.domains.registry import portable

_AHEAD = 2
"""Jobs that a worker has beside those it plays."""
_TRIES = 3
"""How many workers an episode may take down before the run stops."""
_PATIENCE = 5.0
"""Seconds that a worker has to end by itself."""
PULSE = 1.0
"""Seconds between two signs of life of a worker whose agent's time is limited."""
SILENCE = 5.0
"""Seconds without any after which it is taken for stuck, if its agent's time is over, too."""


class ProcessEngine:
    """Plays episodes in several processes, started afresh rather than forked.

    Args:
        workers: How many processes.
    """

    def __init__(self, workers: int) -> None:
        self._number = workers
        if _context().get_start_method() == "forkserver":
            # It imports the package for all workers, while the run is still being planned.
            from multiprocessing import forkserver

            forkserver.ensure_running()

    def run(self, spec: WorkerSpec, jobs: Sequence[Job]) -> Iterator[Finished]:
        """Play every job once; see `Engine.run`."""
        try:
            pickled = portable(spec)
        except Exception as error:
            raise OptionError(
                "Expected an agent, user and tasks that can be sent to another process; "
                f"{error}. Give a class or a name instead of an object, or take the engine 'local'"
            ) from None
        pool = _Pool(spec, pickled, jobs, self._number)
        try:
            yield from pool.run()
        finally:
            pool.close()


class _Member:
    """A worker process as its engine sees it."""

    def __init__(self, pickled: bytes) -> None:
        context = _context()
        self.connection, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(  # type: ignore[attr-defined]
            target=_serve, args=(theirs, pickled), name="sca-eval"
        )
        self.process.start()
        theirs.close()
        self.held: list[Job] = []
        """Jobs that it was sent and that have not come back."""
        self.told_end = False
        self.batch_size = 0
        """Most episodes that it plays at once; 0 before it has started."""
        self.heard = self.since = time.monotonic()
        """When it last said anything, and when it last began or finished an episode."""

    def end(self) -> None:
        """End the process, by force if it does not go."""
        self.connection.close()
        self.process.join(_PATIENCE)
        if self.process.is_alive():
            self.process.terminate()
            self.process.join(_PATIENCE)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def _context() -> BaseContext:
    """Return how processes are started: afresh, because a fork inherits locks of other threads."""
    if sys.platform == "win32":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    ours = {name for name in sys.modules if name.partition(".")[0] == "sca_envs"}
    context.set_forkserver_preload(
        ["__main__", *sorted(ours | {"sca_envs.bench.evaluating.worker"})]
    )
    return context


class _Pool:
    """The workers of one run."""

    def __init__(self, spec: WorkerSpec, pickled: bytes, jobs: Sequence[Job], number: int) -> None:
        self._spec, self._pickled = spec, pickled
        self._limit = spec.episode_timeout
        self._waiting = Waiting(self._describe_start, first=15.0)
        self._left = deque(jobs)
        self._lost: Counter[Job] = Counter()
        self._ending: list[_Member] = []
        self._members = [_Member(pickled) for _ in range(max(1, min(number, len(jobs))))]

    def run(self) -> Iterator[Finished]:
        while self._members:
            by_connection = {member.connection: member for member in self._members}
            for ready in wait(list(by_connection), self._seconds()):
                member = by_connection[cast("Connection", ready)]
                member.heard = time.monotonic()
                try:
                    kind, value = pickle.loads(member.connection.recv_bytes())
                except (EOFError, OSError):
                    self._replace(member)
                    continue
                if kind == "ready":
                    member.batch_size, member.since = value, member.heard
                    for _ in range(value + _AHEAD):
                        self._feed(member)
                elif kind == "finished":
                    member.held.remove(value.job)
                    member.since = member.heard
                    self._feed(member)
                    yield value
                elif kind == "spent":
                    self._retire(member)
                    continue
                elif kind == "failed":
                    raise value
                if member.told_end and not member.held:
                    self._members.remove(member)
                    self._ending.append(member)
            if all(member.batch_size for member in self._members):
                self._waiting.restart()
            else:
                self._waiting.tell()
            for member in [one for one in self._members if self._is_stuck(one)]:
                yield from self._end_stuck(member)

    def _seconds(self) -> float | None:
        """Return how long to wait for the workers before something else is to be done."""
        starting = not all(member.batch_size for member in self._members)
        periods = [self._waiting.seconds] * starting + [PULSE] * (self._limit is not None)
        return min(periods, default=None)

    def _describe_start(self) -> str:
        starting = sum(not member.batch_size for member in self._members)
        return (
            f"waiting for {starting} of {len(self._members)} worker processes to start; the "
            "engine 'local' shows what a start takes"
        )

    def _is_stuck(self, member: _Member) -> bool:
        """Return whether a worker plays for too long and shows no sign of life."""
        now = time.monotonic()
        return (
            self._limit is not None
            and bool(member.held and member.batch_size)
            and now - member.since > self._limit
            and now - member.heard > SILENCE
            and not member.connection.poll()
        )

    def _end_stuck(self, member: _Member) -> Iterator[Finished]:
        """Kill a worker; the episodes that it played have ended, and the others are played anew."""
        member.process.kill()
        stuck = member.held[: member.batch_size]
        del member.held[: member.batch_size]
        self._retire(member)
        for job in stuck:
            yield timed_out(self._spec, job)

    def _retire(self, member: _Member) -> None:
        """Let a worker go that plays no more, and start another one for what it held."""
        self._members.remove(member)
        member.process.kill()
        member.end()
        self._left.extendleft(reversed(member.held))
        if self._left:
            self._members.append(_Member(self._pickled))

    def _feed(self, member: _Member) -> None:
        """Send one more job, or once that there is none."""
        if member.told_end:
            return
        job = self._left.popleft() if self._left else None
        if job is None:
            member.told_end = True
        else:
            member.held.append(job)
        with contextlib.suppress(OSError):  # it is gone, which its end of the pipe will tell
            member.connection.send(job)

    def _replace(self, member: _Member) -> None:
        """Take back the jobs of a worker that is gone, and start another one for them."""
        member.process.join(_PATIENCE)  # for its exit code
        # The first ones were being played; which of a batch took the worker down is unknown.
        self._lost.update(member.held)
        worst = max(member.held, key=lambda job: self._lost[job], default=None)
        if worst is None and not member.told_end:
            raise SCAError(
                f"Expected a worker to start; it ended with code {member.process.exitcode} before "
                'its first episode. A script needs `if __name__ == "__main__":` around what it '
                "does; for other causes, the engine 'local' shows why"
            )
        if worst is not None and self._lost[worst] >= _TRIES:
            raise SCAError(
                f"Expected episode {worst.episode_id} to leave its worker alive; {_TRIES} workers "
                f"ended while they held it, the last with code {member.process.exitcode} "
                "(-9 is often a lack of memory). What has finished is kept"
            )
        self._retire(member)

    def close(self) -> None:
        for member in self._members:
            member.process.terminate()
        for member in (*self._members, *self._ending):
            member.end()


def _serve(connection: Connection, pickled: bytes) -> None:
    """Play jobs until the pipe says that there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the engine hears it and ends its workers

    lock = threading.Lock()

    def send(*message: Any) -> None:
        with lock:
            connection.send_bytes(pickle.dumps(message))

    def jobs() -> Iterator[Job]:
        while (job := connection.recv()) is not None:
            yield job

    def pulse() -> None:
        with contextlib.suppress(OSError):
            while True:
                send("alive", None)
                time.sleep(PULSE)

    try:
        worker = Worker(pickle.loads(pickled))
        try:
            send("ready", worker.batch_size)
            if worker.limit is not None:
                threading.Thread(target=pulse, daemon=True).start()
            for finished in worker.play(jobs()):
                send("finished", finished)
            if worker.spent:
                send("spent", None)
        finally:
            worker.close()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        os._exit(0)  # the run was killed
    except BaseException as error:
        with contextlib.suppress(OSError):
            send("failed", _sendable(error))


def _sendable(error: BaseException) -> BaseException:
    """Return an error that survives the way to another process."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return SCAError(f"{type(error).__name__}: {error}")
    return error
