"""Playing one episode step by step while its trajectory is written down.

This is the hot path of an evaluation, so it makes plain dicts in the shape of
`sca_envs.bench.trajectories.trajectory.Trajectory` instead of validating what it has just made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from sca_envs.bench.agents import AgentReport, TurnTokens
from sca_envs.bench.evaluating.guarded_user import USER_ERROR, GuardedUser
from sca_envs.bench.trajectories.trajectory import (
    AGENT_TIMEOUT,
    EXCLUDED,
    FORMAT,
    INFRASTRUCTURE_ERROR,
    VERSION,
    ErrorKind,
    TokenId,
    Tokens,
    Usage,
    to_json,
)
from sca_envs.core.code_runner import is_unsafe
from sca_envs.core.database import Change, Snapshot
from sca_envs.core.errors import InfrastructureError, SCAError
from sca_envs.core.secrets import redact
from sca_envs.envs.tool_use import ToolUseEnv


class EpisodeSpec(NamedTuple):
    """One episode to play."""

    task_id: str
    trial: int
    """Which repetition of the task, from 0."""
    seed: int
    """Seed of the reset."""

    @property
    def episode_id(self) -> str:
        """Unique within a run."""
        return f"{self.task_id}#{self.trial}"


class Summary(NamedTuple):
    """What the results of a run need of an episode."""

    task_id: str
    trial: int
    reward: float
    components: dict[str, float]
    termination_reason: str
    turns: int
    usage: dict[str, Any] | None
    user_usage: dict[str, Any] | None

    @classmethod
    def of(cls, trajectory: Mapping[str, Any]) -> Summary:
        """Return the summary of a trajectory's JSON object."""
        return cls(
            trajectory["task_id"],
            trajectory.get("trial", 0),
            trajectory["reward"],
            trajectory.get("reward_components", {}),
            trajectory["termination_reason"],
            len(trajectory["turns"]),
            trajectory.get("usage"),
            trajectory.get("user_usage"),
        )

    @property
    def success(self) -> bool:
        """Whether the reward is 1, within 1e-6 as in tau-bench."""
        return abs(self.reward - 1) <= 1e-6

    @property
    def counts(self) -> bool:
        """Whether the episode tells about the agent; see `Trajectory.counts`."""
        return self.termination_reason not in EXCLUDED

    @property
    def missing(self) -> bool:
        """Whether the infrastructure broke it off, so that a resumed run plays it again."""
        return self.termination_reason == INFRASTRUCTURE_ERROR


class EpisodeRecord(NamedTuple):
    """A finished episode on its way to the file."""

    spec: EpisodeSpec
    line: bytes
    """Its trajectory."""
    summary: Summary
    problem: str | None
    """The traceback of what broke it off, if something did."""


