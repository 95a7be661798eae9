"""The results of a run: what `results.json` holds.

They are a function of the run's record and of the episodes, whatever order these came in. There is
no time in them, so a run that was killed and resumed has the same results as an undisturbed one.
"""

from __future__ import annotations

import json
import os
import statistics
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from sca_envs.bench.evaluating.metrics import Estimate, estimate, pass_at_k, pass_hat_k
from sca_envs.bench.evaluating.recording import Summary
from sca_envs.bench.trajectories.trajectory import ErrorKind, Options
from sca_envs.core.errors import SCAError
from sca_envs.core.strict_json import parse_json
from sca_envs.core.users import USERS

FILE_NAME = "results.json"
"""Name of the file in a run's folder."""


MAX_AMOUNT = 1e18
"""Largest mean that is believed of an amount: turns, tokens, US dollars."""
Remark = Literal["user not re-verified", "unsafe sandbox"]
USER_NOT_VERIFIED: Remark = "user not re-verified"
UNSAFE: Remark = "unsafe sandbox"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class RunRecord(_Model):
    """All that is needed to repeat a run."""

    format: Literal["sca_envs.run"] = "sca_envs.run"
    """What the object is."""
    version: Literal[1] = 1
    """Version of the format."""
    options: Options
    """Options that decide the results; engine and workers do not. Keys and passwords in them are
    redacted."""
    data: dict[str, dict[str, str]]
    """Domain -> the data's ``name`` and the ``digest`` of its initial tables."""
    tasks: list[str]
    """Ids of the tasks."""
    split_size: int | None = None
    """How many tasks the split has; None where it has no end, and for tasks of your own."""
    versions: dict[str, str]
    """Versions of this package and of what it computes with, as the run's authors say."""
    unsafe_sandbox: bool = False
    """Whether it was played under ``SCA_SANDBOX=unsafe``, with nothing between code and host."""

    @property
    def user(self) -> str:
        """Who spoke to the agent: a built-in user's name, or ``module:name``."""
        return str(self.options.get("env_options", {}).get("user", "scripted"))


class TaskResult(_Model):
    """What became of one task."""

    episodes: int
    """How many were played."""
    scored: int
    """How many of them count; the others broke off for no fault of the agent."""
    successes: int
    """How many of these have reward 1, within 1e-6."""
    reward: float | None
    """Mean reward of those that count."""
    components: dict[str, float]
    """Mean of each component; an episode that never came to a verdict has 0."""
    termination_reasons: dict[str, int]
    """Reason -> number of episodes."""
    turns: float | None
    """Mean number of turns."""


class Results(_Model):
    """The results of a run; every interval is a bootstrap over tasks (see `estimate`)."""

    format: Literal["sca_envs.results"] = "sca_envs.results"
    """What the object is."""
    version: Literal[1] = 1
    """Version of the format."""
    run: RunRecord
    """What was run."""
    remarks: list[Remark] = []
    """What a reader must know before comparing it: ``user not re-verified`` where a replay takes
    the user's words as they were recorded, ``unsafe sandbox`` where code ran unconfined."""
    episodes: int
    """How many were played."""
    scored: int
    """How many count for the agent."""
    errors: dict[str, int]
    """``agent_error`` and ``agent_timeout`` (count, with reward 0), ``infrastructure_error`` (a
    missing trial, which a resumed run plays again), ``user_error``, ``environment_error`` and
    ``verifier_error`` (do not count) -> number of episodes."""
    success: Estimate | None
    """Share of episodes with reward 1; None if no episode counts."""
    reward: Estimate | None
    """Mean reward."""
    pass_at: dict[int, Estimate]
    """k -> pass@k, over the tasks with at least k trials that count."""
    pass_hat: dict[int, Estimate]
    """k -> pass^k, over the same tasks."""
    components: dict[str, Estimate]
    """Component of the reward -> its mean."""
    termination_reasons: dict[str, int]
    """Reason -> number of episodes, all of them."""
    reason_shares: dict[str, Estimate]
    """Reason -> its share of the episodes that count."""
    turns: Estimate | None
    """Turns an episode."""
    prompt_tokens: Estimate | None
    """Tokens an episode that the model read; None if the agent does not tell."""
    completion_tokens: Estimate | None
    """Tokens an episode that the model wrote; None if the agent does not tell."""
    cost: Estimate | None
    """US dollars an episode; None if unknown."""
    totals: dict[str, float]
    """Sums over all episodes: turns, tokens, requests, errors and cost of agent and user."""
    tasks: dict[str, TaskResult]
    """Task id -> what became of it, in the order of the tasks."""

    @model_validator(mode="after")
    def _check_ranges(self) -> Self:
        shares = {"success": self.success, **self.reason_shares}
        for name, by_k in (("pass_at", self.pass_at), ("pass_hat", self.pass_hat)):
            shares |= {f"{name}.{k}": one for k, one in by_k.items()}
        amounts = {
            name: getattr(self, name)
            for name in ("turns", "prompt_tokens", "completion_tokens", "cost")
        }
        for estimates, most in ((shares, 1.0), (amounts, MAX_AMOUNT)):
            for name, one in estimates.items():
                for end in ("mean", "low", "high") if one is not None else ():
                    value = getattr(one, end)
                    if not 0 <= value <= most:
                        where = f"results.{name}.{end}"
                        raise ValueError(f"{where}: expected 0 to {most:g}, got {value:g}")
        return self

    def to_json(self) -> str:
        """Return the text of `results.json`."""
        try:
            return self.model_dump_json(indent=1) + "\n"
        except ValueError:  # a lone surrogate, which UTF-8 cannot say, in an option
            return json.dumps(self.model_dump(), indent=1) + "\n"


