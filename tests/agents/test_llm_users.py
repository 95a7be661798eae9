"""Users played by a model: what they say, when they stop, and whose fault it is when they fail."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import pytest
from chat_server import ChatServer
from werkzeug import Response

import sca_envs
from sca_envs import OptionError, Usage, UserError
from sca_envs.agents.endpoint import Completion
from sca_envs.agents.users import CheckedUser, LLMUser


def task() -> sca_envs.Task:
    found: sca_envs.Task = sca_envs.domain("tau_retail").tasks("train")[0]
    return found


def test_roles_are_turned_round(server: ChatServer) -> None:
    server.say("I want to cancel my order.", "It is #W1.", "[END]")
    user = LLMUser(server.endpoint(output_price=1.0))
    assert isinstance(user, sca_envs.User)
    assert user.reset(task(), 7) == "I want to cancel my order."
    assert user.respond("Which one?") == ("It is #W1.", None)
    assert user.respond("Done.").end == "user_stop"
    messages = server.requests[-1]["messages"]
    assert task().instruction in messages[0]["content"]
    assert [(m["role"], m["content"]) for m in messages[2:]] == [
        ("assistant", "I want to cancel my order."),
        ("user", "Which one?"),
        ("assistant", "It is #W1."),
        ("user", "Done."),
    ]
    assert user.usage().requests == 3
    assert user.usage().cost == pytest.approx(3e-5)
    assert len({request["seed"] for request in server.requests}) == 3
    server.say("Again.")
    user.reset(task(), 7)
    assert server.requests[-1]["seed"] == server.requests[0]["seed"]
    assert user.usage().requests == 1


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        (["[END]"], [("", "user_stop")]),
        (["**[end]**\n"], [("", "user_stop")]),
        (["I say [END] when I am done."], [("I say [END] when I am done.", None)]),
        (["Cancel it, too. [END]", "Now."], [("Cancel it, too.", None), ("Now.", None)]),
        (["Thanks! [END]", "Bye. [END]"], [("Thanks!", None), ("Bye.", "user_stop")]),
        (["<think>[END]</think>Yes."], [("Yes.", None)]),
    ],
)
def test_the_end(server: ChatServer, said: list[str], heard: list[Any]) -> None:
    server.say("Hi.", *said)
    user = LLMUser(server.endpoint())
    user.reset(task(), 0)
    assert [tuple(user.respond("So?")) for _ in said] == heard


def _playing(user: Any, **options: Any) -> gym.Env[str, str]:
    env: gym.Env[str, str] = gym.make("sca/TauRetail-v0", user=user, **options)
    return env


def test_a_whole_episode_with_the_right_actions(server: ChatServer) -> None:
    """The user's words differ from the scripted user's; the verdict is about the database."""
    scripted = gym.make("sca/TauRetail-v0", split="test")
    sca_envs.play(scripted, sca_envs.ReferenceAgent(scripted), seed=1)
    episode = scripted.unwrapped.episode  # type: ignore[attr-defined]
    server.brain = lambda body: "[END]" if len(body["messages"]) > 2 else "I need help."
    env = _playing(LLMUser(server.endpoint()), split="test")
    result = sca_envs.play(env, sca_envs.ReferenceAgent(env), seed=1)
    assert result.task_id == episode.task.id
    assert (result.reward, result.termination_reason) == (1, "user_stop")
    assert len(server.requests) == 2


@pytest.mark.parametrize("failure", ["down", "silent", "nonsense"])
def test_failures_are_the_users(server: ChatServer, failure: str) -> None:
    bad = {
        "down": Response("no", 500),
        "silent": "",
        "nonsense": Response("<html>", content_type="text/html"),
    }[failure]
    server.brain = lambda body: "Hi." if len(body["messages"]) == 2 else bad
    env = _playing(LLMUser(server.endpoint()))
    result = sca_envs.play(env, sca_envs.ReferenceAgent(env), seed=1)
    assert (result.reward, result.termination_reason) == (0, "user_error")
    assert result.components == {}
    server.brain = lambda body: bad
    with pytest.raises(UserError):
        env.reset(seed=1)


def test_a_user_that_never_begins(server: ChatServer) -> None:
    server.say("[END]")
    with pytest.raises(UserError, match="before it began"):
        LLMUser(server.endpoint()).reset(task(), 0)


def test_silence_is_asked_again(server: ChatServer) -> None:
    server.say("", " ", "Hi.")
    user = LLMUser(server.endpoint())
    assert user.reset(task(), 0) == "Hi."
    assert user.usage().requests == 3


def test_forks_have_conversations_of_their_own(server: ChatServer) -> None:
    server.brain = lambda body: f"{len(body['messages'])} {body['messages'][-1]['content']}"
    env = _playing(LLMUser(server.endpoint())).unwrapped
    env.reset(seed=0)
    env.step("a")
    fork = env.fork()  # type: ignore[attr-defined]
    snapshot = env.snapshot()  # type: ignore[attr-defined]
    assert env.step("b")[0] == "6 b"
    assert fork.step("c")[0] == "6 c"
    assert env.step("d")[0] == "8 d"
    env.restore(snapshot)  # type: ignore[attr-defined]
    assert env.step("e")[0] == "6 e"


def test_evaluation_counts_them_apart(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """One episode's user breaks down; it is no failure of the agent, and its tokens are counted."""
    monkeypatch.setenv("SCA_MODEL", "toy")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    broken = sca_envs.domain("tau_retail").tasks("test")[1].instruction

    def brain(body: dict[str, Any]) -> Any:
        system, *others = body["messages"]
        if len(others) < 2:
            return "I need help."
        return Response("no", 400) if broken in system["content"] else "[END]"

    server.brain = brain
    evaluation = sca_envs.evaluate(
        "sca/TauRetail-v0", "reference", num_tasks=3, user="sca_envs:LLMUser"
    )
    ends = [trajectory.termination_reason for trajectory in evaluation.trajectories()]
    assert ends == ["user_stop", "user_error", "user_stop"]
    for trajectory in evaluation.trajectories():
        assert trajectory.user_usage is not None
        assert trajectory.user_usage.requests >= 1
        assert trajectory.reward == trajectory.counts
    error = [trajectory.error for trajectory in evaluation.trajectories()][1]
    assert error is not None
    assert error.type == "UserError"
    assert server.url in error.message


