"""A submission: who ran what, with which results; a folder with `submission.json` and the runs.

`docs/leaderboard.md` describes the format, and `docs/submission.schema.json` is its JSON Schema.
"""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sca_envs.bench.evaluating.results import Results
from sca_envs.core.errors import SCAError

SUBMISSION_NAME = "submission.json"
"""Name of the file in a submission's folder."""

Line = Annotated[
    str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*\S[^\x00-\x1f]*$")
]
"""One line of text."""


class SubmissionError(SCAError):
    """A submission cannot be made or read; the message says what is wrong."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Entry(_Model):
    """One run of a submission."""

    folder: Annotated[str, Field(pattern=r"^runs/[0-9]{1,3}$")]
    """Folder of the run's ``trajectories.jsonl``, relative to the submission's."""
    env_id: str
    """Id of the environment, such as ``sca/TauRetail-v0``."""
    env_options: dict[str, Any]
    """Keyword arguments of `gymnasium.make` beside the defaults."""
    data: str
    """Which data it ran on, such as ``tau-bench``."""
    split: str
    """Split of the tasks."""
    agent: str
    """Name of the agent."""
    trials: Annotated[int, Field(ge=1, le=1000)]
    """Episodes a task."""
    results: Results
    """The results as `results.json` has them; ``run`` in it says how to repeat the run."""

    @model_validator(mode="after")
    def _has_seed(self) -> Self:
        seed = self.results.run.options.get("seed")
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise ValueError(f"expected an integer from 0 as seed of the run, got {seed!r}")
        return self

    @property
    def user(self) -> str:
        """Who spoke to the agent."""
        return str(self.env_options.get("user", "scripted"))


class Submission(_Model):
    """Runs of one system, as its authors describe it."""

    format: Literal["sca_envs.submission"] = "sca_envs.submission"
    """What the object is."""
    version: Literal[1] = 1
    """Version of the format."""
    name: Line
    """Name of the system, such as ``ReAct with self-checks``."""
    model: Line
    """The model that it stands on, with its version."""
    organization: Line
    """Who submits it."""
    date: datetime.date
    """Day of the submission, as ``YYYY-MM-DD``."""
    links: list[Annotated[str, Field(max_length=500, pattern=r"^https?://[^\s<>\"']+$")]] = []
    """Web addresses of a paper, code or model."""
    notes: Annotated[str, Field(max_length=5000)] = ""
    """Anything else that a reader should know."""
    entries: Annotated[list[Entry], Field(min_length=1)]
    """The runs."""

    def save(self, folder: Path) -> Path:
        """Write `submission.json` into a folder and return its path."""
        path = folder / SUBMISSION_NAME
        text = json.dumps(self.model_dump(mode="json"), indent=1)
        path.write_text(f"{text}\n", encoding="ascii", newline="\n")
        return path


def load_submission(folder: str | os.PathLike[str]) -> Submission:
    """Read the submission of a folder.

    Raises:
        SubmissionError: If there is none or it does not follow the schema; the message names the
            first field that does not.
    """
    path = Path(folder) / SUBMISSION_NAME
    try:
        return Submission.model_validate_json(path.read_bytes())
    except OSError as error:
        raise SubmissionError(f"Expected a submission at {path}: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise SubmissionError(f"{path}, {where}: {first['msg']}") from None


def find_submissions(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield the folders of submissions in a folder, or the folder itself if it is one.

    Raises:
        SubmissionError: If there is none.
    """
    folder = Path(folder)
    if (folder / SUBMISSION_NAME).is_file():
        yield folder
        return
    found = sorted(path.parent for path in folder.glob(f"*/{SUBMISSION_NAME}"))
    if not found:
        raise SubmissionError(
            f"Expected {SUBMISSION_NAME} in {folder} or in folders of it, found none; "
            "`sca leaderboard add RUN` makes one"
        )
    yield from found


def submission_schema() -> dict[str, Any]:
    """Return the JSON Schema of `submission.json` (draft 2020-12)."""
    schema = Submission.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
