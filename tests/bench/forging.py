"""A forger's workbench: an honest submission, taken apart, changed, and put together again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sca_envs
from sca_envs.bench.evaluating.evaluation import evaluate
from sca_envs.bench.evaluating.results import Results, compute_results
from sca_envs.bench.leaderboard.adding import add_submission, summary_of
from sca_envs.bench.trajectories.trajectory import Trajectory

RETAIL, DNA = "sca/TauRetail-v0", "sca/M3DnaSequencer-v0"
ANYWHERE = ""
"""The name of a forgery that belongs to no run, task or trial."""


class Half:
    """Plays the reference in two of three episodes and gives up in the others; tells its cost."""

    def __init__(self, env: Any = None) -> None:
        self.reference = sca_envs.ReferenceAgent(env)

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        self.reference.reset(observation, info)
        self.turns = 0
        number = int(info["task_id"].rpartition("-")[2])
        self.good = (info["trial"] + number) % 3 != 1

    def act(self, observation: str, info: dict[str, Any]) -> str:
        self.turns += 1
        return self.reference.act(observation, info) if self.good else "I cannot help with that."

    def report(self, observation: str, info: dict[str, Any]) -> sca_envs.AgentReport:
        number = self.turns
        usage = sca_envs.Usage(prompt_tokens=100 * number, cost=0.01 * number, requests=number)
        return sca_envs.AgentReport(usage)


class Raising(Half):
    """Raises in the second task."""

    def act(self, observation: str, info: dict[str, Any]) -> str:
        if info["task_id"].endswith("-1"):
            raise ValueError("oops")
        return super().act(observation, info)


class Talk:
    """A user of one's own, which says everything at once."""

    def reset(self, task: sca_envs.Task, seed: int) -> str:
        self.task, self.spoken = task, 0
        return "Hello, I need something."

    def respond(self, message: str) -> sca_envs.UserTurn:
        self.spoken += 1
        said = self.task.instruction if self.spoken == 1 else "Yes."
        return sca_envs.UserTurn(said, "user_stop" if self.spoken == 4 else None)


BASES: dict[str, list[tuple[str, Any, dict[str, Any]]]] = {
    "retail": [(RETAIL, Half, {"num_tasks": 4, "trials": 2})],
    "noop": [(RETAIL, "noop", {"num_tasks": 3, "trials": 2})],
    "random": [(RETAIL, "random", {"num_tasks": 3, "trials": 2, "max_turns": 5})],
    "error": [(RETAIL, Raising, {"num_tasks": 3, "trials": 2})],
    "dna": [(DNA, Half, {"num_tasks": 4, "trials": 2})],
    "user": [(RETAIL, Half, {"num_tasks": 3, "user": Talk})],
    "two": [(RETAIL, Half, {"num_tasks": 2}), (DNA, Half, {"num_tasks": 2})],
}
"""Honest submissions: name -> environment, agent and options of each run."""


def make_bases(folder: Path) -> dict[str, Path]:
    """Make the honest submissions."""
    made = {}
    for name, runs in BASES.items():
        paths = [folder / "runs" / f"{name}-{number}" for number in range(len(runs))]
        for path, (env_id, agent, options) in zip(paths, runs, strict=True):
            evaluate(env_id, agent, out=path, **options)
        who = {"name": name, "model": "none", "organization": "A lab", "date": "2026-11-22"}
        made[name] = add_submission(paths, **who, out=folder / "submissions")
    return made