def load_results(path: str | os.PathLike[str]) -> Results:
    """Read `results.json`, or the one in a run's folder.

    Raises:
        SCAError: If there is none or it is broken.
    """
    path = Path(path)
    path = path / FILE_NAME if path.is_dir() else path
    try:
        return Results.model_validate(parse_json(path.read_bytes()))
    except OSError as error:
        raise SCAError(f"Expected the results of a run at {path}; {error.strerror}") from None
    except ValueError as error:
        if not isinstance(error, ValidationError):
            raise SCAError(f"Expected JSON in {path}; {error}") from None
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise SCAError(
            f"Expected the results of a run in {path}; {where}: {first['msg']}"
        ) from None


def compute_results(run: RunRecord, summaries: Iterable[Summary]) -> Results:
    """Return the results of a run.

    Args:
        run: What was run; the seed in its options seeds the intervals, too.
        summaries: The episodes, in any order.
    """
    played: dict[str, list[Summary]] = {task: [] for task in run.tasks}
    for summary in sorted(summaries, key=lambda one: one.trial):
        played[summary.task_id].append(summary)
    everything = [one for ones in played.values() for one in ones]
    scored = {task: [one for one in ones if one.counts] for task, ones in played.items()}
    scored = {task: ones for task, ones in scored.items() if ones}
    reasons = Counter(one.termination_reason for one in everything)
    names = sorted({name for one in everything for name in one.components})
    seed = int(run.options["seed"])

    def mean(value: Callable[[Summary], float | None]) -> Estimate | None:
        """Return the mean over tasks; an episode whose value is None does not tell."""
        told = ([value(one) for one in ones] for ones in scored.values())
        known = ([x for x in values if x is not None] for values in told)
        return estimate([statistics.fmean(values) for values in known if values], seed)

    def usage(key: str) -> Estimate | None:
        return mean(lambda one: None if one.usage is None else _number(one.usage, key))

    return Results(
        run=run,
        remarks=_remarks(run),
        episodes=len(everything),
        scored=sum(map(len, scored.values())),
        errors={kind: reasons[kind] for kind in get_args(ErrorKind)},
        success=mean(lambda one: float(one.success)),
        reward=mean(lambda one: one.reward),
        pass_at=_over_k(pass_at_k, scored, seed),
        pass_hat=_over_k(pass_hat_k, scored, seed),
        components=_present({name: mean(partial(_component, name)) for name in names}),
        termination_reasons=dict(sorted(reasons.items())),
        reason_shares=_present({name: mean(partial(_ended, name)) for name in sorted(reasons)}),
        turns=mean(lambda one: one.turns),
        prompt_tokens=usage("prompt_tokens"),
        completion_tokens=usage("completion_tokens"),
        cost=usage("cost"),
        totals=_totals(everything),
        tasks={task: _task_result(ones, names) for task, ones in played.items() if ones},
    )


def _remarks(run: RunRecord) -> list[Remark]:
    remarks: list[Remark] = []
    if run.user not in USERS:
        remarks.append(USER_NOT_VERIFIED)
    if run.unsafe_sandbox:
        remarks.append(UNSAFE)
    return remarks


def _component(name: str, one: Summary) -> float:
    return one.components.get(name, 0.0)


def _ended(reason: str, one: Summary) -> float:
    return float(one.termination_reason == reason)


def _present(estimates: dict[str, Estimate | None]) -> dict[str, Estimate]:
    return {key: one for key, one in estimates.items() if one is not None}


def _over_k(
    metric: Callable[[int, int, int], float], scored: dict[str, list[Summary]], seed: int
) -> dict[int, Estimate]:
    counts = [(len(ones), sum(one.success for one in ones)) for ones in scored.values()]
    made: dict[int, Estimate] = {}
    for k in range(1, max((n for n, _ in counts), default=0) + 1):
        found = estimate([metric(n, c, k) for n, c in counts if n >= k], seed)
        assert found is not None
        made[k] = found
    return made


def _task_result(ones: list[Summary], names: list[str]) -> TaskResult:
    scored = [one for one in ones if one.counts]
    components = {}
    if scored:
        components = {
            name: statistics.fmean(_component(name, one) for one in scored) for name in names
        }
    return TaskResult(
        episodes=len(ones),
        scored=len(scored),
        successes=sum(one.success for one in scored),
        reward=statistics.fmean(one.reward for one in scored) if scored else None,
        components=components,
        termination_reasons=dict(sorted(Counter(one.termination_reason for one in ones).items())),
        turns=statistics.fmean(one.turns for one in scored) if scored else None,
    )


_SUMMED = ("prompt_tokens", "completion_tokens", "requests", "errors", "cost")


def _number(usage: dict[str, Any], key: str) -> float | None:
    """Return a number of a `Usage` in JSON, whose defaults are left out."""
    return usage.get(key, None if key == "cost" else 0)


def _totals(ones: list[Summary]) -> dict[str, float]:
    totals: dict[str, float] = {"turns": sum(one.turns for one in ones)}
    for whose in ("usage", "user_usage"):
        told = [usage for one in ones if (usage := getattr(one, whose)) is not None]
        prefix = "user_" if whose == "user_usage" else ""
        for key in _SUMMED if told else ():
            numbers = [n for usage in told if (n := _number(usage, key)) is not None]
            if numbers:
                # The order of the sum is the order of tasks and trials, so it is always the same.
                totals[f"{prefix}{key}"] = sum(numbers)
    return totals