class AgentTimeoutError(Exception):
    """An agent took longer in an episode than it may.

    Args:
        seconds: How long it may take.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the agent took longer than {seconds:g} s")


class Recording:
    """One running episode.

    Args:
        env: The environment, which nobody else uses until the end of the episode.
        spec: What to play.
        header: What all trajectories of the run have in common.
    """

    def __init__(self, env: ToolUseEnv, spec: EpisodeSpec, header: Mapping[str, Any]) -> None:
        self._env, self.spec, self._header = env, spec, header
        self._turns: list[dict[str, Any]] = []
        self._before: Snapshot | None = None
        self._reward = 0.0
        self._truncated = False
        self._error: tuple[ErrorKind, Exception] | None = None
        self._begun = False
        self.observation = ""
        """The newest observation."""
        self.info: dict[str, Any] = {}
        """The newest info, with what `Agent` says about evaluation."""
        self.done = False
        """Whether the episode is over."""
        self.agent_seconds = 0.0
        """How long it waited for the agent, if that is counted."""
        self._extra = {
            "episode_id": spec.episode_id,
            "trial": spec.trial,
            "seed": spec.seed,
            "action_format": header["env_options"]["action_format"],
        }

    @property
    def turns_played(self) -> int:
        """Number of actions taken."""
        return len(self._turns)

    @property
    def error(self) -> Exception | None:
        """What broke off the episode, if something did."""
        return self._error[1] if self._error else None

    def begin(self) -> None:
        """Reset the environment."""
        env = self._env
        try:
            observation, info = env.reset(seed=self.spec.seed, options={"task": self.spec.task_id})
        except SCAError:  # the task or the data is gone: nothing that another episode would survive
            raise
        except Exception as error:
            self.fail("environment_error", error)
            return
        self._begun = True
        self._before = env.episode.database.snapshot()
        self.observation, self.info = observation, info | self._extra
        self._look_at_user()

    def step(self, action: Any) -> None:
        """Take one turn of the agent; what is no string is the agent's error."""
        if not isinstance(action, str):
            kind = type(action).__name__
            self.fail("agent_error", TypeError(f"Expected act to return a str, got {kind}"))
            return
        action = redact(join_surrogates(action), spoken=True)
        env = self._env
        try:
            observation, reward, terminated, truncated, info = env.step(action)
        except Exception as error:
            self.fail("environment_error", error)
            return
        turn = {"action": action, "observation": observation, "source": info["source"]}
        if reward:
            turn["reward"] = float(reward)
            self._reward += reward
        database = env.episode.database
        changes = database.diff(self._before)
        if changes:
            turn["changes"] = [_change(change) for change in changes]
            self._before = database.snapshot()
        self._turns.append(turn)
        info |= self._extra
        self.observation, self.info = observation, info
        self._truncated = truncated
        self.done = terminated or truncated
        if self.done:
            self._look_at_user()

    def fail(self, kind: ErrorKind, error: Exception) -> None:
        """End the episode because of an error; one of the infrastructure is nobody else's."""
        self._error = INFRASTRUCTURE_ERROR if _is_infrastructures(error) else kind, error
        self.done = True

    def expire(self, seconds: float) -> None:
        """End the episode because its agent took longer than so many seconds."""
        self.fail(AGENT_TIMEOUT, AgentTimeoutError(seconds))

    def _look_at_user(self) -> None:
        user = self._env.episode.user
        if isinstance(user, GuardedUser) and user.failure is not None:
            if self._turns:  # what the verifier said does not count
                self._turns[-1].pop("reward", None)
            self.fail(USER_ERROR, user.failure)  # type: ignore[arg-type]

    def finish(self, report: AgentReport | None = None) -> tuple[bytes, Summary]:
        """Return the trajectory's line and the summary of the episode.

        Args:
            report: What the agent tells about the episode.

        Raises:
            SCAError: If the report does not fit the episode.
        """
        end = self._end()
        end |= self._reported(report or AgentReport())
        env = self._env
        messages = env.episode.messages() if self._begun else []
        begin = self._begin_of_line()
        line = to_json(begin | {"messages": messages, "turns": self._turns} | end)
        summary = Summary(
            self.spec.task_id,
            self.spec.trial,
            end["reward"],
            end.get("reward_components", {}),
            end["termination_reason"],
            len(self._turns),
            end.get("usage"),
            end.get("user_usage"),
        )
        return line, summary

    def _begin_of_line(self) -> dict[str, Any]:
        env, spec = self._env, self.spec
        task = env.episode.task if self._begun else env.tasks.find(spec.task_id)
        domain = env.domains[task.domain]
        made = {
            "format": FORMAT,
            "version": VERSION,
            **self._header,
            **({"unsafe_sandbox": True} if is_unsafe() else {}),
            "domain": domain.name,
            "data": domain.data,
            "data_digest": domain.base.digest(),
            "task_id": spec.task_id,
            "task_digest": task.digest,
            "split": task.split,
        }
        if task.instruction:
            made["instruction"] = task.instruction
        if spec.trial:
            made["trial"] = spec.trial
        made["seed"] = spec.seed
        made["opening"] = env.episode.opening if self._begun else ""
        return made

    def _end(self) -> dict[str, Any]:
        if self._error is not None:
            kind, error = self._error
            message = redact(join_surrogates(_say(error)[:_LONGEST_MESSAGE]))
            return {
                "reward": 0.0,
                "termination_reason": kind,
                "error": {"kind": kind, "type": type(error).__name__, "message": message},
            }
        episode = self._env.episode
        end: dict[str, Any] = {"reward": self._reward}
        if episode.components:
            end["reward_components"] = dict(episode.components)
        end["termination_reason"] = episode.termination_reason
        if self._truncated:
            end["truncated"] = True
        return end

    def _reported(self, report: AgentReport) -> dict[str, Any]:
        told: dict[str, Any] = {}
        if report.usage is not None:
            told["usage"] = self._checked(_USAGE, report.usage, "an agent's report")
        user = self._env.episode.user if self._begun else None
        if isinstance(user, GuardedUser) and (usage := user.usage()) is not None:
            told["user_usage"] = self._checked(_USAGE, usage, "a user's usage()")
        if report.tokens is not None:
            told["tokens"] = self._checked(_TOKENS, report.tokens, "an agent's report")
        if report.turns:
            self._add_tokens(report.turns)
        return told

    def _add_tokens(self, turns: list[TurnTokens]) -> None:
        # The last one may have been generated before an error kept it from being played.
        if len(turns) not in (len(self._turns), len(self._turns) + bool(self._error)):
            raise SCAError(
                f"Expected an agent to report the tokens of {len(self._turns)} turns of episode "
                f"{self.spec.episode_id}; got those of {len(turns)}"
            )
        for turn, tokens in zip(self._turns, turns, strict=False):
            turn["token_ids"] = self._checked(_IDS, tokens.ids, "an agent's report")
            if tokens.logprobs is not None:
                turn["logprobs"] = self._checked(_LOGPROBS, tokens.logprobs, "an agent's report")

    def _checked(self, kind: TypeAdapter[Any], value: Any, source: str) -> Any:
        """Return what was reported as JSON that can be read again."""
        try:
            return kind.dump_python(kind.validate_python(value), exclude_defaults=True)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"])) or type(value).__name__
            raise SCAError(
                f"Expected {source} on episode {self.spec.episode_id} as AgentReport, Usage and "
                f"Tokens describe it; {where}: {first['msg']}"
            ) from None


