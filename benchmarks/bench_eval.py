"""What `sca eval` costs beyond the episodes themselves: `python benchmarks/bench_eval.py`.

Plays the reference agent, which takes no time of its own, over generated retail tasks, in two ways.

In one process, with tasks that are made beforehand, in microseconds of the processor an episode:

- bare: the loop of the README, which keeps nothing of an episode but its reward;
- with messages: the same, and each episode's messages written to a file as JSON, which is the least
  that an evaluation must do;
- `evaluate`: trajectories with observations, database changes and messages, appended one by one,
  progress, and at the end the results.

As commands, by the clock: a script with the bare loop against `sca eval` with one and two workers,
each for few and for many tasks, which it makes itself. The difference between many and few is what
an episode takes; the rest of the time for few is the start.

All are run in turn several times and the fastest of each counts, because machines have company.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym

import sca_envs
from sca_envs.bench.evaluating.evaluation_report import LiveProgress
from sca_envs.bench.evaluating.plan import episode_seed

ENV_ID = "sca/TauRetail-v0"


def bare(env: gym.Env[Any, Any], episodes: int, file: Any = None) -> None:
    """Play the episodes that `evaluate` plays, and write their messages if there is a file."""
    agent = sca_envs.ReferenceAgent(env)
    for index in range(episodes):
        task = f"test-{index}"
        seed = episode_seed(0, task, 0)
        result = sca_envs.play(env, agent, seed=seed, options={"task": task})
        assert result.reward == 1
        if file is not None:
            file.write(json.dumps(env.unwrapped.episode.messages()) + "\n")  # type: ignore[attr-defined]
            file.flush()


def evaluated(episodes: int, folder: Path) -> None:
    """Evaluate with everything that the command has."""
    from rich.console import Console

    with open(os.devnull, "w") as nowhere, LiveProgress(Console(file=nowhere)) as live:
        run = sca_envs.evaluate(
            ENV_ID, "reference", num_tasks=episodes, out=folder, on_progress=live.show
        )
    assert run.results.success is not None
    assert run.results.success.mean == 1


def in_process(number: int, rounds: int) -> dict[str, float]:
    """Return the processor's seconds for so many episodes of each kind."""
    env = gym.make(ENV_ID, split="test")
    best: dict[str, float] = {}

    def measure(name: str, play: Callable[[], None]) -> None:
        start = time.process_time()
        play()
        seconds = time.process_time() - start
        best[name] = min(best.get(name, seconds), seconds)

    bare(env, number)  # makes the tasks and their reference states, which are then kept
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            measure("bare", lambda: bare(env, number))
            with (folder / "messages").open("w") as file:
                measure("with messages", lambda file=file: bare(env, number, file))  # type: ignore[misc]
            measure("evaluate", lambda folder=folder: evaluated(number, folder / "one"))  # type: ignore[misc]
    return best


def commands(few: int, many: int, rounds: int) -> dict[str, tuple[float, float]]:
    """Return the seconds of each command for few and for many tasks."""
    best: dict[str, dict[int, float]] = {}
    for _ in range(rounds):
        for number in (few, many):
            with tempfile.TemporaryDirectory() as name:
                sca = [sys.executable, "-c", "from sca_envs.cli import main; main()", "eval"]
                sca += [ENV_ID, "--agent", "reference", "--num-tasks", str(number)]
                for kind, command in {
                    "bare": [sys.executable, __file__, "--bare", str(number)],
                    "sca eval": [*sca, "--out", f"{name}/one"],
                    "sca eval --workers 2": [*sca, "--out", f"{name}/two", "--workers", "2"],
                }.items():
                    start = time.perf_counter()
                    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                    seconds = time.perf_counter() - start
                    kept = best.setdefault(kind, {})
                    kept[number] = min(kept.get(number, seconds), seconds)
    return {kind: (kept[few], kept[many]) for kind, kept in best.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--episodes", type=int, default=1_000, help="episodes in one process")
    parser.add_argument("--few", type=int, default=200, help="tasks of a command")
    parser.add_argument("--many", type=int, default=2_200, help="tasks of a longer command")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bare", type=int, help="only play so many bare episodes")
    arguments = parser.parse_args()
    if arguments.bare is not None:
        bare(gym.make(ENV_ID, split="test"), arguments.bare)
        return
    number: int = arguments.episodes
    best = in_process(number, arguments.rounds)
    for name, seconds in best.items():
        share = seconds / best["bare"] - 1
        print(f"{name:>20}: {seconds / number * 1e6:6.0f} µs an episode ({share:+.0%})")
    few, many = arguments.few, arguments.many
    timed = commands(few, many, arguments.rounds)
    base = (timed["bare"][1] - timed["bare"][0]) / (many - few)
    for name, (short, long) in timed.items():
        each = (long - short) / (many - few)
        print(
            f"{name:>20}: {short:.2f} s for {few} tasks; {each * 1e6:.0f} µs for each further one "
            f"({each / base - 1:+.0%})"
        )


if __name__ == "__main__":
    main()
