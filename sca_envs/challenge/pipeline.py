"""Examines candidates, gate after gate, on as many cores as there are."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, NamedTuple

from sca_envs.challenge.case import Case
from sca_envs.challenge.funnel import Funnel
from sca_envs.challenge.gates import Difficult, Fingerprint, Gate, Novel, fingerprint
from sca_envs.challenge.lab import Lab
from sca_envs.challenge.task import CodeAsTask, Verdict
from sca_envs.core.domain import Domain
from sca_envs.core.errors import OptionError, SCAError

_AHEAD = 4
"""Candidates that wait for a worker, for each worker."""


class Examination(NamedTuple):
    """What came of a candidate."""

    task: CodeAsTask | None
    """The candidate with the gates' verdicts; None if there was none."""
    accepted: bool
    seconds: tuple[float, ...] = ()
    """How long each gate took."""
    error: str | None = None
    """Why there is no verdict: nothing was proposed, or the task's data is not at hand, say."""
    fingerprint: Fingerprint | None = None


def examine(task: CodeAsTask, gates: Sequence[Gate], lab: Lab, domain: Domain) -> Examination:
    """Take a candidate through gates, up to the first that it fails.

    Args:
        task: The candidate.
        gates: The gates, in order.
        lab: Where its code runs.
        domain: The world that it was made for.
    """
    case = Case(task, domain, lab)
    verdicts: list[Verdict] = []
    seconds: list[float] = []
    for gate in gates:
        start = time.perf_counter()
        verdict = gate.check(case)
        seconds.append(time.perf_counter() - start)
        verdicts.append(verdict)
        if not verdict.passed:
            return Examination(task.with_verdicts(tuple(verdicts)), False, tuple(seconds))
    mark = fingerprint(case) if task.solution and _runs(gates) else None
    return Examination(task.with_verdicts(tuple(verdicts)), True, tuple(seconds), None, mark)


def _runs(gates: Sequence[Gate]) -> bool:
    """Return whether gates have run the solution, so that its fingerprint costs nothing."""
    return any(gate.name == "solution" for gate in gates)


Propose = Callable[[int], CodeAsTask | None]
"""Returns the candidate of a number, the same one each time."""


class Pipeline:
    """Runs gates over candidates in parallel, and keeps count.

    Which candidates are accepted does not depend on the number of workers: novelty and difficulty
    are decided here, one candidate after the other, in order.

    Args:
        gates: The gates that look at one candidate alone; see `standard_gates`.
        novel: The gate that compares it with the accepted ones; None admits copies.
        difficult: The gate that tries an executor on it; None tries none.
        workers: Number of processes; 0 examines in this one.

    Raises:
        OptionError: If the number of workers is negative.
    """

    def __init__(
        self,
        gates: Sequence[Gate],
        *,
        novel: Novel | None = None,
        difficult: Difficult | None = None,
        workers: int = 0,
    ) -> None:
        if workers < 0:
            raise OptionError(f"Expected workers to be at least 0, got {workers}")
        self._gates = tuple(gates)
        self._novel, self._difficult = novel, difficult
        self._workers = workers
        last = [gate.name for gate in (novel, difficult) if gate is not None]
        self.funnel = Funnel([gate.name for gate in gates] + last)
        """What happened so far."""

    def examine(self, tasks: Iterable[CodeAsTask]) -> Iterator[Examination]:
        """Yield what comes of candidates, in order.

        Args:
            tasks: The candidates.
        """
        return self._finish(self._map(_examine_task, tasks))

    def challenge(self, propose: Propose, numbers: Iterable[int]) -> Iterator[Examination]:
        """Yield what comes of the candidates that a challenger proposes, in order.

        Args:
            propose: The challenger; it is called in the workers, so it must be picklable.
            numbers: Which candidates.
        """
        if self._workers:
            _check_picklable(propose, "challenger")
        return self._finish(self._map(_examine_proposal, ((propose, n) for n in numbers)))

    def know(self, tasks: Iterable[CodeAsTask]) -> None:
        """Admit no copy of tasks that exist already, such as those of an earlier campaign.

        Args:
            tasks: Tasks whose solutions run.
        """
        if self._novel is None:
            return
        with Lab() as lab:
            for number, task in enumerate(tasks):
                mark = fingerprint(Case(task, task.load_domain(), lab))
                self._novel.compare(f"{task.id} (known, {number})", mark)

    def count(self, found: Examination) -> None:
        """Count a candidate in the funnel."""
        if found.error is not None or found.task is None:
            self.funnel.add_error(found.error or "nothing was proposed")
        else:
            self.funnel.add(found.task.provenance.verdicts, found.seconds)

    def recall(self, found: Examination) -> None:
        """Take up a candidate that was examined before: count it, and admit no copy of it."""
        self.count(found)
        mark = found.fingerprint if found.accepted else None
        if found.task is not None and mark is not None and self._novel is not None:
            self._novel.compare(found.task.id, mark)

    def _finish(self, examinations: Iterator[Examination]) -> Iterator[Examination]:
        """Let the gates that look at more than one candidate decide, and count."""
        lab: Lab | None = None
        try:
            for found in examinations:
                if found.accepted and found.task is not None:
                    if self._novel is not None and found.fingerprint is not None:
                        verdict = self._novel.compare(found.task.id, found.fingerprint)
                        found = _with(found, verdict)
                    if found.accepted and self._difficult is not None:
                        lab = lab or Lab()
                        found = _try(self._difficult, found, lab)
                self.count(found)
                yield found
        finally:
            if lab is not None:
                lab.close()

    def _map(
        self, function: Callable[[Any], Examination], items: Iterable[Any]
    ) -> Iterator[Examination]:
        if self._workers == 0:
            with Lab() as lab:
                _settle(lab, self._gates)
                yield from map(function, items)
            return
        _check_picklable(self._gates, "gates")
        context = multiprocessing.get_context("spawn")
        cores = context.Queue()
        for number in range(self._workers):
            cores.put(number)
        with ProcessPoolExecutor(
            self._workers, context, _start_worker, (cores, self._gates)
        ) as pool:
            waiting: deque[Future[Examination]] = deque()
            try:
                for item in items:
                    waiting.append(pool.submit(function, item))
                    if len(waiting) > _AHEAD * self._workers:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            except BrokenProcessPool:
                raise SCAError(
                    "A worker ended unexpectedly (out of memory?); run again with fewer workers, "
                    "or with --resume to go on"
                ) from None
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


