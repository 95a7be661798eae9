"""The world in which an agent makes tasks: a domain with one more tool, `submit_task`.

A workshop is a `Domain`, so an episode in it is like any other: the state is a scratch copy of the
domain's, with a table of submissions besides, and everything that holds for episodes (snapshots,
forks, transcripts, action formats, replay) holds here.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from string import Template
from typing import Any

import numpy as np

from sca_envs.challenge.case import Case
from sca_envs.challenge.examination import examine
from sca_envs.challenge.gates import (
    Difficult,
    Executor,
    Fingerprint,
    Gate,
    Novel,
    fingerprint,
    standard_gates,
)
from sca_envs.challenge.report import describe_gates, describe_verdicts
from sca_envs.challenge.task import CodeAsTask, DataRef
from sca_envs.challenge.verifier import shared_lab
from sca_envs.core.actions import LoggedCall
from sca_envs.core.database import Base, Database
from sca_envs.core.domain import Domain
from sca_envs.core.endless import EndlessTasks
from sca_envs.core.episode import Episode
from sca_envs.core.errors import OptionError, ToolError
from sca_envs.core.task import Task
from sca_envs.core.tools import Tool, refused
from sca_envs.core.verifiers import Verdict as Reward
from sca_envs.domains import domain as find_domain

SUBMIT = "submit_task"
"""Name of the tool that submits a task."""
TABLE = "submissions"
"""Name of the table of submissions."""
GATE_REWARD = 0.05
"""What each gate that an unaccepted task passed is worth."""
SPLITS = ("train", "test")
"""The splits of places to begin from."""
_EXAMPLE_OF = {"tau_retail": "tau_airline", "travel_planning": "trade_calculator"}
_EXAMPLES = "tau_retail"
"""The domain whose tasks are shown where no other one suits better."""
_EXAMPLE_SEEDS = (3, 8)
_CALLS = (2, 3, 4, 5, 6)
_HINTS, _TRIES, _TELLING = 3, 40, 20


@dataclass(frozen=True)
class Rules:
    """What an episode of making tasks allows."""

    submissions: int = 3
    """Most submissions."""
    wanted: int = 1
    """Number of accepted tasks that ends the episode."""
    gates: tuple[Gate, ...] = field(default_factory=standard_gates)
    """The gates, all but novelty and difficulty."""
    executor: Executor | None = None
    """Tries accepted tasks; its pass rate ``p`` turns the reward into ``4p(1-p)``."""
    known: tuple[CodeAsTask, ...] = field(default=(), hash=False)
    """Tasks that exist already, so that copies of them are not accepted."""

    def __post_init__(self) -> None:
        for name in ("submissions", "wanted"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise OptionError(f"Expected {name} to be an integer from 1; got {value!r}")


def submit_task(
    db: Database, instruction: str, verify: str, solution: str, failures: list[str]
) -> str:
    """Submit a task, and read what the gates say of it.

    Args:
        instruction: What the user says, in everyday words, with all details and no code.
        verify: Python source that defines `def verify(answer)`, which returns True or False.
        solution: Python source that fulfils the task and ends in `answer(value)`.
        failures: At least three pieces of Python source that try and fail, each ending in
            `answer(value)`.
    """
    raise ToolError("there is no workshop to submit to")  # a workshop has its own; see below


class Workshop(Domain):
    """A domain in which tasks of another domain are made.

    Args:
        domain: The domain that tasks are made for.
        rules: What an episode allows.
    """

    def __init__(self, domain: Domain, rules: Rules | None = None) -> None:
        self.made_for = domain
        self.rules = rules or Rules()
        tool = Tool.from_function(submit_task)
        tools = {**domain.tools, SUBMIT: replace(tool, function=self._submit)}
        super().__init__(
            name=domain.name,
            data=domain.data,
            base=Base({**domain.base.tables, TABLE: {}}, (_base, (self.made_for, self.rules))),
            tools=tools,
            policy=_guide(domain, self.rules.gates),
            splits={name: functools.partial(Commissions, self, name) for name in SPLITS},
            sample_argument=self._sample,
            verifier=SubmissionVerifier(),
            call_from_code=domain.call_from_code,
            code_prelude=domain.code_prelude,
            view_tables=domain.view_tables,
            scored_view_fields=domain.scored_view_fields,
            origin=(workshop, (domain, self.rules)),
        )

    def end_by(self, calls: Iterable[LoggedCall], database: Database) -> str | None:
        """Return ``submitted`` when enough was accepted or no submission is left."""
        rows = submissions(database)
        enough = sum(row["accepted"] for row in rows) >= self.rules.wanted
        return "submitted" if enough or len(rows) >= self.rules.submissions else None

    def _submit(
        self, db: Database, instruction: str, verify: str, solution: str, failures: list[str]
    ) -> str:
        rows = submissions(db)
        if len(rows) >= self.rules.submissions:
            raise ToolError("no submission is left")
        task = CodeAsTask(
            id=f"submission-{len(rows) + 1}",
            domain=self.made_for.name,
            data=DataRef.of(self.made_for),
            instruction=instruction,
            verify=verify,
            solution=solution,
            failures=tuple(failures),
        )
        # With its content, so that tasks of several episodes can be put together.
        task = task.model_copy(update={"id": f"{task.id}-{task.content_digest[:12]}"})
        earlier = [CodeAsTask.model_validate(row["task"]) for row in rows if row["accepted"]]
        gates = self._gates(earlier)
        found = examine(task, gates, shared_lab(), self.made_for)
        assert found.task is not None
        verdicts, accepted = found.task.provenance.verdicts, found.accepted
        record = found.task.model_dump(mode="json")
        db.put(TABLE, task.id, {"task": record, "accepted": accepted})
        left = self.rules.submissions - len(rows) - 1
        report = describe_verdicts(verdicts, gates, accepted)
        return f"{report}\nSubmissions left: {left}."

    def _gates(self, earlier: Sequence[CodeAsTask]) -> tuple[Gate, ...]:
        novel = Novel()
        marks = (*self._known, *map(self._fingerprint, earlier))
        for number, task in enumerate((*self.rules.known, *earlier)):
            novel.compare(f"{number}: {task.id}", marks[number])
        gates: list[Gate] = [*self.rules.gates, novel]
        if self.rules.executor is not None:
            gates.append(Difficult(self.rules.executor))
        return tuple(gates)

    @functools.cached_property
    def _known(self) -> tuple[Fingerprint, ...]:
        return tuple(map(self._fingerprint, self.rules.known))

    def _fingerprint(self, task: CodeAsTask) -> Fingerprint:
        return fingerprint(Case(task, self.made_for, shared_lab()))

    def _sample(self, rng: np.random.Generator, base: Base, name: str) -> Any:
        if name not in CodeAsTask.model_fields:
            return self.made_for.sample_argument(rng, name)
        from sca_envs.challenge.procedural import ProceduralChallenger

        try:
            challenger = ProceduralChallenger(self.made_for, flaw_rate=1.0)
        except OptionError:  # of a domain without one; a task of another domain is as flawed
            challenger = ProceduralChallenger(find_domain(_EXAMPLES), flaw_rate=1.0)
        made = challenger.propose(int(rng.integers(1000)))
        value = getattr(made, name)
        return list(value) if name == "failures" else value


@functools.lru_cache(64)
def workshop(domain: Domain, rules: Rules) -> Workshop:
    """Return the workshop of a domain with rules, the same object for equal ones."""
    return Workshop(domain, rules)


class SubmissionVerifier:
    """What the submissions of an episode are worth.

    Each accepted task is worth 1, times ``4p(1-p)`` where an executor solves it with rate ``p``. If
    fewer were accepted than wanted, the best of the others counts `GATE_REWARD` for each gate that
    it passed. The sum is divided by the number of tasks wanted.
    """

    def verify(self, episode: Episode) -> Reward:
        """Return the verdict."""
        assert isinstance(episode.domain, Workshop)
        rules = episode.domain.rules
        tasks = [CodeAsTask.model_validate(row["task"]) for row in submissions(episode.database)]
        factors = [_factor(task) for task in tasks if _all_passed(task)]
        best = max((_passed(task) for task in tasks if not _all_passed(task)), default=0)
        partial = GATE_REWARD * best if len(factors) < rules.wanted else 0.0
        reward = min(1.0, (sum(factors) + partial) / rules.wanted)
        components = {
            "accepted": float(len(factors)),
            "gates": partial,
            "difficulty": sum(factors) / len(factors) if factors else 0.0,
        }
        return Reward(reward, components)


def submissions(database: Database) -> list[dict[str, Any]]:
    """Return the submissions so far: the task, and whether it was accepted."""
    return [row for _, row in database.items(TABLE)]


def accepted_tasks(database: Database) -> list[CodeAsTask]:
    """Return the tasks that were accepted so far."""
    rows = submissions(database)
    return [CodeAsTask.model_validate(row["task"]) for row in rows if row["accepted"]]


class Commissions(EndlessTasks):
    """Where to begin: each task names other records of the world, and a length to aim at."""

    def __init__(self, workshop: Workshop, split: str) -> None:
        super().__init__(f"{split}-")
        self._workshop, self._split = workshop, split

    def _make(self, index: int) -> Task:
        domain = self._workshop.made_for
        rng = np.random.default_rng([index, self._split == "test"])
        hints = "; ".join(itertools.islice(_lookups(domain, rng), _HINTS))
        text = _prompt("start.md").substitute(
            number=index,
            hints=hints,
            calls=_CALLS[int(rng.integers(len(_CALLS)))],
            submissions=self._workshop.rules.submissions,
        )
        return Task(
            id=f"{self._split}-{index}",
            domain=domain.name,
            data=domain.data,
            split=self._split,
            instruction=" ".join(text.split()),
        )


def _lookups(domain: Domain, rng: np.random.Generator) -> Iterator[str]:
    """Yield calls that show something of the world and change nothing, as code."""
    for number in itertools.count():
        name, arguments = domain.sample_call(rng)
        database = domain.database()
        shown = domain.call(database, name, arguments)
        tells = not refused(shown) and len(shown) >= _TELLING and not domain.changes(database)
        if tells or number > _TRIES:
            given = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
            yield f"{name}({given})"


def _factor(task: CodeAsTask) -> float:
    details = task.provenance.verdicts[-1].details
    return float(details.get("difficulty", 1.0))


def _passed(task: CodeAsTask) -> int:
    return sum(verdict.passed for verdict in task.provenance.verdicts)


def _all_passed(task: CodeAsTask) -> bool:
    return _passed(task) == len(task.provenance.verdicts)


def _base(domain: Domain, rules: Rules) -> Base:
    return workshop(domain, rules).base


def _prompt(name: str) -> Template:
    path = files("sca_envs.challenge").joinpath("prompts", name)
    return Template(path.read_text(encoding="utf-8"))


def _guide(domain: Domain, gates: Sequence[Gate]) -> str:
    """Return what a challenger should know: its role, the gates, examples and the policy."""
    return _prompt("guide.md").substitute(
        gates=describe_gates((*gates, Novel())),
        examples=_examples(_EXAMPLE_OF.get(domain.name, _EXAMPLES)),
        policy=domain.policy,
    )


@functools.cache
def _examples(name: str) -> str:
    """Return tasks of a domain as Markdown."""
    from sca_envs.challenge.procedural import ProceduralChallenger

    challenger = ProceduralChallenger(find_domain(name))
    return "\n\n".join(show_task(challenger.propose(seed)) for seed in _EXAMPLE_SEEDS)


def show_task(task: CodeAsTask) -> str:
    """Return a task as Markdown: its instruction and all its code."""
    parts = [f"**instruction**: {task.instruction}"]
    sources = {"verify": task.verify, "solution": task.solution}
    sources |= {f"failures[{i}]": source for i, source in enumerate(task.failures)}
    parts += [f"**{name}**:\n\n```python\n{text.strip()}\n```" for name, text in sources.items()]
    return "\n\n".join(parts)
