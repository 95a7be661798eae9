"""The game of self-challenging: one agent makes a task, another solves it."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pettingzoo.utils.conversions import turn_based_aec_to_parallel
from pettingzoo.utils.wrappers import OrderEnforcingWrapper

from sca_envs.challenge.task import CodeAsTask
from sca_envs.challenge.workshop import Workshop, accepted_tasks
from sca_envs.core.actions import Action
from sca_envs.core.episode import Episode, Outcome
from sca_envs.core.errors import OptionError
from sca_envs.envs.challenger import ChallengerEnv
from sca_envs.envs.code_as_task import CodeAsTaskEnv
from sca_envs.envs.pettingzoo.text_game import TextGame
from sca_envs.envs.registration import environment_class, make_env
from sca_envs.envs.render import render_text, show
from sca_envs.envs.spaces import AssistantTurn, Text
from sca_envs.envs.tool_use import ToolUseEnv

CHALLENGER, EXECUTOR = "challenger_0", "executor_0"


class raw_env(TextGame):  # noqa: N801 (PettingZoo's name for it)
    """Make a task that is worth solving, or solve it.

    ## Description
    "Self-Challenging Language Model Agents" (Zhou et al., 2025, arXiv:2506.01716) as a game of two.
    `challenger_0` plays an episode of a challenger environment, such as
    `sca/TauRetailChallenger-v0`: it explores the world, and submits tasks until the gates accept
    one. Then `executor_0` plays an episode of `sca/CodeAsTask-v0` with that task.

    ## Action Space
    Text: turns of those environments, in the action format. `sample()` draws valid tool calls; the
    challenger's submissions among them are flawed.

    ## Observation Space
    Text: what the agents of those environments read. The executor reads nothing before its task,
    and the challenger nothing more after it. `infos[agent]` is the environment's `info`, empty
    before the agent's episode has begun.

    ## Rewards
    0 until the end. Then, with `r` the verdict on the executor's episode, by `payoff`:

    | `payoff` | challenger | executor | no task was accepted |
    |---|---|---|---|
    | `zero_sum` | `1 - 2r` | `2r - 1` | -1 and 1 |
    | `cooperative` | `r` | `r` | 0 and 0 |
    | `separate` | the challenger environment's reward | `r` | its reward and 0 |

    An accepted task is solvable, for the gates ran its solution; so a challenger that is paid for
    the executor's failure cannot get by with nonsense.

    ## Starting State
    `reset(seed=…)` draws where the challenger begins as its environment's `reset` does from the
    same seed; `reset(options={"task": id or index})` chooses it.

    ## Episode End
    For both agents at once: with the challenger's episode if no task was accepted in it, else with
    the executor's. Truncated if that one reached its limit of turns.

    ## Arguments
    ```python
    from sca_envs.envs.pettingzoo import self_challenge_v0

    env = self_challenge_v0.env("sca/TauAirlineChallenger-v0", submissions=5)
    ```

    | argument | default | meaning |
    |---|---|---|
    | `env_id` | `"sca/TauRetailChallenger-v0"` | the challenger's environment |
    | `payoff` | `"zero_sum"` | `"zero_sum"`, `"cooperative"` or `"separate"` |
    | `user` | `"none"` | who speaks to the executor: a name, a class or a function that makes one |
    | `action_format` | `"json"` | how both agents write their turns |
    | `max_turns` | `30` | most actions of each agent |
    | `render_mode` | `None` | `"ansi"` or `"human"` |
    | further ones | | the challenger environment's options, but `wanted` |

    ## Version History
    - v0: first version.
    """

    metadata: ClassVar[dict[str, Any]] = {**TextGame.metadata, "name": "self_challenge_v0"}

    def __init__(
        self,
        env_id: str = "sca/TauRetailChallenger-v0",
        *,
        payoff: str = "zero_sum",
        user: Any = "none",
        action_format: str = "json",
        max_turns: int = 30,
        render_mode: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(payoff, render_mode)
        shared: dict[str, Any] = {"action_format": action_format, "max_turns": max_turns}
        self._executor_options = {"user": user, **shared}
        self._envs: dict[str, ToolUseEnv] = {CHALLENGER: _challenger_env(env_id, shared, options)}
        self._episodes: dict[str, Episode] = {}
        self.possible_agents = [CHALLENGER, EXECUTOR]
        self._observation_spaces = {agent: Text() for agent in self.possible_agents}
        workshop = self._envs[CHALLENGER].domain
        assert isinstance(workshop, Workshop)
        self._action_spaces = {
            CHALLENGER: self._envs[CHALLENGER].action_space,
            EXECUTOR: AssistantTurn(workshop.made_for, action_format),
        }

    @property
    def task(self) -> CodeAsTask | None:
        """The accepted task; None before there is one."""
        accepted = accepted_tasks(self._episodes[CHALLENGER].database)
        return accepted[0] if accepted else None

    @property
    def episodes(self) -> dict[str, Episode]:
        """The episodes that have begun, by agent."""
        return dict(self._episodes)

    def render_action(self, action: Action) -> str:
        """Return an action of either agent as text; see `ToolUseEnv.render_action`."""
        return self._envs[CHALLENGER].render_action(action)

    def _begin(self, rng: np.random.Generator, options: dict[str, Any]) -> str:
        env = self._envs[CHALLENGER]
        self._episodes = {CHALLENGER: env.begin(*env.draw(rng, options))}
        self._seeds = rng
        self._show_turn(CHALLENGER, opening=True)
        return CHALLENGER

    def _act(self, agent: str, action: str) -> str:
        episode = self._episodes[agent]
        outcome = episode.step(self._envs[agent].parse(action))
        self._show_turn(agent)
        if not episode.done:
            return agent
        if agent == CHALLENGER and self.task is not None:
            self._challenge_reward = outcome.reward
            return self._challenge(self.task)
        self._pay(agent, outcome)
        return agent

    def _challenge(self, task: CodeAsTask) -> str:
        """Begin the executor's episode."""
        env = CodeAsTaskEnv(tasks=task, **self._executor_options)
        self._envs[EXECUTOR] = env
        self._episodes[EXECUTOR] = env.begin(*env.draw(self._seeds))
        self._show_turn(EXECUTOR, opening=True)
        return EXECUTOR

    def _pay(self, last: str, outcome: Outcome) -> None:
        """End the game with the outcome of the last episode."""
        if last == CHALLENGER:  # no task was accepted
            pay = {"zero_sum": (-1.0, 1.0), "cooperative": (0.0, 0.0)}
            pay["separate"] = (outcome.reward, 0.0)
        else:
            reward = outcome.reward
            pay = {"zero_sum": (1 - 2 * reward, 2 * reward - 1), "cooperative": (reward, reward)}
            pay["separate"] = (self._challenge_reward, reward)
        rewards = dict(zip(self.possible_agents, pay[self.payoff], strict=True))
        self._finish(rewards, truncated=outcome.truncated)

    def _text_for(self, agent: str) -> str:
        return self._episodes[agent].observation if agent in self._episodes else ""

    def _info(self, agent: str) -> dict[str, Any]:
        if agent not in self._episodes:
            return {}
        return self._envs[agent].describe(self._episodes[agent])

    def _show_turn(self, agent: str, *, opening: bool = False) -> None:
        if self.render_mode == "human":
            show(self._episodes[agent], opening=opening)

    def _show(self) -> str:
        parts = [f"{name}\n{render_text(part)}" for name, part in self._episodes.items()]
        return "\n\n".join(parts)


