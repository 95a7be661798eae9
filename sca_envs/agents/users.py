"""Users played by a language model, plain or checking each of their messages before it is sent.

A user that fails (no answer from the endpoint, nothing said, no draft that passes the check) raises
`UserError`, so that the episode is counted apart and never as the agent's failure.

A conversation ends with a marker alone in a message. Models like to put it behind a last wish, too,
which nobody would fulfil then: such a message is sent without the marker, and only a second one in
a row ends the conversation.
"""

from __future__ import annotations

import copy
import re
from typing import Any

from sca_envs.agents.endpoint import ChatModel, EndpointError, Message, add_usage, chat_model
from sca_envs.agents.prompting import prompt, without_thought
from sca_envs.bench.trajectories.trajectory import Usage
from sca_envs.core.conversation import UserTurn
from sca_envs.core.errors import OptionError, UserError
from sca_envs.core.task import Task

STOP = "[END]"
"""What a user writes when it is done."""

_GREETING = "Hello! How can I help you?"
_EMPTY_TRIES = 3
_VERDICT = re.compile(r"verdict:[\s*`]*(good|bad)\b", re.IGNORECASE)


class LLMUser:
    """A user played by a chat model.

    Args:
        model: A chat model, or the name of one behind an endpoint; by default ``SCA_MODEL``.
        endpoint: Options of `Endpoint`, such as ``base_url`` and ``temperature``.
    """

    def __init__(self, model: ChatModel | str | None = None, **endpoint: Any) -> None:
        self.model = chat_model(model, endpoint)
        self._task: Task | None = None
        self._seed = 0
        self._messages: list[Message] = []
        self._leaving = False
        self._usage = Usage()

    def __deepcopy__(self, memo: dict[int, Any]) -> LLMUser:
        copied = copy.copy(self)  # forks share the model, not the conversation
        copied._messages = list(self._messages)
        copied._usage = self._usage.model_copy()
        return copied

    def usage(self) -> Usage:
        """Return what the user cost in this episode."""
        return self._usage.model_copy()

    def reset(self, task: Task, seed: int) -> str:
        """Begin a task and return the first message.

        Raises:
            UserError: If the model does not answer or says nothing.
        """
        self._task, self._seed, self._usage = task, seed, Usage()
        self._leaving = False
        system = prompt("user", instruction=task.instruction, stop=STOP)
        self._messages = [
            {"role": "system", "content": system},
            {"role": "user", "content": _GREETING},  # the agent speaks first, as far as it knows
        ]
        turn = self._speak()
        if turn.end is not None:
            raise UserError("the user ended the conversation before it began")
        return turn.text

    def respond(self, message: str) -> UserTurn:
        """Answer a message of the agent.

        Raises:
            UserError: If the model does not answer or says nothing.
        """
        self._messages.append({"role": "user", "content": message})
        return self._speak()

    def _speak(self) -> UserTurn:
        text = self._draft()
        self._messages.append({"role": "assistant", "content": text})
        said, marked = _unmark(text)
        ends = marked and (self._leaving or not said)
        self._leaving = marked
        return UserTurn(said, "user_stop" if ends else None)

    def _draft(self) -> str:
        """Return what the model would say next."""
        for attempt in range(_EMPTY_TRIES):
            if text := self._complete(self._messages, attempt):
                return text
        raise UserError(f"the user's model said nothing, in {_EMPTY_TRIES} tries")

    def _complete(self, messages: list[Message], attempt: int) -> str:
        # Another seed for each request of an episode, the same in each run of it.
        seed = (self._seed + 1_000_003 * len(self._messages) + attempt) % 2**31
        try:
            completion = self.model.complete(messages, None, seed)
        except EndpointError as error:
            raise UserError(str(error)) from error
        add_usage(self._usage, completion.usage)
        return without_thought(completion.text).strip()


class CheckedUser(LLMUser):
    """A user that checks each draft against the instruction before it sends it.

    Args:
        model: A chat model, or the name of one behind an endpoint; by default ``SCA_MODEL``.
        max_drafts: How many drafts it writes before it gives up.
        endpoint: Options of `Endpoint`.
    """

    def __init__(
        self, model: ChatModel | str | None = None, *, max_drafts: int = 3, **endpoint: Any
    ) -> None:
        super().__init__(model, **endpoint)
        if max_drafts < 1:
            raise OptionError(f"Expected max_drafts to be at least 1; got {max_drafts}")
        self._max_drafts = max_drafts

    def _draft(self) -> str:
        """Return the first draft that passes.

        Raises:
            UserError: If none does, or a check says neither good nor bad.
        """
        drafts: list[Message] = []
        draft = ""
        for number in range(self._max_drafts):
            draft = self._complete([*self._messages, *drafts], number)
            objection = self._objection(draft, number) if draft else "It is empty."
            if objection is None:
                return draft
            drafts += [
                {"role": "assistant", "content": draft},
                {"role": "user", "content": _again(objection)},
            ]
        raise UserError(
            f"none of {self._max_drafts} drafts of the user's message passed its own check; the "
            f"last one: {draft[:200]!r}"
        )

    def _objection(self, draft: str, attempt: int) -> str | None:
        """Return what the check says against a draft, or None."""
        assert self._task is not None
        speakers = {"user": "Agent", "assistant": "Customer"}
        check = prompt(
            "user_check",
            instruction=self._task.instruction,
            conversation=[
                {"speaker": speakers[message["role"]], "text": message["content"]}
                for message in self._messages[1:]
            ],
            draft=draft,
            stop=STOP,
        )
        said = self._complete([{"role": "user", "content": check}], attempt)
        verdicts = _VERDICT.findall(said)
        if not verdicts:
            return "The check came to no verdict."
        return None if verdicts[-1].lower() == "good" else said


def _again(reason: str) -> str:
    return f"That message was not sent. {reason}\n\nWrite the customer's message again."


def _unmark(text: str) -> tuple[str, bool]:
    """Return a message without the marker at its end, and whether there was one."""
    said = text.rstrip(" \n.!\"'*`")
    if not said.upper().endswith(STOP):
        return text, False
    return said[: -len(STOP)].strip(" \n\"'*`"), True
