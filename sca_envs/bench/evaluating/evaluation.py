"""`evaluate`: play an agent over the tasks of an environment, and measure it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sca_envs.bench.evaluating.plan import Instance, Plan, make_plan
from sca_envs.bench.evaluating.recording import EpisodeRecord, Summary
from sca_envs.bench.evaluating.results import Results, compute_results
from sca_envs.bench.trajectories.trajectory import AGENT_TIMEOUT, Trajectory
from sca_envs.core.engines import Engine, default_engine, make_engine
from sca_envs.core.errors import OptionError, SCAError, shorten
from sca_envs.core.task import Task

if TYPE_CHECKING:
    from sca_envs.bench.evaluating.run_folder import RunFolder

MAX_INITIAL_ERRORS = 3
"""If so many episodes, the first of a run, all break off by an error, the run stops."""
MAX_CONSECUTIVE_OUTAGES = 3
"""If so many episodes in a row are broken off by the infrastructure, the run stops."""


class RunFailedError(SCAError):
    """A run stopped because its episodes broke off, one after the other; the text says why."""


@dataclass
class Progress:
    """How far a run is."""

    total: int
    """Episodes of the run."""
    done: int = 0
    """Those that are finished."""
    resumed: int = 0
    """Those that were finished before it was resumed."""
    scored: int = 0
    """Those of the finished ones that count."""
    successes: int = 0
    """Those of them with reward 1."""
    errors: int = 0
    """Those that an error broke off, whosever it was."""
    timeouts: int = 0
    """Those whose agent took longer than it may."""
    missing: int = 0
    """Those of the errors that the infrastructure broke off; a resumed run plays them again."""
    tokens: int = 0
    """Tokens that the agent reported."""
    cost: float = 0.0
    """US dollars that the agent and the user reported."""

    @property
    def success(self) -> float:
        """Share of the episodes that count with reward 1."""
        return self.successes / self.scored if self.scored else 0.0

    def add(self, one: Summary) -> None:
        """Count one more episode."""
        self.done += 1
        self.scored += one.counts
        self.successes += one.success and one.counts
        self.errors += one.termination_reason.endswith("_error")
        self.timeouts += one.termination_reason == AGENT_TIMEOUT
        self.missing += one.missing
        for usage in (one.usage, one.user_usage):
            self.cost += (usage or {}).get("cost") or 0.0
        told = one.usage or {}
        self.tokens += told.get("prompt_tokens", 0) + told.get("completion_tokens", 0)


@dataclass
class Evaluation:
    """What a run gave."""

    results: Results
    """The measurements."""
    out: Path | None
    """The folder of the run, if it has one."""
    _lines: list[bytes] = field(default_factory=list, repr=False)

    def trajectories(self) -> Iterator[Trajectory]:
        """Yield the episodes in the order in which they ended."""
        if self.out is not None:
            from sca_envs.bench.trajectories.trajectory_files import read_trajectories

            yield from read_trajectories(self.out)
        for line in self._lines:
            yield Trajectory.from_line(line)


_ARGUMENTS = frozenset({"split", "data", "action_format", "max_turns"})
"""Options of environments that are arguments of `evaluate`, which would hide those in a dict."""


def evaluate(
    env_id: str,
    agent: str | Callable[..., Any] | Any,
    *,
    agent_options: Mapping[str, Any] | None = None,
    tasks: str | os.PathLike[str] | Iterable[Task] | None = None,
    split: str | None = None,
    data: str | None = None,
    num_tasks: int | None = None,
    trials: int = 1,
    seed: int = 0,
    user: str | Callable[..., Any] | None = None,
    user_options: Mapping[str, Any] | None = None,
    action_format: str | None = None,
    max_turns: int | None = None,
    env_options: Mapping[str, Any] | None = None,
    workers: int = 1,
    engine: str | Engine | None = None,
    engine_options: Mapping[str, Any] | None = None,
    episode_timeout: float | None = None,
    out: str | os.PathLike[str] | None = None,
    resume: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
) -> Evaluation:
    """Play an agent over the tasks of an environment, and measure it.

    The seed of an episode is a function of `seed`, its task and its trial, so neither the engine
    nor the number of workers changes anything.

    An agent that raises ends its episode as ``agent_error``, which counts with reward 0; a user
    that raises ends it as ``user_error``, which does not count. If the first `MAX_INITIAL_ERRORS`
    episodes all break off like that, nothing of them is recorded and the run stops with the first
    error.

    An `InfrastructureError` of either ends the episode as ``infrastructure_error``: a trial that is
    missing, which a resumed run plays again. After `MAX_CONSECUTIVE_OUTAGES` of them in a row the
    run stops.

    Args:
        env_id: Id of the environment, such as ``sca/TauRetail-v0``.
        agent: ``reference``, ``noop``, ``random``, ``human``; ``module:name`` or
            ``file.py:name``; a class or function that makes an agent; or an agent.
        agent_options: Keyword arguments of the agent's class. A parameter ``env`` is given the
            environment.
        tasks: Instead of a split: the path of a task file, or tasks.
        split: Which tasks; ``test`` by default.
        data: Which data; ``generated`` by default, or that of the tasks.
        num_tasks: The first so many tasks; by default all, or 100 where there is no end.
        trials: Episodes of each task.
        seed: Seed of the run.
        user: ``scripted``, ``none``, ``module:name``, or something that makes a user; the
            environment's default otherwise.
        user_options: Keyword arguments of the user's class.
        action_format: How a turn is written; the environment's default otherwise.
        max_turns: Most actions in an episode; the environment's default otherwise.
        env_options: Further keyword arguments of `gymnasium.make`.
        workers: How many workers; a batched agent plays many episodes in each.
        engine: ``local`` (the default for one worker), ``process`` (the default for more),
            ``thread``, ``ray``, or an object with the method of `Engine`.
        engine_options: Keyword arguments of the engine.
        episode_timeout: Seconds that the agent may take in an episode, in all its calls together;
            None is without end. An episode whose agent takes longer ends as ``agent_timeout``,
            which counts with reward 0. Like the engine it is no part of the run's record.
        out: Folder for the run; nothing is written without one.
        resume: Go on with the run in `out`, if there is one.
        on_progress: Called after each episode, and once at the beginning.

    Raises:
        SCAError: If an option is wrong or something is missing, before anything is played; if the
            run in `out` has other options; or if a worker is lost again and again.
        StopRun: If the agent wants no more; what has finished is kept.
    """
    folder = None
    if out is not None:
        from sca_envs.bench.evaluating.run_folder import RunFolder

        folder = RunFolder(out, resume=resume)
    if resume and folder is None:
        raise OptionError("Expected a folder (out) to resume a run in; got none")
    if tasks is not None and split is not None:
        raise OptionError("Expected a split or tasks, not both")
    _check_timeout(episode_timeout)
    for name in sorted(_ARGUMENTS & set(env_options or {})):
        raise OptionError(f"Expected {name} as an argument of its own, got it in env_options")
    chosen = default_engine(workers) if engine is None else engine
    runner = make_engine(chosen, workers, **engine_options or {})
    plan = make_plan(
        env_id,
        agent,
        agent_options=agent_options or {},
        env_options={
            **(env_options or {}),
            "split": None if tasks is not None else split or "test",
            "data": data,
            "action_format": action_format,
            "max_turns": max_turns,
        },
        tasks=tasks,
        num_tasks=num_tasks,
        trials=trials,
        seed=seed,
        user=user,
        user_options=user_options or {},
        episode_timeout=episode_timeout,
    )
    _check_engine(plan, chosen)
    return _run(plan, runner, folder, on_progress or (lambda progress: None))


def _check_engine(plan: Plan, engine: str | Engine) -> None:
    if engine == "thread" and isinstance(plan.spec.agent.target, Instance):
        raise OptionError(
            "Expected an agent's class or name for the engine 'thread', where each thread needs an "
            "agent of its own; got an agent"
        )
    if plan.spec.agent_name == "human" and engine != "local":
        raise OptionError(f"Expected the engine 'local' for a person; got {engine!r}")
    if plan.spec.episode_timeout is None:
        return
    if plan.spec.agent_name == "human":
        raise OptionError("Expected no episode_timeout for a person")
    if isinstance(plan.spec.agent.target, Instance) and engine not in ("process", "ray"):
        raise OptionError(
            "Expected an agent's class or name, or the engine 'process' or 'ray', with "
            "episode_timeout: one that does not return is left behind and made anew; got an agent"
        )


def _check_timeout(seconds: Any) -> None:
    number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if seconds is not None and not (number and 0 < seconds <= threading.TIMEOUT_MAX):
        raise OptionError(f"Expected episode_timeout in seconds, above 0; got {shorten(seconds)}")


def _run(
    plan: Plan, engine: Engine, folder: RunFolder | None, on_progress: Callable[[Progress], None]
) -> Evaluation:
    lines: list[bytes] = []
    summaries = [] if folder is None else folder.open(plan.record, plan.episodes)
    try:
        for episode in _play(plan, engine, summaries, on_progress):
            if folder is not None:
                folder.add(episode)
            else:
                lines.append(episode.line)
            summaries.append(episode.summary)
        results = compute_results(plan.record, summaries)
        if folder is not None:
            folder.finish(results)
    finally:
        if folder is not None:
            folder.close()
    return Evaluation(results, None if folder is None else folder.path, lines)


def _play(
    plan: Plan, engine: Engine, before: list[Summary], on_progress: Callable[[Progress], None]
) -> Iterator[EpisodeRecord]:
    """Yield the episodes that are not among those played before."""
    progress = Progress(len(plan.episodes), resumed=len(before))
    for summary in before:
        progress.add(summary)
    on_progress(progress)
    known = {(one.task_id, one.trial) for one in before}
    left = [one for one in plan.episodes if (one.task_id, one.trial) not in known]
    if not left:
        return
    outage: list[EpisodeRecord] = []
    with closing(engine.run(plan.spec, left)) as results:
        played = (episode for _, episode in results)
        for episode in _hopeful(played, len(left), bool(before)):
            yield episode  # written before it is counted
            progress.add(episode.summary)
            on_progress(progress)
            outage = [*outage, episode] if episode.summary.missing else []
            if len(outage) >= MAX_CONSECUTIVE_OUTAGES:
                raise RunFailedError(_tell_outage(outage, progress))


def _tell_outage(outage: list[EpisodeRecord], progress: Progress) -> str:
    return (
        f"Expected the infrastructure to hold; the last {len(outage)} episodes were broken off by "
        f"it: {_last_line(outage[-1])}. {progress.done - progress.missing} of {progress.total} "
        "episodes are done; where they are kept in a folder (--out), go on with --resume"
    )


def _last_line(episode: EpisodeRecord) -> str:
    """Return what broke an episode off, in a line."""
    return (episode.problem or "").strip().rpartition("\n")[2]


def _hopeful(played: Iterable[EpisodeRecord], total: int, trusted: bool) -> Iterator[EpisodeRecord]:
    """Pass episodes on, but hold errors back until one episode came to its end.

    So a wrong key or a slip in an agent's code stops the run at once and leaves nothing behind that
    a resumed run would take for done.

    Args:
        played: The episodes.
        total: How many there are.
        trusted: Whether one came to its end before.

    Raises:
        RunFailedError: If the first ones are all errors.
    """
    held: list[EpisodeRecord] = []
    for episode in played:
        if trusted or episode.problem is None:
            trusted = True
            yield from held
            held.clear()
            yield episode
            continue
        held.append(episode)
        if len(held) == min(MAX_INITIAL_ERRORS, total):
            first = held[0]
            raise RunFailedError(
                f"Expected an episode to come to its end; the first {len(held)} all broke off by "
                f"an error ({first.summary.termination_reason}): {_last_line(first)}. Nothing of "
                f"them was recorded. The first one:\n{first.problem}"
            )
