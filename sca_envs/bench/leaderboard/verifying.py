"""Verification of a submission: every episode is run again, every number computed again.

What this finds: a forged reward or component, an edited observation or database change, a reason of
the end that did not happen, a seed or task that was chosen, an episode that is missing or there
twice, results that the episodes do not give, options that no run has, files that are not what they
seem. What nobody can find from outside is in `docs/leaderboard.md`.

Whatever the files hold, nothing is raised. The memory is bounded: a line is read at a time, one
that is too long is refused, and the first `MAX_PROBLEMS` problems end it.
"""

from __future__ import annotations

import itertools
import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sca_envs.bench.evaluating.recording import Summary
from sca_envs.bench.evaluating.results import RunRecord, compute_results
from sca_envs.bench.leaderboard.adding import summary_of
from sca_envs.bench.leaderboard.conditions import baseline
from sca_envs.bench.leaderboard.copies import CopyFinder
from sca_envs.bench.leaderboard.episodes import EpisodeChecker
from sca_envs.bench.leaderboard.problems import Problem, differs, episode_place
from sca_envs.bench.leaderboard.submission import (
    SUBMISSION_NAME,
    Entry,
    Submission,
    SubmissionError,
    is_object_name,
    load_submission,
)
from sca_envs.bench.plain_files import read_lines
from sca_envs.bench.trajectories.trajectory import Trajectory, TrajectoryError
from sca_envs.bench.trajectories.trajectory_files import FILE_NAME
from sca_envs.core.database import same_json
from sca_envs.core.errors import DataNotInstalledError, SCAError
from sca_envs.core.users import USERS
from sca_envs.envs.registration import check_id, environment_class, make_env
from sca_envs.envs.tool_use import ToolUseEnv

MAX_PROBLEMS = 1000
"""Most problems that are looked for."""
_TOLERANCE = 1e-9  # of numbers that went through JSON, or were summed in another order
_RUN_OPTIONS = (
    "env_id",
    "env_options",
    "agent",
    "agent_options",
    "user_options",
    "tasks_digest",
    "trials",
    "seed",
)
_VERSIONS = ("sca_envs", "python", "gymnasium", "numpy", "pydantic")
_VERSION = re.compile(r"[0-9][A-Za-z0-9.+!_-]{0,63}")
_BUILT_IN_USERS = ("scripted", "none", "scripteduser", "nouser")
_OF_NO_RUN = ("num_tasks", "render_mode")  # options that a replay is not to have


def verify_submission(folder: str | os.PathLike[str]) -> list[Problem]:
    """Return all that is wrong with a submission; nothing, if it is as it says.

    Args:
        folder: The submission's folder.
    """
    folder = Path(folder)
    try:
        submission = load_submission(folder)
    except SubmissionError as error:
        return [Problem(SUBMISSION_NAME, str(error))]
    problems = list(itertools.islice(_verify(folder, submission), MAX_PROBLEMS + 1))
    if len(problems) > MAX_PROBLEMS:
        problems[-1] = Problem(SUBMISSION_NAME, f"more than {MAX_PROBLEMS} problems; it ends here")
    return problems


def _verify(folder: Path, submission: Submission) -> Iterator[Problem]:
    yield from _check_files(folder, submission)
    folders = [entry.folder for entry in submission.entries]
    for name, count in sorted(Counter(folders).items()):
        if count > 1:
            yield Problem(name, f"expected a folder of its own for every run, got it {count} times")
    if len(set(folders)) < len(folders):
        return  # which run is which nobody can say
    copies = CopyFinder()
    for entry in submission.entries:
        try:
            yield from _verify_entry(folder, entry, copies)
        except SCAError as error:
            yield Problem(entry.folder, str(error))
        except Exception as error:  # whatever a stranger wrote, it is no error of the verifier
            yield Problem(entry.folder, f"it cannot be verified: {type(error).__name__}: {error}")


def _check_files(folder: Path, submission: Submission) -> Iterator[Problem]:
    """Find files that are no part of a submission, and links, which may lead anywhere."""
    runs = {entry.folder.removeprefix("runs/") for entry in submission.entries}
    expected: dict[str, set[str]] = {"": {SUBMISSION_NAME, "runs"}, "runs": runs}
    expected |= {f"runs/{run}": {FILE_NAME} for run in sorted(runs)}
    for place, names in expected.items():
        try:
            found = sorted(os.scandir(folder / place), key=lambda one: one.name)
        except OSError:
            continue  # reading the run will tell
        for one in found:
            name = f"{place}/{one.name}".lstrip("/")
            if one.name not in names:
                yield Problem(ascii(name)[1:-1], "expected no such file in a submission; remove it")
            elif one.is_symlink():
                yield Problem(name, "expected the file or folder itself, got a link")


