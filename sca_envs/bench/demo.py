"""The demonstration: the paper's loop without a model.

A challenger makes tasks, the gates test them, and policies play what was accepted.
"""

from __future__ import annotations

import functools
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import gymnasium as gym
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from sca_envs.bench.agents import Agent, NoopAgent, RandomAgent, ReferenceAgent
from sca_envs.bench.rollout import Result, play
from sca_envs.challenge.gates import Novel, standard_gates
from sca_envs.challenge.pipeline import Pipeline
from sca_envs.challenge.procedural import ProceduralChallenger
from sca_envs.challenge.proposer import Proposer
from sca_envs.challenge.show import show
from sca_envs.challenge.task import CodeAsTask
from sca_envs.core.domain import Domain

_FLAW_RATE = 0.25

POLICIES: dict[str, Callable[[gym.Env[str, str], int], Agent]] = {
    "reference": lambda env, seed: ReferenceAgent(env),
    "random": RandomAgent,
    "do nothing": lambda env, seed: NoopAgent(),
}
"""Policy name -> function of an environment and a seed that gives the agent."""


class Demo(NamedTuple):
    """What came of it."""

    tasks: list[CodeAsTask]
    """The accepted tasks."""
    rows: dict[str, Row]
    """What each policy did, by its name."""


@dataclass
class Row:
    """What a policy did."""

    results: list[Result]
    seconds: float

    @property
    def success(self) -> float:
        """Share of the episodes with reward 1."""
        return statistics.mean(result.reward == 1 for result in self.results)

    @property
    def turns(self) -> int:
        """Number of turns in all."""
        return sum(result.turns for result in self.results)

    @property
    def endings(self) -> str:
        """Why the episodes ended, the most frequent reason first."""
        counts = Counter(result.termination_reason for result in self.results)
        return ", ".join(f"{reason} {n}" for reason, n in counts.most_common())


def run(domain: Domain, candidates: int, seed: int, console: Console, workers: int = 2) -> Demo:
    """Let the challenger without a model make tasks, test them, and play the accepted ones.

    A quarter of the candidates is flawed on purpose, so that the gates have something to do.

    Args:
        domain: The world.
        candidates: How many candidates to make, from 1.
        seed: Seed of the candidates.
        console: Where to print.
        workers: Processes that examine them.
    """
    make = functools.partial(ProceduralChallenger, flaw_rate=_FLAW_RATE)
    proposer = Proposer(make, domain.name, domain.data, seed)
    pipeline = Pipeline(standard_gates(), novel=Novel(), workers=workers)
    tasks: list[CodeAsTask] = []
    console.print(
        f"1. A challenger makes {candidates} candidates for {domain.name}; "
        f"{_FLAW_RATE:.0%} of them are flawed on purpose.",
    )
    examinations = pipeline.challenge(proposer, range(candidates))
    with _progress(console, "{task.completed} examined") as progress:
        for found in progress.track(examinations, total=candidates, description="gates"):
            if found.accepted and found.task is not None:
                tasks.append(found.task)
    for table in pipeline.funnel.tables():
        console.print(table)
    if not tasks:
        console.print("No candidate passed; make more.")
        return Demo(tasks, {})
    console.print("2. The accepted tasks become environments, which three policies play.")
    rows = _play(tasks, seed, console)
    console.print(_table(rows))
    console.print("3. One of the tasks:")
    console.print(show(tasks[0]))
    return Demo(tasks, rows)


def _play(tasks: list[CodeAsTask], seed: int, console: Console) -> dict[str, Row]:
    env = gym.make("sca/CodeAsTask-v0", tasks=tasks)
    env.reset(seed=seed)  # loads the world, which is not what the table measures
    rows: dict[str, Row] = {}
    with _progress(console, "success {task.fields[success]:.1%}") as progress:
        for name, policy in POLICIES.items():
            agent = policy(env, seed)
            bar = progress.add_task(name, total=len(tasks), success=0.0)
            row = rows[name] = Row([], 0.0)
            for task in tasks:
                start = time.perf_counter()
                row.results.append(play(env, agent, seed=seed, options={"task": task.id}))
                row.seconds += time.perf_counter() - start
                progress.update(bar, advance=1, success=row.success)
    return rows


def _progress(console: Console, last: str) -> Progress:
    return Progress(
        TextColumn("{task.description:>11}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(last),
        TimeRemainingColumn(),
        console=console,
    )


def _table(rows: dict[str, Row]) -> Table:
    table = Table("policy")
    for column in ("episodes", "success", "turns an episode", "episodes per second"):
        table.add_column(column, justify="right")
    table.add_column("endings")
    for name, row in rows.items():
        table.add_row(
            name,
            str(len(row.results)),
            f"{row.success:.1%}",
            f"{row.turns / len(row.results):.1f}",
            f"{len(row.results) / row.seconds:,.0f}",
            row.endings,
        )
    return table
