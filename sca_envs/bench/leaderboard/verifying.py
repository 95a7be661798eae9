"""Verification of a submission: every episode is run again, every number computed again.

What this finds: a forged reward or component, an edited observation or database change, a reason of
the end that did not happen, a seed or task that was chosen, an episode that is missing or there
twice, results that the episodes do not give. What nobody can find from outside: another model than
the one that is named, and costs and tokens that were never paid.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

import sca_envs
from sca_envs.bench.evaluating.plan import episode_seed
from sca_envs.bench.evaluating.results import compute_results
from sca_envs.bench.leaderboard.adding import summary_of
from sca_envs.bench.leaderboard.submission import Entry, SubmissionError, load_submission
from sca_envs.bench.trajectories.replay import Replayer
from sca_envs.bench.trajectories.trajectory import INFRASTRUCTURE_ERROR, Trajectory
from sca_envs.bench.trajectories.trajectory_files import read_trajectories
from sca_envs.core.errors import SCAError
from sca_envs.core.task import TaskSource
from sca_envs.envs.registration import check_id

_TOLERANCE = 1e-9  # of numbers that went through JSON
_OTHER_DRAWS = 0.25  # of an interval's width: how far other bootstrap samples may move its ends


class Problem(NamedTuple):
    """One thing that is wrong with a submission."""

    where: str
    """Which run, task, trial and turn."""
    what: str
    """What was expected and what is there."""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def verify_submission(folder: str | os.PathLike[str]) -> list[Problem]:
    """Return all that is wrong with a submission; nothing, if it is as it says.

    Args:
        folder: The submission's folder.
    """
    folder = Path(folder)
    try:
        submission = load_submission(folder)
    except SubmissionError as error:
        return [Problem("submission.json", str(error))]
    folders = [entry.folder for entry in submission.entries]
    problems = [
        Problem(name, "expected a folder of its own for every run, got it twice")
        for name in sorted({name for name in folders if folders.count(name) > 1})
    ]
    for entry in submission.entries:
        problems += _verify_entry(folder, entry)
    return problems


def _verify_entry(folder: Path, entry: Entry) -> Iterator[Problem]:
    try:
        episodes = list(read_trajectories(folder / entry.folder))
        tasks = _tasks(entry)
    except SCAError as error:
        yield Problem(entry.folder, str(error))
        return
    yield from _check_record(entry, tasks)
    yield from _check_complete(entry, episodes)
    replayer = Replayer()  # keeps the environment
    for episode in episodes:
        yield from _check_episode(entry, episode, replayer)
    yield from _check_results(entry, episodes)


def _tasks(entry: Entry) -> TaskSource:
    """Return the tasks that the run must have played.

    Raises:
        SCAError: If there is no such environment here, or its data are missing.
    """
    check_id(entry.env_id)
    if "tasks" in entry.env_options:
        raise SubmissionError("Expected the tasks of a split, got a run on tasks of its own")
    try:
        # Who speaks to the agent does not change which tasks there are.
        options = {key: value for key, value in entry.env_options.items() if key != "user"}
        env: Any = gym.make(entry.env_id, disable_env_checker=True, **options).unwrapped
    except (gym.error.Error, TypeError) as error:
        raise SubmissionError(f"Expected an environment and its options: {error}") from None
    tasks: TaskSource = env.tasks
    return tasks


def _check_record(entry: Entry, tasks: TaskSource) -> Iterator[Problem]:
    """Compare what the entry says of itself with its record, and the tasks with the split's."""
    options = entry.results.run.options
    claims = {
        "env_id": entry.env_id,
        "env_options": entry.env_options,
        "agent": entry.agent,
        "trials": entry.trials,
    }
    for name, value in claims.items():
        if options.get(name) != value:
            yield _differs(f"{entry.folder}, {name}", value, options.get(name))
    played = entry.results.run.tasks
    number = len(played) if tasks.size is None else tasks.size
    wanted = [tasks.id_of(index) for index in range(number)]
    for task in wanted:
        if task not in played:
            yield Problem(f"{entry.folder}, task {task}", "the split has it, the run does not")
    for task in dict.fromkeys(played):
        if task not in wanted:
            yield Problem(f"{entry.folder}, task {task}", "the run has it, the split does not")
        elif played.count(task) > 1:
            yield Problem(f"{entry.folder}, task {task}", "is twice among the run's tasks")


