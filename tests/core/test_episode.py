"""The episode in a toy domain: how it ends, what it is worth, and what a fork leaves alone."""

import copy
import functools
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sca_envs.core.actions import Action, Answer, Code, Malformed, Reply, ToolCall
from sca_envs.core.conversation import UserTurn
from sca_envs.core.database import Base, Database
from sca_envs.core.domain import Domain
from sca_envs.core.episode import Episode, Outcome
from sca_envs.core.errors import OptionError, ToolError, UserError
from sca_envs.core.task import Fact, ReferenceAction, Request, Task, TaskSet, UserScript
from sca_envs.core.tools import toolset
from sca_envs.core.users import ScriptedUser, User
from sca_envs.core.verifiers import Verdict


def read_account(db: Database, account: str) -> str:
    """Show an account.

    Args:
        account: Its name.
    """
    if db.get("accounts", account) is None:
        raise ToolError("account not found")
    return db.text("accounts", account)


def deposit(db: Database, account: str, amount: int) -> str:
    """Put money on an account.

    Args:
        account: Its name.
        amount: In dollars.
    """
    db.edit("accounts", account)["balance"] += amount
    number = str(len(list(db.items("log"))))
    db.put("log", number, {"account": account, "amount": amount})
    return f"Entry {number}"


def hand_over(db: Database, summary: str) -> str:
    """Give the case to a human.

    Args:
        summary: What it is about.
    """
    return "Handed over"


SCRIPT = UserScript(
    facts=(Fact(key="name", cues=(r"\bname\b",), text="I'm Ada."),),
    requests=(
        Request(opening="Put 5 on my account."),
        Request(opening="What is my balance?", outputs=("1005",)),
    ),
    greeting="Hi.",
    phrases={
        kind: f"<{kind}>"
        for kind in ("yes", "no", "next", "thanks", "leave_it", "unsure", "give_up")
    },
)
TASK = Task(
    id="save",
    domain="toy",
    data="none",
    split="test",
    instruction="You are Ada. Put 5 on your account and ask for the balance.",
    script=SCRIPT,
    actions=(ReferenceAction(name="deposit", arguments={"account": "ada", "amount": 5}),),
    outputs=("1005",),
)
DEPOSIT = ToolCall("deposit", {"account": "ada", "amount": 5})
SAID = Reply("You have $1,005 now.")


@functools.cache
def toy() -> Domain:
    tables = {"accounts": {"ada": {"balance": 1000}, "bo": {"balance": 0}}, "log": {}}
    return Domain(
        name="toy",
        data="none",
        base=Base(tables),
        tools=toolset(read_account, deposit, hand_over),
        policy="Be nice.",
        splits={"test": lambda: TaskSet([TASK])},
        sample_argument=lambda rng, base, name: int(rng.integers(9)) if name == "amount" else "ada",
        terminal_tools=frozenset({"hand_over"}),
        origin=(toy, ()),
    )


def scripted(**options: Any) -> Episode:
    return Episode(toy(), TASK, ScriptedUser(), **options)


def play(episode: Episode, *actions: Action) -> Outcome:
    """Take actions and return the last outcome; all before it go on and are worth nothing."""
    for action in actions[:-1]:
        outcome = episode.step(action)
        assert outcome == Outcome(outcome.observation, 0.0, False, False)
        assert episode.termination_reason is None
    return episode.step(actions[-1])


