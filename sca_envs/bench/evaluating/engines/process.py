"""The process engine: workers in processes of their own, for agents and tools that compute.

Each worker has a pipe. It is sent a few jobs ahead and one more for each episode that comes back,
so it never waits, and what a lost worker held is known and played again. A worker whose run was
killed reads the end of its pipe and goes.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any, cast

from sca_envs.bench.evaluating.recording import Finished, Job
from sca_envs.bench.evaluating.worker import Worker, WorkerSpec
from sca_envs.core.errors import OptionError, SCAError

_AHEAD = 2
"""Jobs that a worker has beside those it plays."""
_TRIES = 3
"""How many workers an episode may take down before the run stops."""
_PATIENCE = 5.0
"""Seconds that a worker has to end by itself."""


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
            pickled = pickle.dumps(spec)
        except Exception as error:
            raise OptionError(
                "Expected an agent, user and tasks that can be sent to another process; "
                f"{error}. Give a class or a name instead of an object, or take the engine 'local'"
            ) from None
        pool = _Pool(pickled, jobs, self._number)
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

    def __init__(self, pickled: bytes, jobs: Sequence[Job], number: int) -> None:
        self._pickled = pickled
        self._left = deque(jobs)
        self._lost: Counter[Job] = Counter()
        self._ending: list[_Member] = []
        self._members = [_Member(pickled) for _ in range(max(1, min(number, len(jobs))))]

    def run(self) -> Iterator[Finished]:
        while self._members:
            by_connection = {member.connection: member for member in self._members}
            for ready in wait(list(by_connection)):
                member = by_connection[cast("Connection", ready)]
                try:
                    kind, value = pickle.loads(member.connection.recv_bytes())
                except (EOFError, OSError):
                    self._replace(member)
                    continue
                if kind == "ready":
                    for _ in range(value + _AHEAD):
                        self._feed(member)
                elif kind == "finished":
                    member.held.remove(value.job)
                    self._feed(member)
                    yield value
                else:
                    raise value
                if member.told_end and not member.held:
                    self._members.remove(member)
                    self._ending.append(member)

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
        self._members.remove(member)
        member.end()
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
        self._left.extendleft(reversed(member.held))
        if self._left:
            self._members.append(_Member(self._pickled))

    def close(self) -> None:
        for member in self._members:
            member.process.terminate()
        for member in (*self._members, *self._ending):
            member.end()


def _serve(connection: Connection, pickled: bytes) -> None:
    """Play jobs until the pipe says that there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the engine hears it and ends its workers

    def send(*message: Any) -> None:
        connection.send_bytes(pickle.dumps(message))

    def jobs() -> Iterator[Job]:
        while (job := connection.recv()) is not None:
            yield job

    try:
        worker = Worker(pickle.loads(pickled))
        try:
            send("ready", worker.batch_size)
            for finished in worker.play(jobs()):
                send("finished", finished)
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
