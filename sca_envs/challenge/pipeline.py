"""Examines candidates wherever there are workers, and decides which are accepted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sca_envs.challenge.case import Case
from sca_envs.challenge.examination import (
    Candidate,
    Examination,
    ExaminerSpec,
    Proposal,
    Propose,
)
from sca_envs.challenge.funnel import Funnel
from sca_envs.challenge.gates import Difficult, Gate, Novel, fingerprint
from sca_envs.challenge.lab import Lab
from sca_envs.challenge.task import CodeAsTask, Verdict
from sca_envs.core.engines import Engine, default_engine, in_order, make_engine
from sca_envs.core.errors import InfrastructureError


class Pipeline:
    """Runs gates over candidates in parallel, and keeps count.

    Which candidates are accepted depends neither on the engine nor on the number of workers:
    novelty and difficulty are decided here, one candidate after the other, in order.

    Args:
        gates: The gates that look at one candidate alone; see `standard_gates`.
        novel: The gate that compares it with the accepted ones; None admits copies.
        difficult: The gate that tries an executor on it; None tries none.
        workers: How many workers.
        engine: ``local`` (the default for one worker), ``process`` (the default for more),
            ``thread``, ``ray``, or an object with the method of `Engine`.
        engine_options: Keyword arguments of the engine, such as the ``address`` of a cluster.

    Raises:
        OptionError: If there is no such engine, or the number or the options do not fit it.
        SCAError: If the engine lacks something, such as a cluster at the address.
    """

    def __init__(
        self,
        gates: Sequence[Gate],
        *,
        novel: Novel | None = None,
        difficult: Difficult | None = None,
        workers: int = 1,
        engine: str | Engine | None = None,
        engine_options: Mapping[str, Any] | None = None,
    ) -> None:
        self._gates = tuple(gates)
        self._novel, self._difficult = novel, difficult
        engine = default_engine(workers) if engine is None else engine
        self._engine = make_engine(engine, workers, **engine_options or {})
        last = [gate.name for gate in (novel, difficult) if gate is not None]
        self._proposed = False
        self.funnel = Funnel([gate.name for gate in gates] + last)
        """What happened so far."""

    def examine(self, tasks: Iterable[CodeAsTask]) -> Iterator[Examination]:
        """Yield what comes of candidates, in order.

        Args:
            tasks: The candidates.
        """
        return self._run(tasks)

    def challenge(self, propose: Propose, numbers: Iterable[int]) -> Iterator[Examination]:
        """Yield what comes of the candidates that a challenger proposes, in order.

        Args:
            propose: The challenger; it is called in the workers, so it must be picklable.
            numbers: Which candidates.

        Raises:
            OptionError: If the challenger raises it before it has proposed anything; later ones
                are counted, like whatever else goes wrong with one candidate.
        """
        proposals = (Proposal(propose, number) for number in numbers)
        return self._run(proposals)

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
        self._proposed |= found.task is not None
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

    def _run(self, candidates: Iterable[Candidate]) -> Iterator[Examination]:
        """Let the gates decide, those that look at more than one candidate last, and count."""
        lab: Lab | None = None
        results = in_order(self._engine.run(ExaminerSpec(self._gates), candidates))
        try:
            for found in results:
                if isinstance(found, InfrastructureError):
                    raise found
                if found.option_error is not None and not self._proposed:
                    raise found.option_error
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
            results.close()
            if lab is not None:
                lab.close()


def _with(found: Examination, verdict: Verdict) -> Examination:
    assert found.task is not None
    verdicts = (*found.task.provenance.verdicts, verdict)
    return found._replace(task=found.task.with_verdicts(verdicts), accepted=verdict.passed)


def _try(gate: Difficult, found: Examination, lab: Lab) -> Examination:
    assert found.task is not None
    case = Case(found.task, found.task.load_domain(), lab)
    try:
        return _with(found, gate.check(case))
    except InfrastructureError:
        raise
    except Exception as error:  # one bad task, or one bad run of a model, stops no batch
        return found._replace(accepted=False, error=f"the executor failed: {error}")
