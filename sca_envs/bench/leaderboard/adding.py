"""Making a submission of runs."""

from __future__ import annotations

import datetime
import os
import re
import shutil
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from sca_envs.bench.evaluating.recording import Summary
from sca_envs.bench.evaluating.results import RunRecord, compute_results, load_results
from sca_envs.bench.leaderboard.submission import Entry, Submission, SubmissionError
from sca_envs.bench.trajectories.trajectory import INFRASTRUCTURE_ERROR, Trajectory
from sca_envs.bench.trajectories.trajectory_files import (
    FILE_NAME,
    read_trajectories,
    write_trajectories,
)
from sca_envs.core.secrets import redact
from sca_envs.core.writing import writing


def add_submission(
    runs: Sequence[str | os.PathLike[str]],
    *,
    name: str,
    model: str,
    organization: str,
    date: datetime.date | str | None = None,
    links: Sequence[str] = (),
    notes: str = "",
    out: str | os.PathLike[str] = "submissions",
) -> Path:
    """Make a submission: a folder with a description, results and all trajectories.

    Args:
        runs: Folders of finished runs, as `evaluate` writes them.
        name: Name of the system.
        model: The model that it stands on.
        organization: Who submits it.
        date: Day of the submission; by default today.
        links: Web addresses of a paper, code or model.
        notes: Anything else that a reader should know.
        out: The folder of submissions.

    Returns:
        The submission's folder.

    Raises:
        SubmissionError: If a field is not allowed, a run is unfinished or was played under
            ``SCA_SANDBOX=unsafe``, or the folder exists.
        SCAError: If a run cannot be read.
    """
    entries = [_entry(Path(run), f"runs/{number}") for number, run in enumerate(runs)]
    try:
        submission = Submission.model_validate(
            {
                "name": name,
                "model": model,
                "organization": organization,
                "date": date or datetime.date.today(),
                "links": redact(list(links)),
                "notes": redact(notes),
                "entries": entries,
            }
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise SubmissionError(f"Expected another {where}: {first['msg']}") from None
    folder = Path(out) / slug(f"{name} {model}")
    if folder.exists():
        raise SubmissionError(
            f"Expected no submission at {folder} yet; remove it, or choose another name"
        )
    partial = folder.with_name(f"{folder.name}.partial")
    try:
        with writing(folder):
            for run, entry in zip(runs, entries, strict=True):
                target = partial / entry.folder
                target.mkdir(parents=True)
                write_trajectories(read_trajectories(run), target / FILE_NAME)
            submission.save(partial)
            partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def _entry(run: Path, folder: str) -> Entry:
    record = load_results(run).run
    if not isinstance(record.options.get("trials"), int) or "seed" not in record.options:
        raise SubmissionError(
            f"Expected the trials and the seed in the record of {run}, found none"
        )
    first: Trajectory | None = None
    summaries = []
    for trajectory in read_trajectories(run):
        if record.unsafe_sandbox or trajectory.unsafe_sandbox:
            raise SubmissionError(
                f"Expected a run whose code was confined; {run} was played under "
                "SCA_SANDBOX=unsafe. Play it again without"
            )
        first = first or trajectory
        summaries.append(summary_of(trajectory))
    if first is None:
        raise SubmissionError(f"Expected episodes in {run}, found none; finish the run first")
    return Entry(
        folder=folder,
        env_id=first.env_id,
        env_options=first.env_options,
        data=first.data,
        split=first.split,
        agent=first.agent,
        trials=record.options["trials"],
        results=compute_results(record, _of_the_run(record, summaries, run)),
    )


def _of_the_run(record: RunRecord, summaries: list[Summary], run: Path) -> list[Summary]:
    wanted = {(task, n) for task in record.tasks for n in range(record.options["trials"])}
    found = [(one.task_id, one.trial) for one in summaries if not one.missing]
    broken = {(one.task_id, one.trial) for one in summaries if one.missing}
    missing = sorted(wanted - set(found))
    if missing:
        task, trial = missing[0]
        why = f" ({INFRASTRUCTURE_ERROR} broke it off)" if missing[0] in broken else ""
        raise SubmissionError(
            f"Expected all episodes of {run}; {len(missing)} are missing, the first one is task "
            f"{task}, trial {trial}{why}. Finish it with `sca eval … --resume`"
        )
    if len(found) > len(wanted):
        raise SubmissionError(
            f"Expected {len(wanted)} episodes in {run}, found {len(found)}: some are there twice"
        )
    return summaries


def summary_of(trajectory: Trajectory) -> Summary:
    """Return what the results need of a trajectory."""
    return Summary.of(trajectory.to_dict())


def slug(text: str) -> str:
    """Return a text as the name of a folder and of a page."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:80] or "submission"