def _challenger_env(env_id: str, shared: dict[str, Any], options: dict[str, Any]) -> ChallengerEnv:
    if not issubclass(environment_class(env_id), ChallengerEnv):
        raise OptionError(
            f"Expected a challenger's id, such as sca/TauRetailChallenger-v0; got {env_id!r}"
        )
    if "wanted" in options:
        raise OptionError("Expected no option wanted: the executor solves one task; got one")
    env = make_env(env_id, **shared, **options)
    assert isinstance(env, ChallengerEnv)
    return env


def env(env_id: str = "sca/TauRetailChallenger-v0", **options: Any) -> OrderEnforcingWrapper:
    """Return the environment, which complains when it is used in a wrong order.

    Args:
        env_id: The challenger's environment.
        options: See `raw_env`.
    """
    return OrderEnforcingWrapper(raw_env(env_id, **options))


def parallel_env(
    env_id: str = "sca/TauRetailChallenger-v0", **options: Any
) -> turn_based_aec_to_parallel:
    """Return the environment for agents who are asked at the same time.

    Only the action of the agent whose turn it is counts: `challenger_0` at first, then the one that
    ``infos[agent]["active_agent"]`` names.

    Args:
        env_id: The challenger's environment.
        options: See `raw_env`.
    """
    return turn_based_aec_to_parallel(env(env_id, **options))
