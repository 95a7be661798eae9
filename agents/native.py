"""Native tool calling, written out: the model is given the tools' schemas and answers with calls.

`sca_envs.ChatAgent` does the same with more options. This is the whole loop between a chat model
and an environment, to begin from when you write an agent of your own.
"""

from __future__ import annotations

from typing import Any

from sca_envs import AgentReport, OptionError, Reply, Usage, action_format
from sca_envs.agents import (
    CalledTool,
    ChatModel,
    Message,
    add_usage,
    chat_model,
    message_calls,
    native_tools,
    read_aloud,
    render_call,
    system_prompt,
    without_thought,
)


class NativeAgent:
    """Calls tools in the endpoint's own way; for the action formats ``json`` and ``hermes``.

    Args:
        model: A chat model, or the name of one behind an endpoint; by default ``SCA_MODEL``.
        endpoint: Options of `sca_envs.agents.Endpoint`, such as ``base_url``.
    """

    def __init__(self, model: ChatModel | str | None = None, **endpoint: Any) -> None:
        self.model = chat_model(model, endpoint)

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        """Begin an episode with the policy as the system prompt.

        Raises:
            OptionError: If the environment's action format has no named tool calls.
        """
        self._format = action_format(info.get("action_format", "json"))
        if self._format.name not in ("json", "hermes"):
            raise OptionError(
                "Expected the action format 'json' or 'hermes' for native tool calling; got "
                f"{self._format.name!r}"
            )
        self._messages: list[Message] = [
            {"role": "system", "content": system_prompt("native", info)}
        ]
        self._tools = native_tools(info)
        self._waiting: list[CalledTool] = []  # calls of the newest message, not played yet
        self._called: CalledTool | None = None  # the call whose result comes next
        self._usage = Usage()

    def act(self, observation: str, info: dict[str, Any]) -> str:
        """Return the next turn: a call that waits, else what the model says now."""
        if self._called is None:
            message = {"role": "user", "content": read_aloud(observation, info)}
        else:
            message = {"role": "tool", "tool_call_id": self._called.id, "content": observation}
        self._messages.append(message)
        if not self._waiting:
            text = self._ask()
            if not self._waiting:
                self._called = None
                return self._format.render(Reply(text))
        self._called = self._waiting.pop(0)
        return render_call(self._called, self._format)

    def _ask(self) -> str:
        """Ask the model; its calls wait to be played one turn after the other."""
        completion = self.model.complete(self._messages, self._tools)
        add_usage(self._usage, completion.usage)
        text = without_thought(completion.text)
        message: Message = {"role": "assistant", "content": text}
        if completion.calls:
            self._waiting = list(completion.calls)
            message["tool_calls"] = message_calls(completion.calls)
        self._messages.append(message)
        return text

    def report(self, observation: str, info: dict[str, Any]) -> AgentReport:
        """Return what the episode cost."""
        return AgentReport(usage=self._usage)