def _verify_entry(folder: Path, entry: Entry, copies: CopyFinder) -> Iterator[Problem]:
    env = _make_env(entry)
    problems = list(_check_record(entry, env))
    yield from problems
    if any(one.where == f"{entry.folder}, run.options" for one in problems):
        return
    checker = EpisodeChecker(entry)
    wanted = set(entry.results.run.tasks)
    seen: Counter[tuple[str, int]] = Counter()
    summaries: list[Summary] = []
    broken = False
    copies.begin(entry)
    for episode in _read_episodes(folder, entry):
        if isinstance(episode, Problem):
            broken = True
            yield episode
            continue
        at = episode.task_id, episode.trial
        seen[at] += 1
        if seen[at] > 1:
            continue  # they are counted below
        if episode.task_id in wanted and 0 <= episode.trial < entry.trials:
            summaries.append(summary_of(episode))
            copies.add(episode)
            yield from checker.check(episode)
    if broken:
        return
    yield from _check_complete(entry, seen)
    yield from copies.end()
    right = compute_results(entry.results.run, summaries).model_dump(mode="json")
    yield from _compare(f"{entry.folder}, results", right, entry.results.model_dump(mode="json"))


def _make_env(entry: Entry) -> ToolUseEnv:
    """Return the environment that the run must have played.

    Raises:
        SCAError: If there is no such environment or option here, or its data are missing.
    """
    env_id = check_id(entry.env_id, trusted=False)  # a stranger's file imports nothing
    if env_id != entry.env_id:
        raise SubmissionError(f"Expected the env_id {env_id!r}; got {entry.env_id!r}")
    kind = environment_class(env_id, trusted=False)
    if "tasks" in entry.env_options:
        raise SubmissionError("Expected the tasks of a split, got a run on tasks of its own")
    try:
        kind.resolve_options(entry.env_options)
        # Who speaks to the agent does not change which tasks there are.
        options = {key: one for key, one in entry.env_options.items() if key != "user"}
        return make_env(env_id, trusted=False, **options)
    except SCAError as error:
        if isinstance(error, DataNotInstalledError):
            raise
        raise SubmissionError(f"Expected an environment and its options: {error}") from None
    except Exception as error:
        raise SubmissionError(
            f"Expected an environment and its options: {type(error).__name__}: {error}"
        ) from None


def _check_record(entry: Entry, env: ToolUseEnv) -> Iterator[Problem]:
    """Compare what the entry says of itself with its record and with the environment."""
    run, where = entry.results.run, entry.folder
    yield from _check_options(entry)
    claims = {
        "env_id": entry.env_id,
        "env_options": entry.env_options,
        "agent": entry.agent,
        "trials": entry.trials,
    }
    for name, value in claims.items():
        if not same_json(run.options.get(name), value):
            yield differs(f"{where}, {name}", value, run.options.get(name))
    yield from _check_env_options(entry, env)
    domains = env.domains.items()
    data = {name: {"name": one.data, "digest": one.base.digest()} for name, one in domains}
    if not same_json(run.data, data):
        yield differs(f"{where}, run.data", data, run.data)
    if run.split_size != env.tasks.size:
        yield differs(f"{where}, run.split_size", env.tasks.size, run.split_size)
    if run.unsafe_sandbox:
        yield Problem(where, "it was played under SCA_SANDBOX=unsafe; play it in the sandbox")
    if not is_object_name(entry.agent) and baseline(entry.agent) is None and entry.agent != "human":
        yield Problem(
            f"{where}, agent", "expected a built-in agent's name, module:name or file:name"
        )
    yield from _check_versions(where, run)
    yield from _check_tasks(where, run, env)


def _check_options(entry: Entry) -> Iterator[Problem]:
    """Find options of the run that are missing, of another type, or that no run has."""
    options, where = entry.results.run.options, f"{entry.folder}, run.options"
    for name in options:
        if name not in _RUN_OPTIONS:
            yield Problem(f"{where}.{name[:80]}", "expected no such option")
    for name in _RUN_OPTIONS:
        if name not in options:
            yield Problem(where, f"expected {name} among them, got none")
    for name in ("env_options", "agent_options", "user_options"):
        if not isinstance(options.get(name, {}), dict):
            yield Problem(where, f"expected an object as {name}")
    if options.get("tasks_digest") is not None:
        yield Problem(f"{where}.tasks_digest", "expected null: no tasks of its own")


