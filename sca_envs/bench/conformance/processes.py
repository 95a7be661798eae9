"""The check that a domain is the same in every process: tables, tasks, samples and tool results.

Other processes load the domain as worker processes do, by its pickle, and hash texts otherwise, so
that a set whose order shows is found.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from sca_envs.bench.conformance.report import Finding
from sca_envs.bench.conformance.sample import Sample, describe, task_name

_HASH_SEEDS = ("1", "2")
_SAMPLES = 50
_CODE = "from sca_envs.bench.conformance.processes import answer; answer()"
_PATIENCE = 300.0
"""Seconds that another process may take."""


def check_processes(sample: Sample) -> Iterator[Finding]:
    """Tables, tasks, samples and tool results are the same a second time and elsewhere."""
    try:
        sent = pickle.dumps((sample.domain, sample.num_tasks, sample.seed))
        copied = pickle.loads(sent)[0]
    except Exception as error:
        yield Finding(
            "origin",
            "a domain that can be sent to worker processes",
            describe(error),
            "give `origin` a function of a module and its arguments, which load the domain again",
        )
        return
    if repr(copied) != repr(sample.domain):  # name and data
        yield Finding(
            "origin",
            f"{sample.domain!r} again",
            repr(copied)[:200],
            "give `origin` the arguments that load this domain",
        )
        return
    with ThreadPoolExecutor() as pool:
        asked = [pool.submit(_ask, hash_seed, sent) for hash_seed in _HASH_SEEDS]
        own = _digests(sample)
        again = _digests(Sample(copied, sample.num_tasks, sample.seed))
        yield from _compare(own, again, "again here")
        for future in asked:
            other = future.result()
            if isinstance(other, str):
                yield Finding(
                    "origin",
                    "a domain that another process can load",
                    other,
                    "define its functions in a module that can be imported, not in a script",
                )
                return
            yield from _compare(own, other, "in another process")


def _ask(hash_seed: str, sent: bytes) -> dict[str, str] | str:
    """Return the digests of another process, or why there are none."""
    environ = {
        **os.environ,
        "PYTHONHASHSEED": hash_seed,
        "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
    }
    command = [sys.executable, "-c", _CODE]
    try:
        done = subprocess.run(
            command, input=sent, env=environ, capture_output=True, timeout=_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return f"no end after {_PATIENCE:g} seconds"
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        return lines[-1][:200] if lines else f"exit status {done.returncode}"
    digests: dict[str, str] = json.loads(done.stdout)
    return digests


def answer() -> None:
    """Answer in the other process: read what to look at, and print the digests."""
    output, sys.stdout = sys.stdout, sys.stderr  # a tool may print
    sample = Sample(*pickle.load(sys.stdin.buffer))
    output.write(json.dumps(_digests(sample)))


def _digests(sample: Sample) -> dict[str, str]:
    """Return a digest of everything that must be the same, by what findings call it."""
    domain = sample.domain
    texts = {"tables": json.dumps(domain.base.tables, default=repr), "policy": domain.policy}
    texts["tools"] = json.dumps([tool.schema for tool in domain.tools.values()])
    for task in sample.all_tasks():
        texts[task_name(task)] = task.model_dump_json()
        for number, step in enumerate(sample.steps(task), 1):
            name = f"result of {step.action.name} in {task_name(task)}, reference action {number}"
            texts[name] = step.observation
    rng = np.random.default_rng(sample.seed)
    for name, tool in domain.tools.items():
        try:
            samples = [domain.sample_arguments(rng, tool) for _ in range(_SAMPLES)]
        except Exception:  # the check of the samples tells
            continue
        texts[f"sampled arguments of tool {name}"] = json.dumps(samples, default=repr)
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}


def _compare(own: dict[str, str], other: dict[str, str], where: str) -> Iterator[Finding]:
    """Yield the first thing that differs; what comes later may follow from it."""
    for name in {**own, **other}:
        if own.get(name) != other.get(name):
            yield Finding(
                name,
                f"the same {where}",
                "something else",
                "use no set, `hash`, clock, global variable or unseeded random number for it",
            )
            return
