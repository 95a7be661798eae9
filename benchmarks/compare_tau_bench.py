"""Compare speed and memory of the retail domain with the original tau-bench.

Usage::

    python benchmarks/compare_tau_bench.py CHECKOUT [--rounds 9] [--tasks 20] [--out result.json]

CHECKOUT is a checkout of sierra-research/tau-bench. Its data is imported into a temporary folder,
so both implementations run the same tasks on the same data, each in a child process of its own. The
children take turns, batch by batch (ours, the original, ours, …), so noise of the machine hits both
alike. Before anything is timed, both play the tasks, and their observations and rewards are
compared. The original needs pydantic; `litellm` need not be installed.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any

import typer
from compare_tables import (
    TOOL_STEP,
    WORKS,
    WRITE_STEP,
    Samples,
    agrees,
    call_table,
    describe_check,
    memory_table,
    summarise,
    time_table,
)
from rich.console import Console

from sca_envs import SCAError
from sca_envs.data import import_data

_HERE = Path(__file__).parent
_WIDTH = 100
"""Least width of the tables; a file or pipe counts as narrower."""
_NOTHING = (None, None, None)
"""Stands for the step that an episode of the other side did not have."""


class Child:
    """A child process that answers requests.

    Args:
        script: Its file beside this one.
        arguments: Its command line.
        data: The folder with the imported data.
    """

    def __init__(self, script: str, *arguments: str, data: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(_HERE / script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**os.environ, "SCA_DATA_DIR": data},
        )

    def ask(self, name: str, *arguments: Any) -> Any:
        """Return the answer to a request.

        Raises:
            RuntimeError: If the child has ended; its standard error says why.
        """
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("Expected a child with pipes")
        try:
            print(json.dumps([name, *arguments]), file=process.stdin, flush=True)
            answer = process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise RuntimeError(f"Expected an answer to {name!r}; the child process ended") from None
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


class Comparison:
    """Asks two children the same things, in turns.

    Args:
        ours: The child that runs this project.
        original: The child that runs the original.
        tasks: How many test tasks to run.
        rounds: How many batches of each case to time.
        settings: The arguments of `compare_worker.measure` but the batch.
    """

    def __init__(
        self, ours: Child, original: Child, *, tasks: int, rounds: int, settings: tuple[bool, bool]
    ) -> None:
        self._ours, self._original = ours, original
        self._tasks, self._rounds, self._settings = tasks, rounds, settings
        self._calls: list[list[Any]] = ours.ask("tool_calls")
        self._writing: list[int] = ours.ask("writing_tasks", tasks)

    def check(self) -> dict[str, int]:
        """Play every task on both sides and return how many observations and rewards are equal."""
        counts = Counter(episodes=2 * self._tasks)
        for task in range(self._tasks):
            for reference in (True, False):
                ours, original = self._both("play", task, reference)
                counts["solved"] += reference and ours[-1][1] == 1
                for mine, its in zip_longest(ours, original, fillvalue=_NOTHING):
                    counts["observations"] += 1
                    counts["equal_observations"] += mine[0] == its[0]
                    counts["steps"] += 1
                    counts["equal_rewards_and_ends"] += mine[1:] == its[1:]
        for name, arguments in self._calls:
            mine, its = self._both("look_up", name, arguments)
            counts["observations"] += 1
            counts["equal_observations"] += mine == its
        return dict(counts)

    def _both(self, name: str, *arguments: Any) -> tuple[Any, Any]:
        return self._ours.ask(name, *arguments), self._original.ask(name, *arguments)

    def time(self, console: Console) -> Samples:
        """Return nanoseconds by side, work and case, one for each round."""
        samples: Samples = {"ours": {}, "original": {}}
        for original in dict.fromkeys(work.original for work in WORKS):
            names = [work.name for work in WORKS if work.original == original]
            cases = self._cases(original)
            with console.status(f"{original}: {self._rounds} rounds of {len(cases)} cases"):
                for number in range(-1, self._rounds):  # the first round is a warm-up
                    for case, value in cases.items():
                        taken = self._turn(names, original, value)
                        if number >= 0:
                            _record(samples, taken, case)
        return samples

    def _cases(self, work: str) -> dict[str, Any]:
        """Return what a work is done with, by name."""
        if work == TOOL_STEP:
            return {call[0]: call for call in self._calls}
        tasks = self._writing if work == WRITE_STEP else range(self._tasks)
        return {f"task {task}": task for task in tasks}

    def _turn(self, names: list[str], original: str, case: Any) -> list[tuple[str, str, float]]:
        """Time a batch of each of our works and then one of the original's."""
        batches = [("ours", name, self._ours) for name in names]
        batches.append(("original", original, self._original))
        return [
            (side, name, child.ask("time", name, case, *self._settings))
            for side, name, child in batches
        ]

    def memory(self) -> dict[str, dict[str, float]]:
        """Return the bytes of a further episode by side and measurement."""
        ours, original = self._both("memory")
        return {"ours": ours, "original": original}

    def versions(self) -> dict[str, str]:
        """Return package names and versions."""
        ours, original = self._both("describe")
        return {**original, **ours}


