"""What both child processes of `compare_tau_bench.py` share: the timed loop and the requests.

A child answers requests, one JSON object a line, on its standard input and output. It keeps the
clock itself, so nothing of the conversation with the parent is in a measurement.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

STOP = "###STOP###"
"""What the stand-in for the user answers to whatever the agent says."""
TRANSFER = "transfer_to_human_agents"
"""The tool that ends an episode."""
MEMORY_TASK = 0
"""Index of the task whose episodes are weighed; its last reference action is its only write."""

_Thing = TypeVar("_Thing")


class Batch(NamedTuple):
    """Work that is ready to be timed."""

    run: Callable[[], object]
    """Does the work; nothing is prepared in it."""
    repetitions: int
    """How often `run` does it."""


class Side(Protocol):
    """One of the two implementations."""

    def describe(self) -> dict[str, str]:
        """Return package names and versions."""
        ...

    def prepare(self, work: str, case: Any) -> Batch:
        """Return work to time.

        Args:
            work: Its name.
            case: What it is done with: the index of a task, or a tool call as (name, arguments).
        """
        ...

    def play(self, task: int, reference: bool) -> list[list[Any]]:
        """Return (observation, reward, done) of the opening and every step of an episode.

        Args:
            task: Index of the task.
            reference: Whether to take the reference actions; otherwise only the last reply.
        """
        ...

    def look_up(self, name: str, arguments: dict[str, Any]) -> str:
        """Return the observation of a tool call in task 0."""
        ...

    def memory(self) -> dict[str, float]:
        """Return the bytes of a further episode by name of the measurement."""
        ...


def closing_words(outputs: Sequence[str]) -> str:
    """Return a last reply that says all that a task requires."""
    return " ".join(["Everything has been done.", *outputs])


def weigh(
    make: Callable[[], _Thing], change: Callable[[_Thing], object], count: int
) -> list[float]:
    """Return the traced bytes a thing, when just made and after a change.

    Args:
        make: Makes one; called once more beforehand, so that caches are filled.
        change: Changes one.
        count: How many to make.
    """
    change(make())
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    things = [make() for _ in range(count)]
    gc.collect()
    made = tracemalloc.get_traced_memory()[0]
    for thing in things:
        change(thing)
    gc.collect()
    changed = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return [(made - before) / count, (changed - before) / count]


def measure(batch: Batch, collect_garbage: bool, cpu_time: bool) -> float:
    """Return the nanoseconds that a repetition takes.

    Args:
        batch: The work.
        collect_garbage: Whether the garbage collector may run meanwhile.
        cpu_time: Whether to count this process's processor time instead of the clock's.
    """
    clock = time.process_time_ns if cpu_time else time.perf_counter_ns
    gc.collect()
    if not collect_garbage:
        gc.disable()
    start = clock()
    batch.run()
    elapsed = clock() - start
    gc.enable()
    return elapsed / batch.repetitions


def serve(side: Side, requests: Iterable[str]) -> None:
    """Answer requests until there are no more.

    Args:
        side: What is asked.
        requests: JSON texts ``[name, arguments…]``.
    """
    # What a library prints must not get between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    sys.stdout = sys.stderr
    for request in requests:
        name, *arguments = json.loads(request)
        if name == "time":
            work, case, *settings = arguments
            answer: Any = measure(side.prepare(work, case), *settings)
        else:
            answer = getattr(side, name)(*arguments)
        print(json.dumps(answer), file=answers, flush=True)
