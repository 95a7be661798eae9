"""The trajectory: one finished episode as one JSON line.

It holds all that a viewer, a leaderboard or a trainer needs, and enough to run the episode again.
Strings are what the agent wrote, character by character; a lone surrogate, which UTF-8 cannot say,
is a JSON escape. `docs/trajectories.md` describes the format.
"""

from __future__ import annotations

import json
import math
import numbers
from typing import Annotated, Any, Literal, Self, get_args

import pydantic_core
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from sca_envs.core.errors import SCAError
from sca_envs.core.secrets import redact
from sca_envs.core.strict_json import parse_json

FORMAT = "sca_envs.trajectory"
"""Value of the key ``format`` in every line."""
VERSION = 1
"""Version of the format; it grows when a reader of the old one would misread the new one."""

ErrorKind = Literal[
    "agent_error",
    "agent_timeout",
    "infrastructure_error",
    "user_error",
    "environment_error",
    "verifier_error",
]
AGENT_TIMEOUT: Literal["agent_timeout"] = "agent_timeout"
"""The kind of an episode whose agent took longer than it may; it counts with reward 0."""
INFRASTRUCTURE_ERROR: Literal["infrastructure_error"] = "infrastructure_error"
"""The kind of those that a resumed run plays again; see `InfrastructureError`."""


class TrajectoryError(SCAError):
    """A line is no trajectory, or one of a version that this package cannot read."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class RecordChange(_Model):
    """One difference that a turn made to the database."""

    table: str
    """Name of the table."""
    record: str
    """Key of the record."""
    field: str = ""
    """Where in the record, as a JSON Pointer such as ``/address/city``; empty for all of it."""
    kind: Literal["add", "remove", "change"]
    """Whether the value is new, gone or another one."""
    before: Any = None
    """The value before the turn; left out where `kind` is ``add``."""
    after: Any = None
    """The value after the turn; left out where `kind` is ``remove``."""


TokenId = Annotated[int, Field(ge=0, lt=2**63)]
"""Number of a token in a vocabulary."""
Options = Annotated[dict[str, Any], BeforeValidator(lambda value: redact(value))]
"""Options without the keys and passwords in them."""


class TrajectoryTurn(_Model):
    """One action of the agent and what came of it."""

    action: str
    """What the agent wrote, as it wrote it."""
    observation: str
    """What the agent read next."""
    source: str
    """Where that came from: ``user``, the name of a tool, ``code`` or ``environment``."""
    reward: float = 0.0
    """The reward of this turn."""
    changes: list[RecordChange] = []
    """What this turn changed in the database, sorted by path."""
    token_ids: list[TokenId] | None = None
    """Tokens that the model generated in this turn, if the agent tells."""
    logprobs: list[float | None] | None = None
    """Their log-probabilities under the policy that sampled them, in nats; null where unknown or
    not finite."""


class Tokens(_Model):
    """The whole episode as the tokens that the model read and wrote, never tokenised again."""

    ids: list[TokenId]
    """Token ids, prompt and replies in order."""
    mask: list[int]
    """1 where the model wrote the token, 0 where it read it; as long as `ids`."""
    logprobs: list[float | None] | None = None
    """Log-probabilities, in nats; null where the mask is 0. As long as `ids`."""

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        logprobs = self.ids if self.logprobs is None else self.logprobs
        if not len(self.ids) == len(self.mask) == len(logprobs):
            raise ValueError(
                "Expected ids, mask and logprobs of one length; got "
                f"{len(self.ids)}, {len(self.mask)} and {len(logprobs)}"
            )
        return self


MOST = 10**12
"""Largest number of tokens, requests or seconds of an episode that is believed."""
MAX_COST = 1e9
"""Largest price of an episode that is believed, in US dollars."""
_RECORDED = {"recorded": True}
"""Context of the validation of a line, which must say nothing but what was written."""


def _plausible_count(value: Any, info: ValidationInfo) -> Any:
    """Return a count, or 0, which means unknown, for what cannot be one."""
    if info.context == _RECORDED:
        return value
    number = _plausible_number(value, info)
    return int(number) if number is not None and number == int(number) else 0


def _plausible_number(value: Any, info: ValidationInfo) -> Any:
    """Return a number from 0 to `MOST`, or None for anything else."""
    if info.context == _RECORDED:
        return value
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return None
    number: Any = value
    return (number if isinstance(value, int) else float(number)) if 0 <= number <= MOST else None


def _plausible_cost(value: Any, info: ValidationInfo) -> Any:
    number = _plausible_number(value, info)
    if info.context == _RECORDED:
        return value
    return None if number is None or number > MAX_COST else number


Count = Annotated[int, Field(ge=0, le=MOST), BeforeValidator(_plausible_count)]
Seconds = Annotated[
    float | None, Field(ge=0, le=MOST, allow_inf_nan=False), BeforeValidator(_plausible_number)
]
Cost = Annotated[
    float | None, Field(ge=0, le=MAX_COST, allow_inf_nan=False), BeforeValidator(_plausible_cost)
]


class Usage(_Model):
    """What an episode cost whoever played it.

    A server can report anything, and a number that cannot be right (negative, not finite, of
    another type, above `MOST`) is taken for unknown. In a trajectory it is an error.
    """

    model_config = ConfigDict(validate_assignment=True, revalidate_instances="always")

    prompt_tokens: Count = 0
    """Tokens that the model read, over all requests; 0 where unknown."""
    completion_tokens: Count = 0
    """Tokens that the model wrote; 0 where unknown."""
    cost: Cost = None
    """Price in US dollars; null where unknown."""
    seconds: Seconds = None
    """Time spent in the model, in seconds; null where unknown."""
    requests: Count = 0
    """Requests to the model."""
    errors: Count = 0
    """Requests that failed and were tried again."""


class EpisodeError(_Model):
    """Why an episode broke off that neither the agent's actions nor a limit ended."""

    kind: ErrorKind
    """Whose error it is; ``agent_error`` and ``agent_timeout`` count as failures of the agent."""
    type: str
    """Name of the exception's class."""
    message: str
    """Its text."""