@pytest.mark.parametrize(
    ("actions", "reason", "reward", "components"),
    [
        ((DEPOSIT, Reply("I have updated it."), SAID), "user_stop", 1, (1, 1)),
        ((DEPOSIT, Reply("It has been changed."), Reply("Hm.")), None, 0, None),
        ((Reply("I cannot do that."), SAID), "user_stop", 0, (0, 1)),
        ((DEPOSIT, DEPOSIT, Reply("I can't."), SAID), "user_stop", 0, (0, 1)),
        ((DEPOSIT, ToolCall("hand_over", {"summary": ""})), "transfer", 0, (1, 0)),
        ((ToolCall("hand_over", {"wrong": 1}),), "transfer", 0, (0, 0)),
        ((DEPOSIT, Answer("It is 1005.")), "answered", 1, (1, 1)),
        ((DEPOSIT, Answer("No idea")), "answered", 0, (1, 0)),
    ],
)
def test_how_it_ends(
    actions: tuple[Action, ...], reason: str | None, reward: float, components: Any
) -> None:
    episode = scripted()
    outcome = play(episode, *actions)
    assert episode.termination_reason == reason
    assert (outcome.terminated, outcome.truncated) == (reason is not None, False)
    assert outcome.reward == reward
    if components is not None:
        assert episode.components == dict(zip(("database", "outputs"), components, strict=True))
        assert episode.done
    assert episode.turn == len(actions)


def test_without_a_user_the_first_reply_ends_it() -> None:
    episode = Episode(toy(), TASK)
    assert episode.opening == TASK.instruction
    assert play(episode, DEPOSIT, SAID) == Outcome("", 1.0, True, False)
    assert episode.termination_reason == "answered"


def test_the_turn_limit_is_a_truncation_worth_nothing() -> None:
    episode = Episode(toy(), TASK, max_turns=2)
    assert play(episode, DEPOSIT, DEPOSIT) == Outcome("Entry 1", 0.0, False, True)
    assert episode.termination_reason == "max_turns"
    assert episode.components == {}
    # What ends in the last turn has ended.
    episode = Episode(toy(), TASK, max_turns=2)
    assert play(episode, DEPOSIT, SAID) == Outcome("", 1.0, True, False)


class Broken:
    def verify(self, episode: Episode) -> Verdict:
        raise ZeroDivisionError


class Half:
    def verify(self, episode: Episode) -> Verdict:
        return Verdict(0.5, {"turns": float(episode.turn)})


def test_a_broken_verifier_is_no_failure_of_the_agent() -> None:
    episode = scripted(verifier=Broken())
    assert play(episode, DEPOSIT, Answer("1005")) == Outcome("", 0.0, True, False)
    assert episode.termination_reason == "verifier_error"
    assert episode.components == {}


def test_a_verifier_of_its_own() -> None:
    episode = scripted(verifier=Half())
    fork = episode.fork()
    assert play(episode, DEPOSIT, Answer("")).reward == play(fork, Answer("")).reward == 0.5
    assert episode.components == episode.fork().components == {"turns": 2.0}
    assert fork.components == {"turns": 1.0}


@pytest.mark.parametrize("last", [Answer(""), ToolCall("hand_over", {"summary": "x"}), DEPOSIT])
def test_nothing_happens_after_the_end(last: Action) -> None:
    episode = scripted(max_turns=1)
    episode.step(last)
    before = (episode.snapshot(), episode.transcript, episode.database.digest())
    for action in (DEPOSIT, Reply("Hi"), Malformed("{", "x")):
        with pytest.raises(RuntimeError, match=f"is over \\({episode.termination_reason}\\)"):
            episode.step(action)
    assert (episode.snapshot(), episode.transcript, episode.database.digest()) == before


@pytest.mark.parametrize(
    ("action", "observation", "source"),
    [
        (Malformed("{", "Expected a call"), "Error: Expected a call", "environment"),
        (Code("1 + 1"), "Error: this environment does not run code", "environment"),
        (ToolCall("fly", {}), "Error: unknown tool 'fly'; the tools are read_account", "fly"),
        (ToolCall("deposit", {"account": "ada"}), "Error: invalid arguments", "deposit"),
        (ToolCall("deposit", {"account": "cy", "amount": 1}), "Error: 'cy'", "deposit"),
        (ToolCall("read_account", {"account": "cy"}), "Error: account not", "read_account"),
        (ToolCall("read_account", {"account": "bo"}), '{"balance": 0}', "read_account"),
        (Reply("Your name?"), "I'm Ada.", "user"),
        (Reply(""), "<unsure> Put 5 on my account.", "user"),
    ],
)
def test_every_action_uses_a_turn(action: Action, observation: str, source: str) -> None:
    episode = scripted(max_turns=2)
    outcome = play(episode, action)
    assert outcome.observation.startswith(observation)
    assert [turn[:3] for turn in episode.transcript] == [(action, outcome.observation, source)]
    assert episode.database.diff() == []
    assert play(episode, action).truncated


