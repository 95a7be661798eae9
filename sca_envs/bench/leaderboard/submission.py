"""A submission: who ran what, with which results; a folder with `submission.json` and the runs.

`docs/leaderboard.md` describes the format, and `docs/submission.schema.json` is its JSON Schema.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from sca_envs.bench.evaluating.results import Results
from sca_envs.bench.plain_files import read_whole
from sca_envs.core.errors import SCAError
from sca_envs.core.strict_json import parse_json

SUBMISSION_NAME = "submission.json"
"""Name of the file in a submission's folder."""

MAX_TRIALS = 1000
"""Most episodes of a task."""
_NAME = re.compile(
    r"(?P<module>[\w./\\: ~+@()-]+):(?P<attribute>(?:\w+|<locals>|<lambda>)(?:\.(?:\w+|<locals>))*)"
)
_JOINERS = "\u200c\u200d"  # which some scripts need within a word
_MOST_MARKS = 4  # on one letter; a tower of them covers the lines above


def is_object_name(text: Any) -> bool:
    """Return whether a text is ``module:name`` or ``file.py:name``, at most 200 characters."""
    return isinstance(text, str) and len(text) <= 200 and _NAME.fullmatch(text) is not None


def _readable(text: str) -> str:
    """Return a text in which a reader sees what is there.

    Raises:
        ValueError: If it has characters that are not seen, or change how others are.
    """
    marks = 0
    for letter in text:
        kind = unicodedata.category(letter)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        hidden = kind in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") and letter not in _JOINERS
        if (hidden and letter not in "\t\r\n") or marks > _MOST_MARKS:
            raise ValueError(f"expected text that a reader sees as it is, got {letter!r} in it")
    if text and not text.strip(" \t\r\n\u00a0\u3000" + _JOINERS):
        raise ValueError("expected some text, got blanks")
    return text


def _one_day(value: Any) -> Any:
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("expected a day as YYYY-MM-DD")
    return value


Line = Annotated[
    str,
    Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*\S[^\x00-\x1f]*$"),
    AfterValidator(_readable),
]
"""One line of text."""
Link = Annotated[
    str,
    Field(
        max_length=500,
        pattern=r"^https?://[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]+)?([/?#][!#-&(-;=?-\[\]-~]*)?$",
    ),
]
"""A web address in ASCII, without a user's name before the host."""
Day = Annotated[
    datetime.date,
    BeforeValidator(_one_day),
    Field(ge=datetime.date(2000, 1, 1), lt=datetime.date(2100, 1, 1)),
]
"""A day that somebody can have submitted something on."""


class SubmissionError(SCAError):
    """A submission cannot be made or read; the message says what is wrong."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Entry(_Model):
    """One run of a submission."""

    folder: Annotated[str, Field(pattern=r"^runs/(0|[1-9][0-9]{0,2})$")]
    """Folder of the run's ``trajectories.jsonl``, relative to the submission's."""
    env_id: str
    """Id of the environment, such as ``sca/TauRetail-v0``."""
    env_options: dict[str, Any]
    """All keyword arguments of `gymnasium.make` that have a value, the defaults included."""
    data: str
    """Which data it ran on, such as ``tau-bench``."""
    split: str
    """Split of the tasks."""
    agent: str
    """Name of the agent."""
    trials: Annotated[int, Field(ge=1, le=MAX_TRIALS)]
    """Episodes a task."""
    results: Results
    """The results as `results.json` has them; ``run`` in it says how to repeat the run."""

    @model_validator(mode="after")
    def _check_results(self) -> Self:
        for k in (*self.results.pass_hat, *self.results.pass_at):
            if not 1 <= k <= MAX_TRIALS:
                raise ValueError(f"expected k of results from 1 to {MAX_TRIALS}, got {k}")
        seed = self.results.run.options.get("seed")
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise ValueError(f"expected an integer from 0 as seed of the run, got {seed!r}")
        return self


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
    date: Day
    """Day of the submission, as ``YYYY-MM-DD``."""
    links: Annotated[list[Link], Field(max_length=20)] = []
    """Web addresses of a paper, code or model."""
    notes: Annotated[str, Field(max_length=5000), AfterValidator(_readable)] = ""
    """Anything else that a reader should know."""
    entries: Annotated[list[Entry], Field(min_length=1, max_length=100)]
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
        value = parse_json(read_whole(path))
        submission = Submission.model_validate(value)
    except OSError as error:
        raise SubmissionError(f"Expected a submission at {path}: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise SubmissionError(f"{path}, {where}: {first['msg']}") from None
    except ValueError as error:
        raise SubmissionError(f"Expected a submission in JSON at {path}, got {error}") from None
    other = _read_otherwise(submission.model_dump(mode="json"), value, "")
    if other is not None:
        raise SubmissionError(
            f"{path}, {other}: expected a value as the schema has it, got another"
        )
    return submission


def _read_otherwise(understood: Any, value: Any, where: str) -> str | None:
    """Return where a value was understood as another one: ``"1"`` or ``true`` as 1, say."""
    if isinstance(understood, dict) and isinstance(value, dict):
        for key, one in value.items():
            at = f"{where}.{key}" if where else str(key)
            if key not in understood or (other := _read_otherwise(understood[key], one, at)):
                return other if key in understood else at
        return None
    if isinstance(understood, list) and isinstance(value, list):
        pairs = enumerate(zip(understood, value, strict=True))
        found = (_read_otherwise(one, other, f"{where}.{n}") for n, (one, other) in pairs)
        return next((other for other in found if other is not None), None)
    whole = isinstance(understood, float) and type(value) is int  # 1 is 1.0 in JSON
    same = type(understood) is type(value) or whole
    return None if same and understood == value else where


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