class Trajectory(_Model):
    """One finished episode."""

    env_id: str
    """Id of the environment, such as ``sca/TauRetail-v0``."""
    env_options: Options = {}
    """Keyword arguments of `gymnasium.make`, also those that were not given and have a default. A
    user that is no built-in one is written ``module:name``."""
    user_options: Options = {}
    """Options that a user of your own was made with."""
    unsafe_sandbox: bool = False
    """Whether it was played under ``SCA_SANDBOX=unsafe``, with nothing between code and host."""
    domain: str
    """Name of the domain, such as ``tau_retail``."""
    data: str
    """Which data it ran on, such as ``generated:0`` or ``tau-bench``."""
    data_digest: str
    """sha256 of the initial tables' canonical JSON, as hex digits."""
    task_id: str
    """Id of the task."""
    task_digest: str | None = None
    """sha256 of the task's canonical JSON, as hex digits; another one means that another version of
    the generator, or of the task file, made the task."""
    split: str
    """Split of the task."""
    instruction: str = ""
    """What the user wanted, as prose; the agent may not have seen it."""
    trial: int = 0
    """Which repetition of the task, from 0."""
    seed: int
    """Seed of the reset, which a replay needs."""
    agent: str
    """Name of the agent."""
    agent_options: Options = {}
    """Options that the agent was made with, keys and passwords redacted."""
    opening: str
    """The first observation."""
    messages: list[dict[str, Any]]
    """The conversation as OpenAI chat messages with tool calls; the first one is the system
    message with the policy. The tools' schemas are those of `domain` on `data`."""
    turns: list[TrajectoryTurn]
    """The actions in order."""
    reward: float
    """Sum of the rewards."""
    reward_components: dict[str, float] = {}
    """What the verdict was made of."""
    termination_reason: str
    """Why the episode ended, such as ``user_stop``, ``max_turns`` or ``agent_error``."""
    truncated: bool = False
    """Whether a limit ended it."""
    usage: Usage | None = None
    """What it cost the agent, if it tells."""
    user_usage: Usage | None = None
    """What it cost the user simulator, if it tells."""
    tokens: Tokens | None = None
    """The episode in tokens, if the agent tells."""
    error: EpisodeError | None = None
    """What broke off the episode, if something did."""

    @property
    def success(self) -> bool:
        """Whether the reward is 1, within 1e-6 as in tau-bench."""
        return abs(self.reward - 1) <= 1e-6

    @property
    def counts(self) -> bool:
        """Whether the episode tells about the agent: false after an error that was not its own."""
        return self.termination_reason not in EXCLUDED

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of the line; what has its default value is left out."""
        return {"format": FORMAT, "version": VERSION, **self.model_dump(exclude_defaults=True)}

    def to_line(self) -> str:
        """Return the line, without a line break at its end."""
        return to_json(self.to_dict()).decode()

    @classmethod
    def from_line(cls, line: str | bytes) -> Self:
        """Return the trajectory of a line.

        Raises:
            TrajectoryError: If it is none, or of a later version; the message says what is wrong.
        """
        try:
            value = parse_json(line)
        except ValueError as error:
            raise TrajectoryError(f"expected a trajectory in JSON, got {error}") from None
        return cls.from_dict(value)

    @classmethod
    def from_dict(cls, value: Any) -> Self:
        """Return the trajectory of a JSON object.

        Raises:
            TrajectoryError: If it is none, or of a later version; the message says what is wrong.
        """
        fields = check_header(value)
        try:
            return cls.model_validate(fields, strict=True, context=_RECORDED)  # "1.0" is no number
        except ValidationError as error:
            problems = [
                f"{'.'.join(map(str, item['loc']))}: {item['msg']}"
                for item in error.errors(include_url=False, include_input=False)[:3]
            ]
            raise TrajectoryError(f"expected a trajectory; {'; '.join(problems)}") from None


EXCLUDED: frozenset[str] = frozenset(get_args(ErrorKind)) - {"agent_error", AGENT_TIMEOUT}
"""Reasons of an end that say nothing about the agent: such an episode is counted, not scored."""


def check_header(value: Any) -> dict[str, Any]:
    """Return a line's fields after a look at its format and version.

    Raises:
        TrajectoryError: If it is no trajectory, or one that this version cannot read.
    """
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        got = value.get("format") if isinstance(value, dict) else type(value).__name__
        raise TrajectoryError(f'expected an object with "format": "{FORMAT}", got {got!r}')
    version = value.get("version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise TrajectoryError(f'expected an integer from 1 as "version", got {version!r}')
    if version > VERSION:
        raise TrajectoryError(
            f"expected version {VERSION} of the format, got the later version {version}; "
            "upgrade sca-envs to read it"
        )
    return {key: item for key, item in value.items() if key not in ("format", "version")}


def to_json(value: Any) -> bytes:
    """Return compact JSON in UTF-8; numbers that JSON does not have become null.

    Text with a lone surrogate, which UTF-8 cannot say, makes it ASCII with escapes instead.
    """
    try:
        # Two to three times as fast as the standard library, whose speed an evaluation would feel.
        return pydantic_core.to_json(value, inf_nan_mode="null")
    except ValueError:
        text = json.dumps(_finite(value), separators=(",", ":"), allow_nan=False)
        return text.encode("ascii")


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a line (draft 2020-12)."""
    schema = Trajectory.model_json_schema()
    header = {
        "format": {"const": FORMAT, "description": "What the line is."},
        "version": {"const": VERSION, "description": "Version of the format."},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Trajectory",
        "properties": header | schema["properties"],
        "required": [*header, *schema["required"]],
    }