class Case:
    """A submission that is being forged; `save` writes it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sub = json.loads((folder / "submission.json").read_text("ascii"))
        self.runs = [
            [json.loads(line) for line in (self.lines(number)).read_bytes().splitlines()]
            for number in range(len(self.sub["entries"]))
        ]

    def lines(self, number: int = 0) -> Path:
        """Return the file of a run's trajectories."""
        path: Path = self.folder / f"runs/{number}/trajectories.jsonl"
        return path

    @property
    def entry(self) -> dict[str, Any]:
        entry: dict[str, Any] = self.sub["entries"][0]
        return entry

    @property
    def results(self) -> dict[str, Any]:
        results: dict[str, Any] = self.entry["results"]
        return results

    @property
    def run(self) -> dict[str, Any]:
        run: dict[str, Any] = self.results["run"]
        return run

    @property
    def all(self) -> list[dict[str, Any]]:
        return self.runs[0]

    def get(self, task: int, trial: int = 0) -> dict[str, Any]:
        """Return an episode."""
        ending = f"test-{task}"
        found = (one for one in self.all if one["task_id"].endswith(ending))
        return next(one for one in found if one.get("trial", 0) == trial)

    def keep(self, test: Callable[[dict[str, Any]], bool]) -> None:
        """Leave out the episodes that fail a test."""
        self.runs[0] = [one for one in self.all if test(one)]

    def everywhere(self, key: str, value: Any) -> None:
        """Set a field in the entry, the run's options and all episodes."""
        for place in (self.entry, self.run["options"], *self.all):
            place[key] = value

    def option(self, key: str, value: Any) -> None:
        """Set an option of the environment in all places; ... removes it."""
        for place in (self.entry, self.run["options"], *self.all):
            if value is ...:
                place["env_options"].pop(key, None)
            else:
                place["env_options"][key] = value

    def trials(self, value: Any) -> None:
        """Claim a number of trials."""
        self.entry["trials"] = self.run["options"]["trials"] = value

    def save(self, *, recompute: bool = True) -> None:
        """Write the files; the results follow from the episodes where that is possible."""
        if recompute:
            for entry, episodes in zip(self.sub["entries"], self.runs, strict=True):
                _recompute(entry, episodes)
        for number, episodes in enumerate(self.runs):
            self.lines(number).parent.mkdir(exist_ok=True)
            self.lines(number).write_text("".join(json.dumps(one) + "\n" for one in episodes))
        (self.folder / "submission.json").write_text(json.dumps(self.sub))


def _recompute(entry: dict[str, Any], episodes: list[dict[str, Any]]) -> None:
    run = entry["results"]["run"]
    try:
        record = Results.model_validate(entry["results"]).run
        ones = [summary_of(Trajectory.from_line(json.dumps(one))) for one in episodes]
        entry["results"] = {**json.loads(compute_results(record, ones).to_json()), "run": run}
    except Exception:  # the package refuses to count this, and so the numbers stay
        return


def win(episode: dict[str, Any]) -> None:
    """Make a failure a success, with all that a forger thinks of."""
    names = episode.get("reward_components") or {"answer": 0.0}
    episode |= {"reward": 1.0, "reward_components": dict.fromkeys(names, 1.0)}
    episode["turns"][-1]["reward"] = 1.0
    if episode.pop("truncated", False):
        episode["termination_reason"] = "answered"


def say(episode: dict[str, Any], turn: int, text: str) -> None:
    """Put another observation into a turn and into the messages."""
    old = episode["turns"][turn]["observation"]
    episode["turns"][turn]["observation"] = text
    for message in episode["messages"][::-1]:
        if message["content"] == old and message["role"] != "assistant":
            message["content"] = text
            return


def break_off(episode: dict[str, Any], kind: str) -> None:
    """Say that an error ended an episode before its first turn."""
    error = {"kind": kind, "type": "TimeoutError", "message": "no answer"}
    episode |= {"reward": 0.0, "termination_reason": kind, "error": error, "turns": []}
    for key in ("reward_components", "truncated"):
        episode.pop(key, None)
    episode["messages"] = episode["messages"][:2]


@dataclass(frozen=True)
class Forgery:
    """One way to forge a submission."""

    id: str
    forge: Callable[[Case], Any]
    named: str = "runs/0"
    """What a problem must name: the run, and the task, trial and turn if it has one."""
    base: str = "retail"
    recompute: bool = True


@dataclass(frozen=True)
class FileForgery:
    """One way to forge the bytes of a submission or its folder."""

    id: str
    forge: Callable[[Path], Any]
    named: str = "submission.json"
    base: str = "retail"