def _check_env_options(entry: Entry, env: ToolUseEnv) -> Iterator[Problem]:
    """Find options that are not written as every run writes them, so that tables stay one."""
    where, given = f"{entry.folder}, env_options", entry.env_options
    resolved = env.resolve_options(given)
    right = {name: value for name, value in resolved.items() if value is not None}
    for name in sorted({**right, **given}):
        if name in _OF_NO_RUN:
            yield Problem(f"{where}.{name}", "expected no such option of a run")
        elif name not in given or not same_json(_as_json(right.get(name)), given[name]):
            yield differs(f"{where}.{name}", right.get(name), given.get(name))
    user = given.get("user")
    if isinstance(user, str) and user in USERS:
        if entry.results.run.options.get("user_options"):
            yield Problem(f"{entry.folder}, run.options.user_options", "the user takes no options")
    elif not is_object_name(user):
        yield differs(f"{where}.user", "a built-in user, module:name or file:name", user)
    elif {part.casefold() for part in re.split(r"[.:]", str(user))} & set(_BUILT_IN_USERS):
        yield Problem(
            f"{where}.user", f"expected no built-in user's name in your own, got {user!r}"
        )


def _as_json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _check_versions(where: str, run: RunRecord) -> Iterator[Problem]:
    for name in dict.fromkeys([*_VERSIONS, *run.versions]):
        version = run.versions.get(name)
        if name not in _VERSIONS:
            yield Problem(f"{where}, run.versions.{name[:80]}", "expected no such package")
        elif version is None or not _VERSION.fullmatch(version):
            yield differs(f"{where}, run.versions.{name}", "a version", version)


def _check_tasks(where: str, run: RunRecord, env: ToolUseEnv) -> Iterator[Problem]:
    """Compare the run's tasks with those of the split, or the first ones of one without end."""
    played, tasks = run.tasks, env.tasks
    number = len(played) if tasks.size is None else tasks.size
    wanted = [tasks.id_of(index) for index in range(number)]
    if not played:
        yield Problem(f"{where}, run.tasks", "expected tasks, got none")
    counts, known = Counter(played), set(wanted)
    for task in wanted:
        if task not in counts:
            yield Problem(f"{where}, task {task}", "the split has it, the run does not")
    for task, count in counts.items():
        if task not in known:
            yield Problem(f"{where}, task {task[:80]}", "the run has it, the split does not")
        elif count > 1:
            yield Problem(f"{where}, task {task}", "is twice among the run's tasks")
    if played != wanted and sorted(played) == sorted(wanted):
        first = next(i for i, task in enumerate(played) if task != wanted[i])
        yield differs(f"{where}, run.tasks.{first}", wanted[first], played[first])


def _read_episodes(folder: Path, entry: Entry) -> Iterator[Trajectory | Problem]:
    """Yield the episodes of a run, or what is wrong with a line."""
    path, number = folder / entry.folder / FILE_NAME, 0
    try:
        for line in read_lines(path):
            number += 1
            if line.isspace():
                continue
            try:
                yield Trajectory.from_line(line)
            except TrajectoryError as error:
                yield Problem(_line_place(entry, number, line), f"{path.name}: {error}")
    except OSError as error:
        yield Problem(entry.folder, f"Expected trajectories at {path}: {error.strerror}")
    except ValueError as error:
        yield Problem(
            f"{entry.folder}, line {number + 1}", f"{path.name}: expected a line, got {error}"
        )


def _line_place(entry: Entry, number: int, line: bytes) -> str:
    """Return the words for a line that is no trajectory, with its task if it says one."""
    where = f"{entry.folder}, line {number}"
    try:
        value = json.loads(line)
        return f"{where}, task {str(value['task_id'])[:80]}, trial {value.get('trial', 0)!r:.20}"
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return where


def _check_complete(entry: Entry, seen: Counter[tuple[str, int]]) -> Iterator[Problem]:
    """Find episodes that are missing, there twice, or part of no trial."""
    left = dict(seen)
    for task in dict.fromkeys(entry.results.run.tasks):
        for trial in range(entry.trials):
            count = left.pop((task, trial), 0)
            if count != 1:
                what = "the episode is missing"
                if count:
                    what = f"the episode is there {count} times"
                yield Problem(episode_place(entry, task, trial), what)
    for task, trial in left:
        yield Problem(episode_place(entry, task, trial), "the episode is not part of the run")


def _compare(where: str, right: Any, claimed: Any) -> Iterator[Problem]:
    """Yield where two JSON values differ by more than rounding; what versions say changes nothing.

    Args:
        where: What they are.
        right: The right value.
        claimed: The one that is claimed.
    """
    if isinstance(right, dict) and isinstance(claimed, dict):
        for key in dict.fromkeys([*right, *claimed]):
            yield from _compare(f"{where}.{key}", right.get(key), claimed.get(key))
        if where.endswith("results.tasks") and list(right) != list(claimed):
            yield Problem(where, "expected the order of the tasks")
    elif right != claimed and not _near(right, claimed):
        yield differs(where, right, claimed)


def _near(right: Any, claimed: Any) -> bool:
    numbers = isinstance(right, int | float) and isinstance(claimed, int | float)
    return numbers and abs(right - claimed) <= _TOLERANCE * max(1.0, abs(right))
