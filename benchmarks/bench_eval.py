"""What `sca eval` costs beyond the episodes themselves: `python benchmarks/bench_eval.py`.

Plays the reference agent, which takes no time of its own, over generated retail tasks, and prints
microseconds an episode:

- bare: the loop of the README, which keeps nothing of an episode but its reward;
- bare, unwrapped: the same without Gymnasium's wrappers and checks;
- with messages: the same, and each episode's messages written to a file as JSON, which is the least
  that an evaluation must do;
- `evaluate`: trajectories with observations, database changes and messages, appended one by one,
  progress, and at the end the results, once in this process and once with two workers, whose start
  is left out.

The time is that of the processor, but with two workers it is the time that passes. All are played
in turn several times and the fastest of each counts, because machines have company.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym

import sca_envs
from sca_envs.bench.evaluating.engines.process import ProcessEngine
from sca_envs.bench.evaluating.evaluation_report import LiveProgress
from sca_envs.bench.evaluating.plan import episode_seed
from sca_envs.bench.evaluating.recording import Finished, Job
from sca_envs.bench.evaluating.worker import WorkerSpec

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


class Timed(ProcessEngine):
    """The process engine, with the time from the first episode that comes back to the last."""

    seconds = 0.0

    def run(self, spec: WorkerSpec, jobs: Any) -> Any:
        """Play every job once."""
        first: float | None = None
        finished: Finished
        for finished in super().run(spec, jobs):
            first = first or time.perf_counter()
            yield finished
            if isinstance(finished.job, Job):
                self.seconds = time.perf_counter() - first


def evaluated(episodes: int, folder: Path, engine: Any = None) -> None:
    """Evaluate with everything that the command has."""
    from rich.console import Console

    with open(os.devnull, "w") as nowhere, LiveProgress(Console(file=nowhere)) as live:
        run = sca_envs.evaluate(
            ENV_ID,
            "reference",
            num_tasks=episodes,
            engine=engine,
            workers=1 if engine is None else 2,
            out=folder,
            on_progress=live.show,
        )
    assert run.results.success is not None
    assert run.results.success.mean == 1


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--episodes", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    number: int = arguments.episodes
    wrapped = gym.make(ENV_ID, split="test")
    plain = gym.make(ENV_ID, split="test", disable_env_checker=True).unwrapped
    best: dict[str, float] = {}

    def measure(name: str, play: Callable[[], float | None]) -> None:
        start = time.process_time()
        told = play()
        seconds = time.process_time() - start if told is None else told
        best[name] = min(best.get(name, seconds), seconds)

    bare(plain, number)  # makes the tasks and their reference states, which are then kept
    for number_of_round in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)

            def in_two_processes(folder: Path = folder) -> float:
                engine = Timed(2)
                evaluated(number, folder / "two", engine)
                return engine.seconds

            measure("bare", lambda: bare(wrapped, number))
            measure("bare, unwrapped", lambda: bare(plain, number))
            with (folder / "messages").open("w") as file:
                measure("with messages", lambda file=file: bare(plain, number, file))  # type: ignore[misc]
            measure("evaluate, 1 process", lambda folder=folder: evaluated(number, folder / "one"))  # type: ignore[misc]
            measure("evaluate, 2 workers", in_two_processes)
        print(f"round {number_of_round + 1} of {arguments.rounds}", end="\r", flush=True)
    for name, seconds in best.items():
        shares = ", ".join(
            f"{seconds / best[base] - 1:+.0%} of {base!r}" for base in ("bare", "bare, unwrapped")
        )
        print(f"{name:>20}: {seconds / number * 1e6:6.0f} µs an episode ({shares})")


if __name__ == "__main__":
    main()
