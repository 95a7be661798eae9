"""An agent behind any OpenAI-compatible endpoint, with native tool calling or in plain text.

Whatever the model says becomes a turn of the environment: malformed arguments reach it as malformed
text, so that the model reads what was wrong, and several calls in one message are played one turn
after the other.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from sca_envs.agents.endpoint import CalledTool, ChatModel, Endpoint, Message, add_usage, chat_model
from sca_envs.agents.episodes import turn_seed
from sca_envs.agents.prompting import native_tools, read_aloud, system_prompt, without_thought
from sca_envs.agents.tool_calls import message_calls, render_call
from sca_envs.bench.agents import AgentReport
from sca_envs.bench.trajectories.trajectory import Usage
from sca_envs.core.actions import Reply
from sca_envs.core.errors import OptionError
from sca_envs.core.formats import ActionFormat, action_format

_NATIVE_FORMATS = ("json", "hermes")


@dataclass
class _Conversation:
    """The state of one episode."""

    messages: list[Message]
    format: ActionFormat
    tools: list[dict[str, Any]] | None
    waiting: deque[CalledTool] = field(default_factory=deque)
    """Calls of the newest message that were not played yet."""
    called: CalledTool | None = None
    """The call whose result comes next."""
    usage: Usage = field(default_factory=Usage)


class ChatAgent:
    """Plays episodes with a chat model, one at a time.

    Several agents, each in a thread, can share one model: ``sca eval … --engine thread``.

    Args:
        model: A chat model, or the name of one behind an endpoint; by default ``SCA_MODEL``.
        native: Whether the model calls tools in the endpoint's own way (the environment's action
            format is then ``json`` or ``hermes``). Else it writes its turns in the environment's
            action format, which the system prompt explains.
        format: The environment's action format, where the info does not say it.
        seed: Sent to the endpoint, another one for every turn; None sends none.
        endpoint: Options of `Endpoint`, such as ``base_url``.
    """

    def __init__(
        self,
        model: ChatModel | str | None = None,
        *,
        native: bool = True,
        format: str = "json",
        seed: int | None = None,
        **endpoint: Any,
    ) -> None:
        self.model = chat_model(model, endpoint)
        self._own = (
            self.model if isinstance(self.model, Endpoint) and self.model is not model else None
        )
        self.native = native
        self._format = format
        self._seed = seed
        self._conversation: _Conversation | None = None

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        """Begin an episode.

        Raises:
            OptionError: If native tool calling cannot write the action format.
        """
        name = info.get("action_format", self._format)
        self.check_format(name)
        tools = native_tools(info) if self.native else None
        system = {"role": "system", "content": self.make_system_prompt(name, info)}
        self._conversation = _Conversation([system], action_format(name), tools)

    def act(self, observation: str, info: dict[str, Any]) -> str:
        """Return the next turn.

        Raises:
            EndpointError: If the endpoint does not answer; an `EndpointDownError` if that is not
                the conversation's fault.
        """
        conversation = self._conversation
        if conversation is None:
            raise RuntimeError("Expected reset(observation, info) before act(observation, info)")
        conversation.messages.append(self._hear(conversation, observation, info))
        if not conversation.waiting:
            text = self._ask(conversation, info)
            if not conversation.waiting:
                return text
        conversation.called = call = conversation.waiting.popleft()
        return render_call(call, conversation.format)

    def report(self, observation: str, info: dict[str, Any]) -> AgentReport:
        """Return what the episode cost."""
        conversation = self._conversation
        return AgentReport(usage=None if conversation is None else conversation.usage)

    def close(self) -> None:
        """Close the connections of an endpoint that the agent made itself."""
        if self._own is not None:
            self._own.close()

    # What a style of your own overrides

    def check_format(self, name: str) -> None:
        """Check that the agent can write an action format.

        Args:
            name: The environment's action format.

        Raises:
            OptionError: If it cannot.
        """
        if self.native and name not in _NATIVE_FORMATS:
            raise OptionError(
                f"Expected the action format {' or '.join(_NATIVE_FORMATS)} with native tool "
                f"calling; got {name!r}. Give the agent native=False, or another one to the "
                "environment"
            )

    def make_system_prompt(self, format_name: str, info: dict[str, Any]) -> str:
        """Return the system prompt of an episode.

        Args:
            format_name: The environment's action format.
            info: The info of `reset`, with ``policy`` and ``tools``.
        """
        return system_prompt("native" if self.native else format_name, info)

    def extract_turn(self, text: str) -> str:
        """Return the turn in a message of the model, where it writes turns as text."""
        return text

    # Conversation

    def _hear(self, conversation: _Conversation, observation: str, info: dict[str, Any]) -> Message:
        """Return an observation as the message that the model reads."""
        if call := conversation.called:
            conversation.called = None
            return {"role": "tool", "tool_call_id": call.id, "content": observation}
        return {"role": "user", "content": read_aloud(observation, info)}

    def _ask(self, conversation: _Conversation, info: dict[str, Any]) -> str:
        """Ask the model; its calls wait in the conversation, else its words are returned."""
        seed = None if self._seed is None else turn_seed(self._seed, info)
        completion = self.model.complete(conversation.messages, conversation.tools, seed)
        add_usage(conversation.usage, completion.usage)
        text = without_thought(completion.text)
        message: Message = {"role": "assistant", "content": text}
        if conversation.tools is not None and completion.calls:
            conversation.waiting.extend(completion.calls)
            message["tool_calls"] = message_calls(completion.calls)
        conversation.messages.append(message)
        if conversation.tools is None:
            return self.extract_turn(text)
        return conversation.format.render(Reply(text))
