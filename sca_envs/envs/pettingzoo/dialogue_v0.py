"""A conversation in which the user is an agent, too."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pettingzoo.utils.conversions import turn_based_aec_to_parallel
from pettingzoo.utils.wrappers import OrderEnforcingWrapper

from sca_envs.core.actions import Action, Reply
from sca_envs.core.conversation import UserTurn
from sca_envs.core.episode import Episode
from sca_envs.core.errors import OptionError
from sca_envs.core.formats import action_format
from sca_envs.core.task import Task
from sca_envs.envs.pettingzoo.text_game import TextGame
from sca_envs.envs.registration import make_env
from sca_envs.envs.render import render_text, show
from sca_envs.envs.spaces import MAX_ACTION_LENGTH, AssistantTurn, Text
from sca_envs.envs.tool_use import ToolUseEnv

USER, ASSISTANT = "user_0", "assistant_0"
STOP = "###STOP###"
"""What the user writes to end the conversation."""


class _Relay:
    """A user whose words come from outside, one turn at a time."""

    def __init__(self, opening: str) -> None:
        self.turn = UserTurn(opening)

    def reset(self, task: Task, seed: int) -> str:
        return self.turn.text

    def respond(self, message: str) -> UserTurn:
        return self.turn


class raw_env(TextGame):  # noqa: N801 (PettingZoo's name for it)
    """Serve a user who is an agent, or be that user.

    ## Description
    The conversation of an environment of this suite, such as `sca/TauRetail-v0`, with its tasks,
    tools, policy and verdict. `assistant_0` is that environment's agent. `user_0` is the user:
    it reads what it wants and knows, and talks to the assistant about it.

    `user_0` moves first. `assistant_0` answers, and keeps the turn while it calls tools; a reply
    gives the turn to the user.

    ## Action Space
    Text. The assistant's turns are those of the environment, in its action format; `sample()` draws
    valid tool calls. The user's are what it says. A user turn that contains `###STOP###`, or is
    empty, ends the conversation; words before the mark are still said. The first message begins the
    conversation and cannot end it: there the mark is cut off. Words after 100,000 characters are
    not said.

    ## Observation Space
    Text. The user reads the task's instruction at first, then the assistant's replies, but not its
    tool calls. The assistant reads what the environment's agent reads: what the user says, and what
    tools return. Before the user's first message that is empty.

    `infos["assistant_0"]` is the environment's `info` (empty before the user's first message).
    `infos["user_0"]` has `task_id`, `turn`, `instruction`, `stop_word` and `termination_reason`.

    ## Rewards
    0 until the end. Then the assistant gets the verdict `r` of the environment, and the user, by
    `payoff`: `r` if `cooperative`, `-r` if `zero_sum`, 0 if `separate`. A truncation is worth 0 to
    both.

    ## Starting State
    `reset(seed=…)` draws the task as the environment's `reset` does from the same seed;
    `reset(options={"task": id or index})` chooses it.

    ## Episode End
    For both agents at once: terminated when the user stops or the environment's episode ends,
    truncated after the assistant's `max_turns` actions.

    ## Arguments
    ```python
    from sca_envs.envs.pettingzoo import dialogue_v0

    env = dialogue_v0.env("sca/TauAirline-v0", split="test")
    ```

    | argument | default | meaning |
    |---|---|---|
    | `env_id` | `"sca/TauRetail-v0"` | the environment |
    | `payoff` | `"cooperative"` | `"cooperative"`, `"zero_sum"` or `"separate"` |
    | `render_mode` | `None` | `"ansi"` or `"human"` |
    | further ones | | the environment's options, but `user` |

    ## Version History
    - v0: first version.
    """

    metadata: ClassVar[dict[str, Any]] = {**TextGame.metadata, "name": "dialogue_v0"}

    def __init__(
        self,
        env_id: str = "sca/TauRetail-v0",
        *,
        payoff: str = "cooperative",
        render_mode: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(payoff, render_mode)
        if "user" in options:
            raise OptionError(f"Expected no option user: {USER} is the user; got one")
        self._env: ToolUseEnv = make_env(env_id, **options)
        self.possible_agents = [USER, ASSISTANT]
        self._observation_spaces = {agent: Text() for agent in self.possible_agents}
        assert isinstance(self._env.action_space, AssistantTurn)
        self._turns = self._env.action_space
        self._action_spaces = {USER: Text(MAX_ACTION_LENGTH), ASSISTANT: self._turns}
        self._task: Task | None = None
        self._episode: Episode | None = None

    @property
    def task(self) -> Task:
        """What the user wants."""
        assert self._task is not None, "Expected reset() before the first use of the task"
        return self._task

    @property
    def episode(self) -> Episode | None:
        """The conversation; None before the user's first message."""
        return self._episode

    def render_action(self, action: Action) -> str:
        """Return an action of the assistant as text; see `ToolUseEnv.render_action`."""
        return self._turns.domain.write(action, action_format(self._turns.format_name))

    def _begin(self, rng: np.random.Generator, options: dict[str, Any]) -> str:
        self._task, self._user_seed = self._env.draw(rng, options)
        self._episode = None
        self._reply: Reply | None = None  # which the user has not answered yet
        self._heard = self._task.instruction
        self._turns.domain = self._env.domains[self._task.domain]
        return USER

    def _act(self, agent: str, action: str) -> str:
        if agent == USER:
            return self._speak(action)
        parsed = self._env.parse(action)
        if isinstance(parsed, Reply):
            self._reply, self._heard = parsed, parsed.text
            return USER
        return self._take(parsed)

    def _speak(self, text: str) -> str:
        said, stop, _ = text[:MAX_ACTION_LENGTH].partition(STOP)
        said = said.rstrip() if stop else said
        if self._episode is None:
            self._relay = _Relay(said)
            self._episode = self._env.begin(self.task, self._user_seed, self._relay)
            if self.render_mode == "human":
                show(self._episode, opening=True)
            return ASSISTANT
        assert self._reply is not None
        self._relay.turn = UserTurn(said, None if said and not stop else "user_stop")
        reply, self._reply = self._reply, None
        return self._take(reply)

    def _take(self, action: Action) -> str:
        assert self._episode is not None
        outcome = self._episode.step(action)
        if self.render_mode == "human":
            show(self._episode)
        if self._episode.done:
            reward = outcome.reward
            share = {"cooperative": reward, "zero_sum": 0.0 - reward, "separate": 0.0}[self.payoff]
            self._finish({USER: share, ASSISTANT: reward}, truncated=outcome.truncated)
        return ASSISTANT

    def _text_for(self, agent: str) -> str:
        if agent == USER:
            return self._heard
        return "" if self._episode is None else self._episode.observation

    def _info(self, agent: str) -> dict[str, Any]:
        if agent == ASSISTANT:
            return {} if self._episode is None else self._env.describe(self._episode)
        return {
            "task_id": self.task.id,
            "turn": 0 if self._episode is None else self._episode.turn,
            "instruction": self.task.instruction,
            "stop_word": STOP,
            "termination_reason": self._episode and self._episode.termination_reason,
        }

    def _show(self) -> str:
        text = f"task: {self.task.id}" if self._episode is None else render_text(self._episode)
        return text if self._reply is None else f"{text}\nagent: {self._reply.text}"


def env(env_id: str = "sca/TauRetail-v0", **options: Any) -> OrderEnforcingWrapper:
    """Return the environment, which complains when it is used in a wrong order.

    Args:
        env_id: The environment of this suite that the conversation belongs to.
        options: See `raw_env`.
    """
    return OrderEnforcingWrapper(raw_env(env_id, **options))


def parallel_env(env_id: str = "sca/TauRetail-v0", **options: Any) -> turn_based_aec_to_parallel:
    """Return the environment for agents who are asked at the same time.

    Only the action of the agent whose turn it is counts: `user_0` at first, then the one that
    ``infos[agent]["active_agent"]`` names.

    Args:
        env_id: The environment of this suite that the conversation belongs to.
        options: See `raw_env`.
    """
    return turn_based_aec_to_parallel(env(env_id, **options))
