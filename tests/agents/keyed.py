"""An agent and a user with every kind of secret in their options, which like to tell them."""

from __future__ import annotations

import logging
from typing import Any

from sca_envs import UserTurn
from sca_envs.agents.chat import ChatAgent


class Keyed(ChatAgent):
    """A chat agent with secrets of its own."""

    def __init__(self, *, token: str, headers: Any, url: str, raising: bool = False, **rest: Any):
        super().__init__(**rest)
        self.raising = raising and (token, headers, url)

    def act(self, observation: str, info: dict[str, Any]) -> str:
        logging.getLogger("httpx2").info("asking with %s", self.model)
        if self.raising and info["task_id"] == "test-1":
            raise ValueError(f"refused: {self.raising}")
        return super().act(observation, info)


class KeyedUser:
    """A user that says its password."""

    def __init__(self, password: str) -> None:
        self.password = password

    def reset(self, task: Any, seed: int) -> str:
        return f"Hello, my password is {self.password}."

    def respond(self, message: str) -> UserTurn:
        if seed_ends(message):
            raise ValueError(f"{self.password} was refused")
        return UserTurn(f"I said {self.password}", "user_stop")


def seed_ends(message: str) -> bool:
    """Return whether a message ends in a way that the user cannot stand."""
    return message.endswith("!")
