"""A real HTTP server that speaks OpenAI's chat protocol, with replies that a test decides.

It is pytest-httpserver's (werkzeug, a thread for each request); replies are made with the response
types of the `openai` package, so that a well-formed one is what a real endpoint sends.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import gymnasium as gym
from openai.types.chat import ChatCompletion
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

import sca_envs
from sca_envs.agents.endpoint import Endpoint

Reply = str | dict[str, Any] | Response
Brain = Callable[[dict[str, Any]], Reply]


class ChatServer:
    """The server: what it was asked, and what it says."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("/v1")
        self.requests: list[dict[str, Any]] = []
        self.brain: Brain = lambda body: "Hello!"
        server.expect_request("/v1/chat/completions", method="POST").respond_with_handler(
            self._handle
        )

    def say(self, *replies: Reply) -> None:
        """Give these replies in order."""
        left = iter(replies)
        self.brain = lambda body: next(left)

    def endpoint(self, **options: Any) -> Endpoint:
        """Return a client of it."""
        return Endpoint("toy", self.url, **{"timeout": 20.0, "max_retries": 2} | options)

    def _handle(self, request: Request) -> Response:
        body = request.get_json()
        self.requests.append(body)
        reply = self.brain(body)
        if isinstance(reply, Response):
            return reply
        return Response(completion(reply), content_type="application/json")


def completion(reply: str | dict[str, Any]) -> str:
    """Return a chat completion in JSON, with 100 tokens read and 10 written."""
    message = {"content": reply} if isinstance(reply, str) else reply
    value = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": "toy",
        "choices": [
            {
                "index": 0,
                "finish_reason": "tool_calls" if message.get("tool_calls") else "stop",
                "logprobs": None,
                "message": {"role": "assistant", "content": None, "refusal": None, **message},
            }
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
    }
    ChatCompletion.model_validate(value)
    return json.dumps(value)


def called(*calls: tuple[str, str], content: str | None = None) -> dict[str, Any]:
    """Return a message with native tool calls: names, and arguments as the model wrote them."""
    tool_calls = [
        {"id": f"c{i}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for i, (name, arguments) in enumerate(calls)
    ]
    return {"content": content, "tool_calls": tool_calls}


def reference_actions(env: gym.Env[str, str], **options: Any) -> list[sca_envs.Action]:
    """Return the actions with which the reference agent solves a task."""
    result = sca_envs.play(env, sca_envs.ReferenceAgent(env), **options)
    assert result.reward == 1
    return [turn.action for turn in env.unwrapped.episode.transcript]  # type: ignore[attr-defined]