def test_messages() -> None:
    episode = scripted()
    assert episode.opening == "Hi. Put 5 on my account."
    play(episode, Malformed("{", "Expected more"), DEPOSIT, Reply("Done"), Answer("é"))
    called = {"name": "deposit", "arguments": json.dumps(DEPOSIT.arguments)}
    call = {"id": "call_1", "type": "function", "function": called}
    assert episode.messages() == [
        {"role": "system", "content": "Be nice."},
        {"role": "user", "content": "Hi. Put 5 on my account."},
        {"role": "assistant", "content": "{"},
        {"role": "user", "content": "Error: Expected more"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "Entry 0"},
        {"role": "assistant", "content": "Done"},
        {"role": "user", "content": "<next> What is my balance?"},
        {"role": "assistant", "content": "é"},
    ]
    json.dumps(episode.messages())


def test_what_is_given_out_is_fresh() -> None:
    episode = scripted()
    play(episode, DEPOSIT)
    episode.messages().clear()
    assert len(episode.messages()) == 4
    assert isinstance(episode.transcript, tuple)


# States

ACTIONS: list[Action] = [
    DEPOSIT,
    ToolCall("deposit", {"account": "bo", "amount": 7}),
    ToolCall("read_account", {"account": "ada"}),
    ToolCall("deposit", {"account": "nobody", "amount": 1}),
    ToolCall("hand_over", {"summary": "help"}),
    Malformed("{", "Expected a call"),
    Reply("What is your name?"),
    Reply("Do you confirm?"),
    Reply("I have updated it."),
    Reply("I can't."),
    Reply("Hm"),
    SAID,
    Answer("1005"),
]
actions = st.lists(st.sampled_from(ACTIONS), max_size=8)


def run(episode: Episode, steps: list[Action]) -> list[Outcome]:
    """Take actions until the episode ends."""
    outcomes = []
    for action in steps:
        if not episode.done:
            outcomes.append(episode.step(action))
    return outcomes


def state(episode: Episode) -> tuple[Any, ...]:
    """Return all that can be seen of an episode."""
    seen = (episode.transcript, episode.termination_reason, dict(episode.components))
    return (*seen, episode.database.to_dict(), episode.messages(), episode.opening, episode.turn)


@given(first=actions, one=actions, other=actions)
def test_a_fork_goes_its_own_way(
    first: list[Action], one: list[Action], other: list[Action]
) -> None:
    episode = scripted(max_turns=12)
    run(episode, first)
    fork, before = episode.fork(), state(episode)
    assert state(fork) == before
    outcomes = run(fork, one)
    assert state(episode) == before
    assert fork.snapshot() != episode.snapshot() or not outcomes
    after = state(fork)
    whole = scripted(max_turns=12)
    assert (
        run(episode, other) == run(whole, first + other)[len(run(scripted(max_turns=12), first)) :]
    )
    assert state(episode) == state(whole)
    assert state(fork) == after


@given(first=actions, then=actions, last=actions)
def test_restoring_takes_everything_back(
    first: list[Action], then: list[Action], last: list[Action]
) -> None:
    episode = scripted(max_turns=12)
    run(episode, first)
    snapshot, before = episode.snapshot(), state(episode)
    outcomes = []
    for steps in (last, then, last):
        run(episode, then)
        episode.restore(snapshot)
        assert state(episode) == before
        assert episode.snapshot() == snapshot
        outcomes.append((run(episode, steps), state(episode)))
        episode.restore(snapshot)
    assert outcomes[0] == outcomes[2]
    other = scripted(max_turns=12)
    other.restore(snapshot)
    assert (run(other, last), state(other)) == outcomes[0]


