"""A campaign: candidates in a row until enough are accepted, in a file that survives interruption.

Beside the task file stands a journal with a line for each candidate that was examined. It is what a
campaign is resumed from, and what the task file is made of, so an interrupted and resumed campaign
ends with the same file as one that ran through.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from sca_envs.challenge.examination import Examination, Propose
from sca_envs.challenge.files import parse_code_task, save_code_tasks
from sca_envs.challenge.gates import Fingerprint
from sca_envs.challenge.pipeline import Pipeline
from sca_envs.challenge.task import CodeAsTask
from sca_envs.core.code_runner import is_unsafe
from sca_envs.core.errors import OptionError, TaskFileError
from sca_envs.core.secrets import redact
from sca_envs.core.writing import WriteError, writing


class Progress(NamedTuple):
    """How far a campaign is."""

    accepted: int
    candidates: int


class Campaign:
    """Makes tasks until enough are accepted.

    Args:
        path: The task file to write, ending in ``.jsonl`` or ``.parquet``.
        record: What decides the candidates and verdicts: environment, challenger, seed, options,
            data digest. A campaign can be resumed with the same record only.
        wanted: Number of tasks to accept.
        most: Most candidates; the campaign ends there, with fewer tasks. None means 50 for each
            task wanted.
        resume: Whether to go on with a journal that exists.

    Raises:
        OptionError: If the file exists and is not to be resumed, or was begun with another record.
        TaskFileError: If the journal is damaged.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        record: dict[str, Any],
        wanted: int,
        *,
        most: int | None = None,
        resume: bool = False,
    ) -> None:
        self.path = Path(path)
        self.journal = self.path.with_name(f"{self.path.stem}.journal.jsonl")
        self.accepted: list[CodeAsTask] = []
        """The tasks that were accepted so far."""
        unsafe = {"unsafe_sandbox": True} if is_unsafe() else {}
        record = json.loads(json.dumps(record | unsafe))  # as it will be read again
        self._record = redact(record)
        self._wanted = wanted
        self._most = 50 * wanted if most is None else most
        self._next = 0
        self._begun = False
        if self.path.suffix not in (".jsonl", ".parquet"):
            raise OptionError(f"Expected --out to end in .jsonl or .parquet; got {self.path.name}")
        # Without its journal a file cannot be gone on with, and it must not be lost.
        if self.path.exists() and resume and not self.journal.exists():
            raise OptionError(
                f"Expected {self.journal.name} beside {self.path}, from which to go on, and found "
                "none; choose another file"
            )
        if not resume and (self.path.exists() or self.journal.exists()):
            raise OptionError(
                f"Expected no file at {self.path} (or {self.journal.name} beside it); choose "
                "another one, or go on with it by --resume"
            )
        self._earlier = self._read() if resume and self.journal.exists() else []

    def run(self, propose: Propose, pipeline: Pipeline) -> Iterator[Progress]:
        """Make and examine candidates, and write the file at the end, however that comes.

        Args:
            propose: The challenger.
            pipeline: The gates.

        Yields:
            How far it is, after each candidate.

        Raises:
            OptionError: If the challenger refuses its options before it has proposed anything.
        """
        for examination in self._earlier:
            pipeline.recall(examination)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.journal.open("a").close()
        except OSError as error:
            raise OptionError(f"Expected to write to {self.path}, got: {error}") from None
        try:
            # Without a buffer nothing is left to be written when a write has failed.
            with self.journal.open("ab", buffering=0) as file:
                if not self._begun:
                    self._write(file, json.dumps({"campaign": self._record}) + "\n")
                yield Progress(len(self.accepted), self._next)
                yield from self._go_on(propose, pipeline, lambda line: self._write(file, line))
        except WriteError:
            # The journal says why; the task file, which is made of it, would only hide that.
            with contextlib.suppress(WriteError):
                save_code_tasks(self.accepted[: self._wanted], self.path)
            raise
        except BaseException as error:
            if isinstance(error, OptionError) and not self._next:
                self.journal.unlink()  # it holds no candidate, and would be in the next one's way
            else:
                save_code_tasks(self.accepted[: self._wanted], self.path)
            raise
        save_code_tasks(self.accepted[: self._wanted], self.path)

    def _write(self, file: IO[bytes], line: str) -> None:
        data = memoryview(line.encode())
        with writing(self.journal, "go on with --resume: the candidates so far are kept"):
            while data:
                data = data[file.write(data) :]

    def _go_on(
        self, propose: Propose, pipeline: Pipeline, write: Callable[[str], None]
    ) -> Iterator[Progress]:
        if len(self.accepted) >= self._wanted or self._next >= self._most:
            return
        numbers = range(self._next, self._most)
        for number, found in zip(numbers, pipeline.challenge(propose, numbers), strict=False):
            write(_to_line(number, found))
            self._next = number + 1
            if found.accepted and found.task is not None:
                self.accepted.append(found.task)
            yield Progress(len(self.accepted), self._next)
            if len(self.accepted) >= self._wanted:
                return

    def _read(self) -> list[Examination]:
        """Read the journal; its last line may be half of one, after a crash, and is dropped."""
        text = self.journal.read_bytes()
        lines = text.split(b"\n")
        if lines[-1]:
            with self.journal.open("r+b") as file:
                file.truncate(len(text) - len(lines[-1]))
        if len(lines) < 2:
            return []
        self._compare(lines[0])
        self._begun = True
        found = []
        for number, line in enumerate(lines[1:-1]):
            examination = _from_line(line, number, f"{self.journal}, line {number + 2}")
            found.append(examination)
            if examination.accepted and examination.task is not None:
                self.accepted.append(examination.task)
        self._next = len(found)
        return found

    def _compare(self, line: bytes) -> None:
        try:
            begun = redact(json.loads(line)["campaign"])
        except (ValueError, KeyError, TypeError):
            raise TaskFileError(
                f"{self.journal}, line 1: expected the record of a campaign; remove the file to "
                "begin anew"
            ) from None
        for key in {**begun, **self._record}:
            if begun.get(key) != self._record.get(key):
                raise OptionError(
                    f"Expected the campaign in {self.journal} to go on with {key}="
                    f"{begun.get(key)!r}, with which it began; got {self._record.get(key)!r}"
                )


def _to_line(number: int, found: Examination) -> str:
    mark = found.fingerprint
    value = {
        "number": number,
        "accepted": found.accepted,
        "seconds": [round(seconds, 6) for seconds in found.seconds],
        "error": None if found.error is None else redact(found.error),
        "signature": mark.signature if mark and found.accepted else None,
        "shingles": sorted(mark.shingles) if mark and found.accepted else None,
        "task": None if found.task is None else found.task.model_dump(mode="json"),
    }
    return json.dumps(value) + "\n"


def _from_line(line: bytes, number: int, where: str) -> Examination:
    try:
        value = json.loads(line)
        if value["number"] != number:
            raise ValueError(f"candidate {value['number']!r} in place of {number}")
        task = value["task"]
        mark = None
        if value["signature"] is not None:
            mark = Fingerprint(value["signature"], frozenset(value["shingles"]))
        return Examination(
            None if task is None else parse_code_task(json.dumps(task), where),
            bool(value["accepted"]),
            tuple(value["seconds"]),
            value["error"],
            mark,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise TaskFileError(
            f"{where}: expected a candidate of the campaign, got {error!r}; remove the lines from "
            "there on to go on from the one before"
        ) from None