def _check_picklable(value: Any, what: str) -> None:
    try:
        pickle.dumps(value)
    except Exception as error:
        raise OptionError(
            f"Expected {what} that can be sent to another process; {error}. Give a class of a "
            "module, or take workers=0"
        ) from None


def _with(found: Examination, verdict: Verdict) -> Examination:
    assert found.task is not None
    verdicts = (*found.task.provenance.verdicts, verdict)
    return found._replace(task=found.task.with_verdicts(verdicts), accepted=verdict.passed)


def _try(gate: Difficult, found: Examination, lab: Lab) -> Examination:
    assert found.task is not None
    case = Case(found.task, found.task.load_domain(), lab)
    try:
        return _with(found, gate.check(case))
    except Exception as error:  # one bad task, or one bad run of a model, stops no batch
        return found._replace(accepted=False, error=f"the executor failed: {error}")


# In a worker

_mine: dict[str, Any] = {}


def _settle(lab: Lab, gates: Sequence[Gate]) -> None:
    _mine.update(lab=lab, gates=gates)


def _start_worker(cores: Any, gates: Sequence[Gate]) -> None:
    """Pin this process, because calls between two processes are fastest on one core."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the campaign hears it and ends its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    core = None
    if hasattr(os, "sched_setaffinity"):
        usable = sorted(os.sched_getaffinity(0))
        core = usable[cores.get() % len(usable)]
        os.sched_setaffinity(0, {core})
    _settle(Lab(core), gates)


def _end_with_parent() -> None:
    """Go when the process is gone that would send work; a pool's workers would wait for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _examine_task(task: CodeAsTask) -> Examination:
    try:
        return examine(task, _mine["gates"], _mine["lab"], task.load_domain())
    except Exception as error:  # one bad task stops no batch
        return Examination(task, False, error=f"{type(error).__name__}: {error}")


def _examine_proposal(proposal: tuple[Propose, int]) -> Examination:
    propose, number = proposal
    try:
        task = propose(number)
    except Exception as error:
        return Examination(None, False, error=f"the challenger failed: {error}")
    if task is None:
        return Examination(None, False, error="nothing was proposed")
    if not isinstance(task, CodeAsTask):
        kind = type(task).__name__
        return Examination(None, False, error=f"the challenger returned no Code-as-Task but {kind}")
    return _examine_task(task)
