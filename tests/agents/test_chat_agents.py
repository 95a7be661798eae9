"""Agents on a chat model play whole episodes against a real server."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import pytest
from chat_server import ChatServer, called, reference_actions
from hypothesis import given
from hypothesis import strategies as st
from turns import brain_of, in_code, in_text, native, react

import sca_envs
from agents.code_act import CodeActAgent
from agents.react import ReActAgent
from sca_envs import OptionError, Reply, Usage
from sca_envs.agents.chat import ChatAgent
from sca_envs.agents.endpoint import CalledTool, Completion
from sca_envs.agents.prompting import (
    prompt,
    signature,
    system_prompt,
    wants_answer,
    without_thought,
)

SEED = 3


Play = tuple[Callable[..., ChatAgent], Callable[..., Any], str, dict[str, Any]]
PLAYS: dict[str, Play] = {
    "native": (ChatAgent, lambda env, action: native(action), "TauRetail", {}),
    "native hermes": (
        ChatAgent,
        lambda env, action: native(action),
        "TauAirline",
        {"action_format": "hermes"},
    ),
    "native answer": (ChatAgent, lambda env, action: native(action), "M3DnaSequencer", {}),
    "react": (ReActAgent, react, "TauRetail", {}),
    "react answer": (ReActAgent, react, "M3TravelPlanning", {}),
    "code": (CodeActAgent, in_code, "TauRetail", {"action_format": "python"}),
    "code answer": (CodeActAgent, in_code, "M3MessageDecoder", {"action_format": "python"}),
    "m3 code": (CodeActAgent, in_text, "M3TradeCalculator", {"action_format": "m3-code"}),
    **{
        name: (lambda model, **o: ChatAgent(model, native=False, **o), in_text, env_id, options)
        for name, env_id, options in (
            ("json", "TauRetail", {"action_format": "json"}),
            ("hermes", "TauRetail", {"action_format": "hermes"}),
            ("m3-text", "M3TradeCalculator", {"action_format": "m3-text"}),
            ("m3-json", "M3WebBrowsing", {"action_format": "m3-json"}),
        )
    },
}


@pytest.mark.parametrize("name", PLAYS)
def test_every_agent_plays_a_whole_episode(server: ChatServer, name: str) -> None:
    make, write, env_id, options = PLAYS[name]
    env = gym.make(f"sca/{env_id}-v0", **options)
    actions = reference_actions(env, seed=SEED)
    written = [write(env, action) for action in actions]
    server.say(*written)
    endpoint = server.endpoint(input_price=1.0)
    agent = make(endpoint, format=options.get("action_format", "json"))
    result = sca_envs.play(env, agent, seed=SEED)
    assert result.reward == 1
    assert result.turns == len(actions) == len(server.requests)
    report = agent.report("", {})
    assert report.usage is not None
    assert report.usage.prompt_tokens == 100 * len(actions)
    assert report.usage.completion_tokens == 10 * len(actions)
    assert report.usage.cost == pytest.approx(len(actions) * 1e-4)
    # What the model reads is what happened: the policy, then observations in turn with its words.
    last = server.requests[-1]["messages"]
    assert last[0]["role"] == "system"
    assert env.unwrapped.domain.policy.strip() in last[0]["content"]  # type: ignore[attr-defined]
    transcript = env.unwrapped.episode.transcript  # type: ignore[attr-defined]
    heard = [m["content"] for m in last if m["role"] in ("user", "tool")]
    for text, observation in zip(heard[1:], [t.observation for t in transcript], strict=False):
        assert text.endswith(observation)
    assert len(heard) == len(actions)
    agent.close()
    endpoint.close()


def test_results_of_native_calls_are_tool_messages(server: ChatServer) -> None:
    server.say(called(("list_all_product_types", "{}"), content="Let me see."), "Hello!", "x")
    env = gym.make("sca/TauRetail-v0")
    agent = ChatAgent(server.endpoint(), seed=5)
    observation, info = env.reset(seed=0)
    agent.reset(observation, info)
    for _ in range(3):
        observation, *_, info = env.step(agent.act(observation, info))
    roles = [message["role"] for message in server.requests[-1]["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "assistant", "user"]
    said = server.requests[1]["messages"][2]
    assert said["content"] == "Let me see."
    assert said["tool_calls"][0]["function"] == {
        "name": "list_all_product_types",
        "arguments": "{}",
    }
    assert server.requests[1]["messages"][3]["tool_call_id"] == said["tool_calls"][0]["id"]
    assert server.requests[0]["tools"] == info["tools"]
    assert len({request["seed"] for request in server.requests}) == 3


def test_two_calls_in_one_message_are_two_turns(server: ChatServer) -> None:
    two = called(("list_all_product_types", "{}"), ("get_user_details", '{"user_id": "nobody"}'))
    server.say(two, "Hello!")
    env = gym.make("sca/TauRetail-v0", max_turns=3)
    result = sca_envs.play(env, ChatAgent(server.endpoint()), seed=0)
    assert result.turns == 3
    assert len(server.requests) == 2
    sources = [t.source for t in env.unwrapped.episode.transcript]  # type: ignore[attr-defined]
    assert sources == ["list_all_product_types", "get_user_details", "user"]
    roles = [message["role"] for message in server.requests[-1]["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "tool"]


STRANGE = [
    "",
    " ",
    "{",
    "x" * 100_000,
    "\ud800",
    '{"name": "think"',
    "```python\nwhile True",
    "Action: ",
    "Action: {" + '"a":' * 50_000,
    "Thought: only",
    "<think>never ends",
    "<think>a</think>",
    "<tool_call><tool_call>",
    "\x00\x1b[2J",
    called(("think", "{")),
    called(("think", "[1]")),
    called(("think", "")),
    called(("think", "[" * 100_000)),
    called(("think", '{"thought": "\\ud800"}')),
    called(("think", '{"thought": NaN}')),
    called(("think", '{}, "name": "get_user_details"')),
    called(("fly to the moon\ud800", "{}")),
    called(("", "")),
    called(("answer", '{"content": 7}')),
    called(("think", "{}"), ("think", "{"), ("nope", "null")),
    called(("think", '{"thought": "' + "x" * 100_000 + '"}')),
]


@pytest.mark.parametrize("said", STRANGE, ids=lambda said: repr(said)[:30])
@pytest.mark.parametrize("name", ["native", "native hermes", "json", "react", "code", "m3-json"])
def test_anything_that_a_model_says_is_a_turn(
    server: ChatServer, name: str, said: str | dict[str, Any]
) -> None:
    make, _, env_id, options = PLAYS[name]
    server.brain = lambda body: said
    env = gym.make(f"sca/{env_id}-v0", max_turns=3, **options)
    agent = make(server.endpoint(), format=options.get("action_format", "json"))
    result = sca_envs.play(env, agent, seed=0)
    assert result.reward == 0
    assert result.turns >= 1
    for request in server.requests:  # what strict servers ask of a history
        for message in request["messages"]:
            for call in message.get("tool_calls", []):
                assert isinstance(json.loads(call["function"]["arguments"]), dict)
                assert call["function"]["name"].replace("_", "").isalnum()


@pytest.mark.parametrize(
    ("arguments", "observation"),
    [
        ("{", "got invalid JSON"),
        ("[1]", '"arguments" of type list'),
        ('{}, "name": "get_user_details"', '"arguments" of type str'),
        ('{"thought": NaN}', "got invalid JSON: NaN is not JSON"),
    ],
)
@pytest.mark.parametrize("action_format", ["json", "hermes"])
def test_malformed_arguments_are_told_to_the_model(
    server: ChatServer, action_format: str, arguments: str, observation: str
) -> None:
    server.brain = lambda body: called(("think", arguments))
    env = gym.make("sca/TauRetail-v0", max_turns=2, action_format=action_format)
    sca_envs.play(env, ChatAgent(server.endpoint(), format=action_format), seed=0)
    (told,) = [m for m in server.requests[1]["messages"] if m["role"] == "tool"]
    assert told["content"].startswith("Error: Expected")
    assert observation in told["content"]


class Parrot:
    """A chat model that says one thing."""

    def __init__(self, text: str, calls: tuple[CalledTool, ...] = ()) -> None:
        self.said = Completion(text, calls, Usage(requests=1))

    def complete(self, messages: Any, tools: Any = None, seed: int | None = None) -> Completion:
        return self.said


@given(
    text=st.text(),
    calls=st.lists(st.builds(CalledTool, st.just("c"), st.text(), st.text()), max_size=2),
)
def test_any_text_is_a_turn(text: str, calls: list[CalledTool]) -> None:
    env = gym.make("sca/M3TradeCalculator-v0", max_turns=2)
    for make in (ChatAgent, ReActAgent):
        assert sca_envs.play(env, make(Parrot(text, tuple(calls))), seed=0).reward == 0


def test_plain_text_is_said_word_for_word() -> None:
    text = '{"name": "cancel_pending_order", "arguments": {}}'
    env = gym.make("sca/TauRetail-v0", max_turns=1)
    sca_envs.play(env, ChatAgent(Parrot(text)), seed=0)
    assert env.unwrapped.episode.transcript[0].action == Reply(text)  # type: ignore[attr-defined]


@pytest.mark.parametrize("engine", ["local", "thread"])
def test_evaluation_with_endpoints(
    server: ChatServer, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = gym.make("sca/TauRetail-v0", split="test")
    written = {}
    for index in range(4):
        actions = reference_actions(env, options={"task": index})
        opening = env.unwrapped.episode.opening  # type: ignore[attr-defined]
        written[opening] = [native(action) for action in actions]
    monkeypatch.setenv("SCA_MODEL", "toy")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    server.brain = brain_of(written)
    evaluation = sca_envs.evaluate(
        "sca/TauRetail-v0",
        "sca_envs:ChatAgent",
        agent_options={"input_price": 1.0, "seed": 1},
        num_tasks=4,
        engine=engine,
        workers=1 if engine == "local" else 3,
    )
    trajectories = list(evaluation.trajectories())
    assert [trajectory.reward for trajectory in trajectories] == [1] * 4
    for trajectory in trajectories:
        usage = trajectory.usage
        assert usage is not None
        assert usage.requests == len(trajectory.turns)
        assert usage.cost == pytest.approx(usage.prompt_tokens / 1e6)
        calls = [m for m in trajectory.messages if m.get("tool_calls")]
        assert calls


def test_before_reset() -> None:
    with pytest.raises(RuntimeError, match="reset"):
        ChatAgent(Parrot("")).act("", {})


@pytest.mark.parametrize(
    ("make", "action_format", "match"),
    [
        (ChatAgent, "python", "native=False"),
        (ChatAgent, "m3-text", "native=False"),
        (ReActAgent, "hermes", "'json' for ReAct"),
        (CodeActAgent, "json", 'action_format="python"'),
    ],
)
def test_formats_that_do_not_fit(make: Any, action_format: str, match: str) -> None:
    env = gym.make("sca/M3TradeCalculator-v0", action_format=action_format)
    _, info = env.reset(seed=0)
    with pytest.raises(OptionError, match=match):
        make(Parrot("")).reset("", info | {"action_format": action_format})


def test_options_of_an_endpoint_need_a_name() -> None:
    with pytest.raises(OptionError, match="base_url"):
        ChatAgent(Parrot(""), base_url="http://localhost")
    with pytest.raises(OptionError, match=r"\(base_url, .* got temprature"):
        ChatAgent("toy", temprature=1)


IDS = sorted(i for i in gym.registry if i.startswith("sca/"))


@pytest.mark.parametrize("env_id", IDS)
def test_policies_say_whether_an_answer_is_wanted(env_id: str) -> None:
    env = gym.make(env_id)
    _, info = env.reset(seed=0)
    expected = env.unwrapped.episode.task.expected  # type: ignore[attr-defined]
    assert wants_answer(info) == (expected is not None)


@pytest.mark.parametrize("name", ["json", "hermes", "python", "m3-text", "m3-json", "m3-code"])
@pytest.mark.parametrize("env_id", ["sca/TauRetail-v0", "sca/M3TravelPlanning-v0"])
def test_prompts_name_every_tool_and_parameter(env_id: str, name: str) -> None:
    _, info = gym.make(env_id).reset(seed=0)
    text = system_prompt(name, info)
    for tool in info["tools"]:
        assert tool["function"]["name"] in text
        assert all(key in text for key in tool["function"]["parameters"]["properties"])
    assert ("answer" in text.rpartition("How to write")[2].lower()) or not wants_answer(info)
    assert "{%" not in text
    assert "{{" not in text


def test_unknown_prompt() -> None:
    with pytest.raises(OptionError, match="user_check"):
        prompt("nope")


def test_signature() -> None:
    _, info = gym.make("sca/TauRetail-v0").reset(seed=0)
    schemas = {tool["function"]["name"]: tool["function"] for tool in info["tools"]}
    assert signature(schemas["get_order_details"]) == "get_order_details(order_id: str)"
    assert "reason: Literal['" in signature(schemas["cancel_pending_order"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Hi", "Hi"),
        ("<think>a</think>\n\nHi <think>", "Hi <think>"),
        (" <think></think>", ""),
        ("<think>a", "<think>a"),
        ("a <think>b</think>", "a <think>b</think>"),
    ],
)
def test_thoughts_are_not_said(text: str, said: str) -> None:
    assert without_thought(text) == said