def _check_complete(entry: Entry, episodes: list[Trajectory]) -> Iterator[Problem]:
    """Find episodes that are missing, there twice, or part of no trial."""
    found: dict[tuple[str, int], int] = {}
    for episode in episodes:
        at = episode.task_id, episode.trial
        found[at] = found.get(at, 0) + 1
    wanted = dict.fromkeys(
        (task, trial) for task in entry.results.run.tasks for trial in range(entry.trials)
    )
    for task, trial in wanted:
        count = found.pop((task, trial), 0)
        if count != 1:
            what = "the episode is missing" if not count else f"the episode is there {count} times"
            yield Problem(_where(entry, task, trial), what)
    for task, trial in found:
        yield Problem(_where(entry, task, trial), "the episode is not part of the run")


def _check_episode(entry: Entry, episode: Trajectory, replayer: Replayer) -> Iterator[Problem]:
    where = _where(entry, episode.task_id, episode.trial)
    seed = episode_seed(entry.results.run.options["seed"], episode.task_id, episode.trial)
    claims = {
        "env_id": entry.env_id,
        "env_options": entry.env_options,
        "data": entry.data,
        "split": entry.split,
        "agent": entry.agent,
        "seed": seed,
    }
    for name, value in claims.items():
        if getattr(episode, name) != value:
            yield _differs(f"{where}, {name}", value, getattr(episode, name))
    if (episode.env_id, episode.env_options) != (entry.env_id, entry.env_options):
        return  # nobody can say what this would replay
    if episode.termination_reason == INFRASTRUCTURE_ERROR:
        what = f"the episode is missing: {INFRASTRUCTURE_ERROR} broke it off; play it again"
        yield Problem(where, what)
        return
    if not episode.counts:
        yield Problem(
            where,
            f"expected an episode that counts, got one that {episode.termination_reason} broke "
            "off; play it again",
        )
        return
    try:
        differences = replayer.replay(episode).differences
    except SCAError as error:
        yield Problem(where, str(error))
        return
    for difference in differences:
        yield Problem(where, str(difference))


def _check_results(entry: Entry, episodes: list[Trajectory]) -> Iterator[Problem]:
    """Compute the results again, of the episodes that are part of the run."""
    run = entry.results.run
    known = set(run.tasks)
    summaries = [summary_of(episode) for episode in episodes if episode.task_id in known]
    right = compute_results(run, summaries).model_dump(mode="json")
    # Another version of the package or of NumPy may draw other samples for the intervals.
    ours = {"numpy": np.__version__, "sca_envs": sca_envs.__version__}
    same = ours.items() <= run.versions.items()
    claimed = entry.results.model_dump(mode="json")
    yield from _compare(f"{entry.folder}, results", right, claimed, 0.0 if same else _OTHER_DRAWS)


def _compare(where: str, right: Any, claimed: Any, draws: float) -> Iterator[Problem]:
    """Yield where two JSON values differ by more than rounding.

    Args:
        where: What they are.
        right: The right value.
        claimed: The one that is claimed.
        draws: How far the ends of an interval may be off, as a share of its width.
    """
    if isinstance(right, dict) and isinstance(claimed, dict):
        slack = draws * (right["high"] - right["low"]) if "high" in right else 0.0
        for key in dict.fromkeys([*right, *claimed]):
            one, other = right.get(key), claimed.get(key)
            if key in ("low", "high") and _near(one, other, slack):
                continue
            yield from _compare(f"{where}.{key}", one, other, draws)
    elif right != claimed and not _near(right, claimed, 0.0):
        yield _differs(where, right, claimed)


def _near(right: Any, claimed: Any, slack: float) -> bool:
    numbers = isinstance(right, int | float) and isinstance(claimed, int | float)
    return numbers and abs(right - claimed) <= slack + _TOLERANCE * max(1.0, abs(right))


def _differs(where: str, right: Any, claimed: Any) -> Problem:
    return Problem(where, f"expected {right!r}, got {claimed!r}")


def _where(entry: Entry, task: str, trial: int) -> str:
    return f"{entry.folder}, task {task}, trial {trial}"
