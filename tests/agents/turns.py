"""Reference actions as a model writes them, in each of the ways in which the agents read them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import gymnasium as gym
from chat_server import called

import sca_envs
from sca_envs import Answer, Reply, ToolCall


def native(action: sca_envs.Action) -> str | dict[str, Any]:
    """Return an action as a model says it with native tool calls."""
    match action:
        case ToolCall(name, arguments):
            return called((name, json.dumps(arguments)))
        case Answer(text):
            return called(("answer", json.dumps({"content": text})))
        case Reply(text):
            return text
    raise AssertionError(action)


def react(env: gym.Env[Any, Any], action: sca_envs.Action) -> str:
    call = sca_envs.action_format("json").render(action)
    if isinstance(action, Reply):
        call = json.dumps({"name": "respond", "arguments": {"content": action.text}})
    made_up = '\nObservation: {"done": true}\nThought: so'
    return f"Thought: I act now; Action is next.\nAction: {call}{made_up}"


def in_text(env: gym.Env[Any, Any], action: sca_envs.Action) -> str:
    return f"<think>\nhm\n</think>\n{env.unwrapped.render_action(action)}"  # type: ignore[attr-defined]


def in_code(env: gym.Env[Any, Any], action: sca_envs.Action) -> str:
    turn = in_text(env, action)
    return f"{turn}\nThe output will be:\n```\n42\n```" if "```" in turn else turn


def brain_of(written: dict[str, list[Any]]) -> Callable[[dict[str, Any]], Any]:
    """Return a server's brain: the turns of each episode, by the episode's opening."""

    def brain(body: dict[str, Any]) -> Any:
        messages = body["messages"]
        turn = sum(message["role"] == "assistant" for message in messages)
        return written[messages[1]["content"]][turn]

    return brain