_LONGEST_MESSAGE = 10_000
"""Characters of an error that a trajectory keeps."""
_USAGE, _TOKENS = TypeAdapter(Usage), TypeAdapter(Tokens)
_IDS, _LOGPROBS = TypeAdapter(list[TokenId]), TypeAdapter(list[float | None])


def _say(error: BaseException) -> str:
    """Return an error's text; one of an agent's own may fail even at that."""
    try:
        return str(error)
    except Exception as another:
        return f"an error that has no text ({type(another).__name__})"


def _is_infrastructures(error: BaseException | None) -> bool:
    """Return whether an error is an `InfrastructureError`, or was raised from one."""
    while error is not None and not isinstance(error, InfrastructureError):
        error = error.__cause__
    return error is not None


def join_surrogates(text: str) -> str:
    """Return a text as it is read back from JSON, where a surrogate pair is one character."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    return text


def _change(change: Change) -> dict[str, Any]:
    """Return a difference as `RecordChange` has it."""
    _, table, record, *rest = change.path.split("/")
    made: dict[str, Any] = {"table": _unescape(table), "record": _unescape(record)}
    if rest:
        made["field"] = f"/{'/'.join(rest)}"
    made["kind"] = change.kind
    if change.before is not None:
        made["before"] = change.before
    if change.after is not None:
        made["after"] = change.after
    return made


def _unescape(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")
