"""The demonstration: what three policies without a model make of generated tasks."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import gymnasium as gym
from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from sca_envs.bench.agents import Agent, NoopAgent, RandomAgent, ReferenceAgent
from sca_envs.bench.rollout import Result, play

POLICIES: dict[str, Callable[[gym.Env[str, str], int], Agent]] = {
    "reference": lambda env, seed: ReferenceAgent(env),
    "random": RandomAgent,
    "do nothing": lambda env, seed: NoopAgent(),
}
"""Policy name -> function of an environment and a seed that gives the agent."""


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


def run(env_id: str, episodes: int, seed: int, console: Console) -> dict[str, Row]:
    """Play every policy on the same tasks, and print a table and one transcript.

    Args:
        env_id: Id of a registered environment.
        episodes: How many tasks, from 1.
        seed: The first task's seed; the next one has the next seed.
        console: Where to print.
    """
    env = gym.make(env_id)
    env.reset(seed=seed)  # loads the world, which is not what the table measures
    rows: dict[str, Row] = {}
    progress = Progress(
        TextColumn("{task.description:>11}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("success {task.fields[success]:.1%}"),
        TimeRemainingColumn(),
        console=console,
    )
    with progress:
        for name, make in POLICIES.items():
            agent = make(env, seed)
            bar = progress.add_task(name, total=episodes, success=0.0)
            row = rows[name] = Row([], 0.0)
            for number in range(seed, seed + episodes):
                start = time.perf_counter()
                row.results.append(play(env, agent, seed=number))
                row.seconds += time.perf_counter() - start
                progress.update(bar, advance=1, success=row.success)
    console.print(_table(env_id, rows))
    _print_transcript(env_id, seed, console)
    return rows


def _table(env_id: str, rows: dict[str, Row]) -> Table:
    table = Table(title=f"{env_id}, generated tasks")
    table.add_column("policy")
    for column in ("episodes", "success", "turns an episode", "steps per second"):
        table.add_column(column, justify="right")
    table.add_column("endings")
    for name, row in rows.items():
        table.add_row(
            name,
            str(len(row.results)),
            f"{row.success:.1%}",
            f"{row.turns / len(row.results):.1f}",
            f"{row.turns / row.seconds:,.0f}",
            row.endings,
        )
    return table


def _print_transcript(env_id: str, seed: int, console: Console) -> None:
    env = gym.make(env_id, render_mode="ansi")
    play(env, ReferenceAgent(env), seed=seed)
    lines = str(env.render()).splitlines()
    text = Text("\n").join(Text(_shorten(line), _style(line)) for line in lines)
    console.print(Panel(text, title="one episode of the reference policy"))


def _style(line: str) -> str:
    return {"user": "green", "agent": "cyan", "end": "bold"}.get(line.partition(":")[0], "dim")


def _shorten(line: str, limit: int = 300) -> str:
    return line if len(line) <= limit else f"{line[:limit]} … ({len(line)} characters)"