def _record(samples: Samples, taken: list[tuple[str, str, float]], case: str) -> None:
    for side, name, nanoseconds in taken:
        samples[side].setdefault(name, {}).setdefault(case, []).append(nanoseconds)


@contextmanager
def _children(checkout: Path) -> Iterator[tuple[Child, Child]]:
    """Import the data and start both children, for as long as they are needed."""
    with tempfile.TemporaryDirectory() as data:
        try:
            import_data("tau-bench", checkout, Path(data))
        except SCAError as error:
            raise typer.BadParameter(str(error)) from None
        ours = Child("compare_ours.py", data=data)
        original = Child("compare_original.py", str(checkout.absolute()), data=data)
        try:
            yield ours, original
        finally:
            ours.close()
            original.close()


def main(
    checkout: Annotated[Path, typer.Argument(help="A checkout of sierra-research/tau-bench.")],
    rounds: Annotated[int, typer.Option(min=1, help="Timed batches of each case.")] = 9,
    tasks: Annotated[int, typer.Option(min=1, max=115, help="Test tasks to run.")] = 20,
    gc: Annotated[bool, typer.Option(help="Let the garbage collector run in timed code.")] = False,
    cpu_time: Annotated[
        bool, typer.Option(help="Count processor time, for a machine that is busy otherwise.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Write everything to this JSON file.")] = None,
) -> None:
    """Compare speed and memory of the retail domain with the original tau-bench."""
    if not (checkout / "tau_bench" / "envs").is_dir():
        raise typer.BadParameter(f"Expected a checkout, with a folder tau_bench; got {checkout}")
    console = Console()
    console.width = max(console.width, _WIDTH)
    with _children(checkout) as (ours, original):
        comparison = Comparison(ours, original, tasks=tasks, rounds=rounds, settings=(gc, cpu_time))
        counts = comparison.check()
        samples = comparison.time(console)
        memory = comparison.memory()
        versions = comparison.versions()
    rows = summarise(samples)
    console.print(time_table(rows), call_table(samples), memory_table(memory))
    console.print(describe_check(counts))
    if out is not None:
        result = {
            "machine": {"cores": os.cpu_count(), "system": platform.system()},
            "versions": {platform.python_implementation(): platform.python_version(), **versions},
            "settings": {"rounds": rounds, "tasks": tasks, "gc": gc, "cpu_time": cpu_time},
            "agreement": counts,
            "times": [asdict(row) for row in rows],
            "memory_bytes": memory,
            "samples_ns": samples,
        }
        out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    raise typer.Exit(0 if agrees(counts) else 1)


if __name__ == "__main__":
    typer.run(main)
