"""Runs the code actions of episodes: a session of the sandbox for each."""

from __future__ import annotations

import functools
import threading
import weakref
from collections import deque
from collections.abc import Callable
from weakref import WeakKeyDictionary

from sca_envs.core.actions import Code, PositionalCall, ToolCall, Turn
from sca_envs.core.code_runner import CodeOutput
from sca_envs.core.domain import Domain
from sca_envs.core.episode import Episode
from sca_envs.sandbox.results import Limits
from sca_envs.sandbox.sandbox import Sandbox
from sca_envs.sandbox.session import Session
from sca_envs.sandbox.workbench import Workbench

CODE_LIMITS = Limits(wall_seconds=30.0, cpu_seconds=30.0)
"""What one code action may use; M3ToolEval gives 30 seconds, too."""


class _Live:
    """The session of one episode, and how far it has come.

    Its tools work on a database that is exchanged while earlier code is run again.
    """

    def __init__(self, sandbox: Sandbox, domain: Domain, limits: Limits, answers: bool) -> None:
        self._sandbox, self._domain, self._limits = sandbox, domain, limits
        self.bench = Workbench(domain, domain.database(), answers=answers)
        self._turns: tuple[Turn, ...] = ()
        self._last: Code | None = None
        self._session: Session | None = None

    def fits(self, turns: tuple[Turn, ...]) -> bool:
        """Return whether the session has run the code of these turns and no other."""
        seen = len(self._turns)
        if turns[:seen] != self._turns:
            return False
        return self._last is None or (seen < len(turns) and turns[seen].action == self._last)

    def run(self, turns: tuple[Turn, ...], source: str) -> CodeOutput:
        """Run code that follows on turns."""
        self._turns, self._last = turns, Code(source)
        if self._session is None:
            self._session = self._open()
        result = self._session.run(source)
        parts = [result.stdout]
        if result.displayed is not None:
            parts.append(f"{result.displayed}\n")
        if result.error is not None:
            parts.append(result.error.traceback or f"{result.error}\n")
        if not self._session.alive:
            self._session = None
            parts.append("The session ended; the next code starts without variables.\n")
        return CodeOutput("".join(parts), self.bench.log(result), self.bench.answer)

    def close(self) -> None:
        """End the session's process."""
        if self._session is not None:
            self._session.close()

    def _open(self) -> Session:
        session = self._sandbox.session(self.bench.tools, limits=self._limits, read_result=False)
        if self._domain.code_prelude:
            session.run(self._domain.code_prelude).unwrap()
        return session


class SandboxRunner:
    """Runs the code of an episode's turns in a session of its own, as `CodeRunner` wants it.

    A session cannot be copied. For an episode that it does not know (a fork, one that came by
    pickle) and for one that went back to a snapshot, the turns so far are played again in a new
    session, on a database of its own; since code in the sandbox is deterministic, the variables
    are then what they were.

    Get the one of this process from `shared_runner`.

    Args:
        limits: What one code action may use.
        answers: Whether code may give the final answer by ``answer(value)``, which ends the
            episode.
    """

    def __init__(self, limits: Limits = CODE_LIMITS, answers: bool = False) -> None:
        self.limits = limits
        self.answers = answers
        self._sandbox: Sandbox | None = None
        self._lock = threading.Lock()
        self._live: WeakKeyDictionary[Episode, _Live] = WeakKeyDictionary()
        # Sessions of episodes that are gone. Only noted when that happens, because it may happen
        # anywhere, also where the sandbox is at work.
        self._orphans: deque[_Live] = deque()

    def __reduce__(self) -> tuple[Callable[[Limits, bool], SandboxRunner], tuple[Limits, bool]]:
        return shared_runner, (self.limits, self.answers)

    def run(self, episode: Episode, source: str) -> CodeOutput:
        """Run code on the episode's database.

        The value of a last expression is shown, too, as in a notebook, and so is a short traceback.

        Args:
            episode: The episode.
            source: Python code.

        Raises:
            SandboxUnavailableError: If this platform cannot confine code.
        """
        self._close_orphans()
        turns = episode.transcript
        live = self._live.get(episode)
        if live is None or not live.fits(turns):
            live = self._begin(episode, turns)
        live.bench.database = episode.database
        return live.run(turns, source)

    def close(self) -> None:
        """End all processes; an episode that goes on gets new ones."""
        for live in list(self._live.values()):
            live.close()
        self._live.clear()
        self._close_orphans()
        with self._lock:
            if self._sandbox is not None:
                self._sandbox.close()
            self._sandbox = None

    def _close_orphans(self) -> None:
        while self._orphans:
            self._orphans.popleft().close()

    def _begin(self, episode: Episode, turns: tuple[Turn, ...]) -> _Live:
        """Return a session that has seen an episode's turns."""
        old = self._live.pop(episode, None)
        if old is not None:
            old.close()
        with self._lock:
            if self._sandbox is None:
                self._sandbox = Sandbox(limits=self.limits)
        live = self._live[episode] = _Live(self._sandbox, episode.domain, self.limits, self.answers)
        weakref.finalize(episode, self._orphans.append, live)
        _replay(live, episode.domain, turns)
        return live


def shared_runner(limits: Limits = CODE_LIMITS, answers: bool = False) -> SandboxRunner:
    """Return the runner that all environments of this process share; see `SandboxRunner`."""
    return _runner(limits, answers)


@functools.cache  # not of `shared_runner`, where a default and the same value given would be two
def _runner(limits: Limits, answers: bool) -> SandboxRunner:
    return SandboxRunner(limits, answers)


def _replay(live: _Live, domain: Domain, turns: tuple[Turn, ...]) -> None:
    """Play turns up to the last one with code, on a database of the session's own."""
    last = max((i for i, turn in enumerate(turns) if isinstance(turn.action, Code)), default=-1)
    for number, turn in enumerate(turns[: last + 1]):
        match turn.action:
            case Code(source):
                live.run(turns[:number], source)
            case ToolCall(name, arguments):
                domain.call(live.bench.database, name, arguments)
            case PositionalCall(name, values):
                domain.call_positional(live.bench.database, name, values)