@given(one=actions, other=actions, order=st.lists(st.booleans(), max_size=16))
def test_interleaved_episodes_do_not_meet(
    one: list[Action], other: list[Action], order: list[bool]
) -> None:
    apart = [scripted(max_turns=6), scripted(max_turns=6)]
    outcomes = [run(apart[0], one), run(apart[1], other)]
    mixed = [scripted(max_turns=6), scripted(max_turns=6)]
    left = [list(one), list(other)]
    seen: list[list[Outcome]] = [[], []]
    for which in [*order, *[False] * 8, *[True] * 8]:
        if left[which]:
            seen[which] += run(mixed[which], [left[which].pop(0)])
    assert seen == outcomes
    assert [state(episode) for episode in mixed] == [state(episode) for episode in apart]
    assert toy().base.tables == {
        "accounts": {"ada": {"balance": 1000}, "bo": {"balance": 0}},
        "log": {},
    }


class Counting:
    """A user that counts to three."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def reset(self, task: Task, seed: int) -> str:
        self.heard = [f"{task.id} {seed}"]
        return "Go on!"

    def respond(self, message: str) -> UserTurn:
        self.heard.append(message)
        return UserTurn(str(len(self.heard)), "user_error" if len(self.heard) > 3 else None)


def test_a_user_of_ones_own() -> None:
    user = Counting()
    assert isinstance(user, User)
    episode = Episode(toy(), TASK, user, seed=9)
    assert episode.opening == "Go on!"
    assert play(episode, Reply("a")).observation == "2"
    fork, snapshot = episode.fork(), episode.snapshot()
    assert play(episode, Reply("b"), Reply("c")) == Outcome("4", 0.0, True, False)
    assert episode.termination_reason == "user_error"
    assert user.heard == ["save 9", "a", "b", "c"]
    assert play(fork, Reply("x")).observation == "3"
    assert fork.user.heard == ["save 9", "a", "x"]
    for _ in range(2):
        episode.restore(snapshot)
        assert play(episode, Reply("y")).observation == "3"
        assert list(episode.replies()) == ["a", "y"]


class Failing(Counting):
    """A user whose model breaks down at the second message."""

    def respond(self, message: str) -> UserTurn:
        if len(self.heard) == 2:
            raise UserError("no answer from the endpoint")
        return super().respond(message)


def test_a_user_that_fails_is_no_failure_of_the_agent() -> None:
    episode = Episode(toy(), TASK, Failing(), verifier=Half())
    expected = "Error: the user failed: no answer from the endpoint"
    assert play(episode, DEPOSIT, Reply("a"), SAID) == Outcome(expected, 0.0, True, False)
    assert episode.termination_reason == "user_error"
    assert episode.components == {}
    assert episode.transcript[-1].source == "environment"
    assert episode.fork().termination_reason == "user_error"


def test_a_bug_in_a_user_is_not_hidden() -> None:
    class Buggy(Counting):
        def respond(self, message: str) -> UserTurn:
            raise KeyError(message)

    with pytest.raises(KeyError):
        Episode(toy(), TASK, Buggy()).step(SAID)


def test_domain() -> None:
    domain = toy()
    assert pickle.loads(pickle.dumps(domain)) is domain
    assert domain.tasks("test") is domain.tasks("test")
    assert domain.splits == ("test",)
    with pytest.raises(OptionError, match="one of test for toy with data='none'; got 'train'"):
        domain.tasks("train")
    assert domain.reference_state(TASK) is domain.reference_state(TASK)
    assert domain.reference_state(copy.deepcopy(TASK)) == domain.reference_state(TASK)