class Script:
    """A chat model whose drafts and checks are given; checks ask about the newest draft."""

    def __init__(self, drafts: list[str], checks: list[str]) -> None:
        self.drafts, self.checks = iter(drafts), iter(checks)
        self.asked: list[Any] = []

    def complete(self, messages: Any, tools: Any = None, seed: int | None = None) -> Completion:
        self.asked.append(messages)
        checking = len(messages) == 1
        return Completion(next(self.checks if checking else self.drafts), (), Usage(requests=1))


def test_a_checked_user_sends_what_passes() -> None:
    model = Script(
        ["Hi.", "My order is #W9.", "", "I do not know the id."],
        ["Fine.\nVerdict: good", "It invents an id.\nVerdict: bad", "Fits.\n**Verdict: GOOD**"],
    )
    user = CheckedUser(model)
    assert user.reset(task(), 0) == "Hi."
    assert user.respond("Which order?").text == "I do not know the id."
    assert user.usage().requests == 7
    check = model.asked[3][0]["content"]
    assert task().instruction in check
    assert "Agent: Which order?" in check
    assert "My order is #W9." in check
    again = model.asked[4]
    assert "It invents an id." in again[-1]["content"]
    # Nobody reads what was not sent: the conversation has the good draft alone.
    model.drafts, model.checks = iter(["Bye."]), iter(["Verdict: good"])
    user.respond("I see.")
    assert [m["content"] for m in model.asked[-2][2:]] == [
        "Hi.",
        "Which order?",
        "I do not know the id.",
        "I see.",
    ]


@pytest.mark.parametrize("check", ["Verdict: bad", "I like it."])
def test_a_checked_user_that_never_passes_has_failed(check: str) -> None:
    user = CheckedUser(Script(["a", "b"], [check, check]), max_drafts=2)
    with pytest.raises(UserError, match=r"none of 2 drafts.*'b'"):
        user.reset(task(), 0)


def test_options() -> None:
    with pytest.raises(OptionError, match="max_drafts"):
        CheckedUser(Script([], []), max_drafts=0)
    with pytest.raises(OptionError, match="base_url"):
        LLMUser(Script([], []), base_url="http://localhost")
    with pytest.raises(OptionError, match="SCA_MODEL"):
        LLMUser()
