"""The episode: the truth of one run, which every environment is a thin view of."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sca_envs.core.actions import (
    Action,
    Answer,
    Code,
    LoggedCall,
    Malformed,
    PositionalCall,
    Reply,
    ToolCall,
    Turn,
)
from sca_envs.core.code_runner import CodeRunner
from sca_envs.core.database import Snapshot
from sca_envs.core.domain import Domain
from sca_envs.core.errors import UserError
from sca_envs.core.task import Task
from sca_envs.core.users import NoUser, User
from sca_envs.core.verifiers import AnswerVerifier, Verifier

USER_ERROR = "user_error"
"""Why an episode ended whose user failed; it says nothing about the agent."""


class Outcome(NamedTuple):
    """What `Episode.step` returns."""

    observation: str
    reward: float
    terminated: bool
    truncated: bool


@dataclass(frozen=True, slots=True)
class EpisodeSnapshot:
    """The state of an episode at one moment; it never changes."""

    task: Task
    database: Snapshot
    user: User = field(compare=False)
    opening: str
    transcript: tuple[Turn, ...]
    termination_reason: str | None
    components: tuple[tuple[str, float], ...]


class Episode:
    """One run of a task: database, user, transcript and verdict.

    An episode begins when it is made. It ends when the user stops, when a terminal tool is called
    (``transfer``), when the agent answers (``answered``; a verifier may let it try again instead),
    when the user fails (``user_error``; the verifier is not asked), or at the turn limit
    (``max_turns``, which alone is a truncation and is worth 0, as in tau-bench). Malformed text
    uses up a turn.

    Args:
        domain: The world.
        task: What the user wants.
        user: Who speaks to the agent; none gives the whole instruction at once.
        max_turns: Most actions of the agent, at least 1.
        seed: Fixes everything random about the user.
        verifier: Judges the episode; by default the domain's.
        code_runner: Runs the agent's code; without one, code is answered by an error.

    Raises:
        UserError: If the user fails before it has said anything.
    """

    __slots__ = (
        "__weakref__",
        "_transcript",
        "code_runner",
        "components",
        "database",
        "domain",
        "max_turns",
        "opening",
        "task",
        "termination_reason",
        "user",
        "verifier",
    )

    def __init__(
        self,
        domain: Domain,
        task: Task,
        user: User | None = None,
        *,
        max_turns: int = 30,
        seed: int = 0,
        verifier: Verifier[Episode] | None = None,
        code_runner: CodeRunner[Episode] | None = None,
    ) -> None:
        self.domain = domain
        self.task = task
        self.user: User = NoUser() if user is None else user
        self.max_turns = max_turns
        self.verifier = domain.verifier if verifier is None else verifier
        self.code_runner = code_runner
        self.database = domain.database()
        self._transcript: list[Turn] = []
        self.termination_reason: str | None = None
        self.components: dict[str, float] = {}
        self.opening = self.user.reset(task, seed)

    @property
    def transcript(self) -> tuple[Turn, ...]:
        """The turns so far."""
        return tuple(self._transcript)

    @property
    def turn(self) -> int:
        """Number of actions taken."""
        return len(self._transcript)

    @property
    def observation(self) -> str:
        """The newest text that the agent reads."""
        return self._transcript[-1].observation if self._transcript else self.opening

    @property
    def source(self) -> str:
        """Where it came from (see `Turn`)."""
        return self._transcript[-1].source if self._transcript else "user"

    @property
    def done(self) -> bool:
        """Whether the episode has ended."""
        return self.termination_reason is not None

    def replies(self) -> Iterator[str]:
        """Yield what the agent said to the user."""
        for turn in self._transcript:
            if turn.answer is not None:
                yield turn.answer

    def calls(self) -> Iterator[LoggedCall]:
        """Yield the tool calls that were carried out, in order."""
        for turn in self._transcript:
            yield from turn.calls

    @property
    def answer(self) -> str:
        """The last thing that the agent said or answered; empty if it never did."""
        said = (turn.answer for turn in reversed(self._transcript) if turn.answer is not None)
        return next(said, "")

    def reference_state(self) -> Snapshot:
        """Return the state that the task's reference actions leave."""
        return self.domain.reference_state(self.task)

    def step(self, action: Action) -> Outcome:
        """Take one action of the agent.

        Args:
            action: What the agent does.

        Returns:
            The observation, the reward (0 until the end), and whether the episode is over.

        Raises:
            RuntimeError: If the episode is over.
        """
        if self.termination_reason is not None:
            raise RuntimeError(f"The episode is over ({self.termination_reason}); begin another")
        turn, end = self._act(action)
        self._transcript.append(turn)
        observation = turn.observation
        if end is not None:
            self.termination_reason = end
            # What the agent would have done next is not known, so there is nothing to judge.
            reward = 0.0 if end == USER_ERROR else self._verify()
            return Outcome(observation, reward, True, False)
        if len(self._transcript) >= self.max_turns:
            self.termination_reason = "max_turns"
            return Outcome(observation, 0.0, False, True)
        return Outcome(observation, 0.0, False, False)

    def _act(self, action: Action) -> tuple[Turn, str | None]:
        """Return the turn, and why the episode ends, if it does."""
        domain = self.domain
        match action:
            case ToolCall(name, arguments):
                observation = domain.call(self.database, name, arguments)
                calls = domain.log(name, arguments, observation)
                return Turn(action, observation, name, calls), domain.end_by(calls, self.database)
            case PositionalCall(name, values):
                observation = domain.call_positional(self.database, name, values)
                calls = domain.log(name, values, observation)
                return Turn(action, observation, name, calls), domain.end_by(calls, self.database)
            case Reply(text):
                return self._talk(action, text)
            case Answer(text):
                objection = self._objection(text)
                end = None if objection else "answered"
                return Turn(action, objection or "", "environment", answer=text), end
            case Malformed(_, problem, verbatim):
                problem = problem if verbatim else f"Error: {problem}"
                return Turn(action, problem, "environment"), None
            case Code(source):
                return self._run(action, source)

    def _run(self, action: Code, source: str) -> tuple[Turn, str | None]:
        if self.code_runner is None:
            return Turn(action, "Error: this environment does not run code", "environment"), None
        output = self.code_runner.run(self, source)
        end = (
            "answered"
            if output.answer is not None
            else self.domain.end_by(output.calls, self.database)
        )
        shown = self.domain.show_output(output.printed)
        return Turn(action, shown, "code", output.calls, output.answer), end

    def _talk(self, action: Reply, text: str) -> tuple[Turn, str | None]:
        try:
            said = self.user.respond(text)
        except UserError as error:  # must not pass for a failed agent
            problem = f"Error: the user failed: {error}"
            return Turn(action, problem, "environment", answer=text), USER_ERROR
        return Turn(action, said.text, "user", answer=text), said.end

    def _objection(self, answer: str) -> str | None:
        """Return what the agent reads if it gave a wrong answer and may try again."""
        if not isinstance(self.verifier, AnswerVerifier):
            return None
        try:
            return self.verifier.object_to(self.task, answer)
        except Exception:  # the answer ends the episode, and the verdict will tell
            return None

    def _verify(self) -> float:
        try:
            verdict = self.verifier.verify(self)
        except Exception:  # a broken verifier must not pass for a failed agent
            self.termination_reason = "verifier_error"
            return 0.0
        self.components = verdict.components
        return verdict.reward

    def messages(self) -> list[dict[str, Any]]:
        """Return the conversation as OpenAI chat messages, the policy as the system message."""
        messages: list[dict[str, Any]] = [
            {"role": "system", "content": self.domain.policy},
            {"role": "user", "content": self.opening},
        ]
        for number, turn in enumerate(self._transcript):
            messages += _chat(turn, f"call_{number}")
        return messages

    # States

    def snapshot(self) -> EpisodeSnapshot:
        """Return the present state, to `restore` later here or in a fork."""
        return EpisodeSnapshot(
            task=self.task,
            database=self.database.snapshot(),
            user=copy.deepcopy(self.user),
            opening=self.opening,
            transcript=tuple(self._transcript),
            termination_reason=self.termination_reason,
            components=tuple(self.components.items()),
        )

    def restore(self, snapshot: EpisodeSnapshot) -> None:
        """Go back to a snapshot of an episode of the same domain."""
        self.database.restore(snapshot.database)
        self.task = snapshot.task
        self.user = copy.deepcopy(snapshot.user)
        self.opening = snapshot.opening
        self._transcript = list(snapshot.transcript)
        self.termination_reason = snapshot.termination_reason
        self.components = dict(snapshot.components)

    def fork(self) -> Episode:
        """Return an independent episode in the same state."""
        forked = Episode.__new__(Episode)
        forked.domain = self.domain
        forked.max_turns = self.max_turns
        forked.verifier = self.verifier
        forked.code_runner = self.code_runner
        forked.database = self.domain.database()
        forked.restore(self.snapshot())
        return forked


def _chat(turn: Turn, call_id: str) -> list[dict[str, Any]]:
    """Return a turn as chat messages; `Malformed` text is what the assistant said."""
    match turn.action:
        case ToolCall(name, arguments):
            function = {"name": name, "arguments": json.dumps(arguments)}
            call = {"id": call_id, "type": "function", "function": function}
            return [
                {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": call_id, "content": turn.observation},
            ]
        case PositionalCall(name, values):
            # No endpoint's tool call has arguments without names, so it is said as text.
            said = {"role": "assistant", "content": f"{name}({', '.join(map(repr, values))})"}
            return [said, {"role": "user", "content": turn.observation}]
        case Reply(text) | Answer(text) | Malformed(text) | Code(text):
            said = {"role": "assistant", "content": text}
            if not turn.observation:  # the episode is over, and nobody said goodbye
                return [said]
            return [said, {"role": "user", "content": turn.observation}]
