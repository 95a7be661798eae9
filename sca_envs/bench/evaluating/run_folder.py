"""The folder of a run: its record, its trajectories, its results; and how it is resumed.

`run.json` says what is run, `trajectories.jsonl` grows by a line an episode, `results.json` comes
at the end, and `errors.log` has the traceback of every episode that an error broke off.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sca_envs.bench.evaluating.recording import EpisodeRecord, EpisodeSpec, Summary
from sca_envs.bench.evaluating.results import FILE_NAME as RESULTS
from sca_envs.bench.evaluating.results import Results, RunRecord
from sca_envs.bench.trajectories.trajectory import INFRASTRUCTURE_ERROR, Trajectory
from sca_envs.bench.trajectories.trajectory_files import FILE_NAME as TRAJECTORIES
from sca_envs.bench.trajectories.trajectory_files import (
    RESUME,
    TrajectoryWriter,
    read_trajectories,
)
from sca_envs.core.errors import OptionError, SCAError
from sca_envs.core.strict_json import parse_json
from sca_envs.core.writing import whole_file, writing

RECORD = "run.json"
"""Name of the file that says what is run."""
ERRORS = "errors.log"
"""Name of the file with tracebacks."""


class RunFolder:
    """The folder of a run that goes on.

    Args:
        path: The folder; it is made if there is none.
        resume: Whether it may hold the beginning of the same run.

    Raises:
        OptionError: If it holds something and `resume` is false.
    """

    def __init__(self, path: str | os.PathLike[str], *, resume: bool) -> None:
        self.path = Path(path)
        if self.path.exists() and not self.path.is_dir():
            raise OptionError(f"Expected {self.path} to be a folder for the run; it is a file")
        if not resume and self.path.is_dir() and any(self.path.iterdir()):
            raise OptionError(
                f"Expected a new or empty folder for the run; {self.path} holds something. Resume "
                "the run in it (--resume), or choose another folder"
            )
        self._writer: TrajectoryWriter | None = None

    def open(self, record: RunRecord, episodes: Sequence[EpisodeSpec]) -> list[Summary]:
        """Begin to write, and return the episodes that are there already.

        Those that the infrastructure broke off are taken out, to be played again.

        Args:
            record: What is run.
            episodes: All episodes of the run.

        Raises:
            OptionError: If the folder holds a run with other options; the message names them.
            SCAError: If another process writes the folder, or a file in it is broken.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OptionError(
                f"Expected to make the folder {self.path}; {error.strerror}"
            ) from None
        file = self.path / RECORD
        if file.exists():
            _check_same(_read_record(file), record, self.path)
        elif (self.path / TRAJECTORIES).exists():
            raise SCAError(
                f"Expected {file} beside {TRAJECTORIES}, found none; nobody can tell whether it is "
                "the same run. Choose another folder"
            )
        # The lock comes with the writer, so the record is written by one process.
        writer = TrajectoryWriter(self.path / TRAJECTORIES)
        try:
            if not file.exists():
                _write(file, json.dumps(record.model_dump(), indent=1) + "\n")
            found = list(self._episodes(episodes))
            if any(one.missing for one in found):
                self._drop_missing()
                # Locked before the old file is given up, so that nobody comes between.
                with writer:
                    writer = TrajectoryWriter(self.path / TRAJECTORIES)
        except BaseException:
            writer.close()
            raise
        self._writer = writer
        return [one for one in found if not one.missing]

    def _drop_missing(self) -> None:
        """Take out the episodes that are to be played again; the file changes at once or not."""
        file = self.path / TRAJECTORIES
        lines = file.read_bytes().splitlines(keepends=True)
        reason = INFRASTRUCTURE_ERROR.encode()
        kept = (line for line in lines if reason not in line or not _is_missing(line))
        with whole_file(file, RESUME) as partial:
            partial.write_bytes(b"".join(kept))

    def _episodes(self, episodes: Sequence[EpisodeSpec]) -> Iterator[Summary]:
        expected = set(episodes)
        seen: set[EpisodeSpec] = set()
        for number, one in enumerate(read_trajectories(self.path), 1):
            spec = EpisodeSpec(one.task_id, one.trial, one.seed)
            if spec not in expected or spec in seen:
                problem = "it is there twice" if spec in seen else "it is not part of the run"
                raise SCAError(
                    f"{self.path / TRAJECTORIES}, line {number}: expected every episode of the run "
                    f"once, got task {one.task_id!r}, trial {one.trial}, seed {one.seed}: "
                    f"{problem}. Remove this line, then resume"
                )
            seen.add(spec)
            yield Summary.of(one.to_dict())

    def add(self, episode: EpisodeRecord) -> None:
        """Write a finished episode."""
        assert self._writer is not None
        self._writer.append(episode.line)
        if episode.problem is not None:
            file = self.path / ERRORS
            with (
                writing(file, RESUME),
                file.open("a", encoding="utf-8", errors="backslashreplace") as log,
            ):
                log.write(f"episode {episode.spec.episode_id}\n{episode.problem}\n")

    def finish(self, results: Results) -> None:
        """Write the results."""
        _write(self.path / RESULTS, results.to_json())

    def close(self) -> None:
        """Close the file of trajectories; a run that recorded nothing leaves nothing behind."""
        if self._writer is None:
            return
        with contextlib.suppress(OSError):  # the folder is gone, or nothing may be written to it
            if not (self.path / TRAJECTORIES).stat().st_size:
                (self.path / TRAJECTORIES).unlink()
                (self.path / RECORD).unlink(missing_ok=True)
        with writing(self.path / TRAJECTORIES, RESUME):
            self._writer.close()


def _is_missing(line: bytes) -> bool:
    return Trajectory.from_line(line).termination_reason == INFRASTRUCTURE_ERROR


def _read_record(file: Path) -> RunRecord:
    try:
        return RunRecord.model_validate(parse_json(file.read_bytes()))
    except ValueError as error:
        if not isinstance(error, ValidationError):
            raise SCAError(f"Expected JSON in {file}; {error}. Choose another folder") from None
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise SCAError(
            f"Expected the record of a run in {file}; {where}: {first['msg']}. Choose another "
            "folder"
        ) from None


def _check_same(old: RunRecord, new: RunRecord, path: Path) -> None:
    """Refuse to go on with a run under other options."""
    before, now = _flat(old), _flat(new)
    different = [key for key in before | now if before.get(key) != now.get(key)]
    if different:
        what = "; ".join(
            f"{key} was {_shorten(before.get(key))} and is {_shorten(now.get(key))}"
            for key in different[:5]
        )
        raise OptionError(
            f"Expected the options of the run in {path} to resume it; {what}. Give the same ones, "
            "or choose another folder"
        )


def _flat(record: RunRecord) -> dict[str, Any]:
    """Return what decides the results, by names that a person knows from the command line."""
    flat: dict[str, Any] = {}
    for key, value in record.options.items():
        if key == "env_options":
            flat |= value
        else:
            flat[key] = value
    flat |= {f"data of {domain}": str(data) for domain, data in record.data.items()}
    flat["version of sca_envs"] = record.versions.get("sca_envs")
    flat["SCA_SANDBOX"] = "unsafe" if record.unsafe_sandbox else None
    if len(record.tasks):
        flat["num_tasks"] = len(record.tasks)
        flat["first and last task"] = [record.tasks[0], record.tasks[-1]]
    return flat


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def _write(file: Path, text: str) -> None:
    """Write a file that appears whole or not at all."""
    with whole_file(file, RESUME) as partial:
        partial.write_text(text, encoding="utf-8")
