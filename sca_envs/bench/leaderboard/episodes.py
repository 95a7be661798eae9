"""Verification of single episodes: what each says of itself, and what running it again gives."""

from __future__ import annotations

from collections.abc import Iterator

from sca_envs.bench.evaluating.plan import episode_seed
from sca_envs.bench.evaluating.player import AGENTS, PlayerSpec
from sca_envs.bench.evaluating.recording import EpisodeSpec
from sca_envs.bench.leaderboard.conditions import Conditions, baseline
from sca_envs.bench.leaderboard.problems import Problem, differs, episode_place
from sca_envs.bench.leaderboard.submission import Entry
from sca_envs.bench.loading import Factory
from sca_envs.bench.trajectories.replay import Replayer
from sca_envs.bench.trajectories.trajectory import INFRASTRUCTURE_ERROR, Trajectory
from sca_envs.core.database import same_json
from sca_envs.core.engines import LocalEngine

_LARGEST_LOGPROB = 0.01  # 0, and what rounding in a model's arithmetic adds


class EpisodeChecker:
    """Checks the episodes of one entry.

    Args:
        entry: The entry; its environment and options were found to be right.
    """

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self._options = entry.results.run.options
        self._scripted = Conditions.of(entry.results.run).user_verified
        self._replayer = Replayer()  # keeps the environment
        self._baseline = baseline(entry.agent) if self._scripted else None

    def check(self, episode: Trajectory) -> Iterator[Problem]:
        """Yield what is wrong with an episode; it is one of the run's."""
        where = episode_place(self._entry, episode.task_id, episode.trial)
        try:
            yield from self._check_claims(where, episode)
            yield from self._check_numbers(where, episode)
            yield from self._check_replay(where, episode)
        except Exception as error:  # whatever a stranger wrote, it is no error of the verifier
            yield Problem(where, f"it cannot be run again: {type(error).__name__}: {error}")

    def _check_claims(self, where: str, episode: Trajectory) -> Iterator[Problem]:
        entry, options = self._entry, self._options
        claims = {
            "env_id": entry.env_id,
            "env_options": entry.env_options,
            "user_options": options["user_options"],
            "data": entry.data,
            "split": entry.split,
            "agent": entry.agent,
            "agent_options": options["agent_options"],
            "seed": episode_seed(options["seed"], episode.task_id, episode.trial),
        }
        for name, value in claims.items():
            if not same_json(getattr(episode, name), value):
                yield differs(f"{where}, {name}", value, getattr(episode, name))
        if episode.unsafe_sandbox:
            yield Problem(where, "it was played under SCA_SANDBOX=unsafe; play it in the sandbox")

    def _check_numbers(self, where: str, episode: Trajectory) -> Iterator[Problem]:
        """Find what no episode has, among what a replay does not give."""
        error, reason = episode.error, episode.termination_reason
        kind = None if error is None else error.kind
        if kind != reason and (kind is not None or reason == "agent_error"):
            yield Problem(f"{where}, error", f"expected that of the end, {reason}; got {kind}")
        if episode.user_usage is not None and self._scripted:
            yield Problem(f"{where}, user_usage", "expected none: the built-in user costs nothing")
        if episode.usage is not None and baseline(episode.agent) is not None:
            yield Problem(f"{where}, usage", "expected none: the built-in agent costs nothing")
        for number, turn in enumerate(episode.turns):
            ids, logprobs = turn.token_ids, turn.logprobs
            if logprobs is not None and len(logprobs) != len(ids or ()):
                yield Problem(f"{where}, turn {number}, logprobs", "expected one for each token")
            yield from _check_tokens(f"{where}, turn {number}", ids, logprobs)
        if episode.tokens is not None:
            tokens = episode.tokens
            yield from _check_tokens(f"{where}, tokens", tokens.ids, tokens.logprobs)
            if not set(tokens.mask) <= {0, 1}:
                yield Problem(f"{where}, tokens", "expected a mask of 0 and 1")

    def _check_replay(self, where: str, episode: Trajectory) -> Iterator[Problem]:
        entry = self._entry
        if episode.env_id != entry.env_id or not same_json(episode.env_options, entry.env_options):
            return  # nobody can say what this would replay
        if episode.termination_reason == INFRASTRUCTURE_ERROR:
            what = f"the episode is missing: {INFRASTRUCTURE_ERROR} broke it off; play it again"
            yield Problem(where, what)
            return
        if not episode.counts:
            reason = episode.termination_reason
            what = (
                f"expected an episode that counts, got one that {reason} broke off; play it again"
            )
            yield Problem(where, what)
            return
        again = self._replayer.replay(episode)
        if again.other_version:
            what = f"{again.differences[0]}; verify it with the version that played it"
            yield Problem(where, what)
            return
        for difference in again.differences:
            yield Problem(where, str(difference))
        if self._baseline is not None and episode.agent == entry.agent:
            yield from self._ask_again(where, episode)

    def _ask_again(self, where: str, episode: Trajectory) -> Iterator[Problem]:
        """Compare the actions with those of the built-in agent that they are said to be of."""
        assert self._baseline is not None
        options = self._options["agent_options"]
        player = PlayerSpec(
            env_id=self._entry.env_id,
            env_options=self._entry.env_options,
            agent=Factory("agent", AGENTS[self._baseline], options),
            agent_name=self._entry.agent,
        )
        spec = EpisodeSpec(episode.task_id, episode.trial, episode.seed)
        ((_, record),) = LocalEngine().run(player, [spec])
        again = Trajectory.from_line(record.line)
        actions = [turn.action for turn in again.turns]
        for number, turn in enumerate(episode.turns):
            right = actions[number] if number < len(actions) else None
            if turn.action != right:
                what = f"the agent {self._baseline} does not act so"
                yield Problem(f"{where}, turn {number}, action", what)
                return
        if len(actions) > len(episode.turns):
            what = f"the agent {self._baseline} goes on for {len(actions)} turns"
            yield Problem(f"{where}, turns", what)


def _check_tokens(
    where: str, ids: list[int] | None, logprobs: list[float | None] | None
) -> Iterator[Problem]:
    if any(one < 0 for one in ids or ()):
        yield Problem(where, "expected token ids from 0")
    if any(one is not None and one > _LARGEST_LOGPROB for one in logprobs or ()):
        yield Problem(where, "expected log-probabilities up to 0")
