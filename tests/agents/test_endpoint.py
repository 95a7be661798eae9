"""The client of an endpoint, against a real server that is slow, fails or talks nonsense."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

import pytest
from chat_server import ChatServer, called, completion
from openai.types.chat import ChatCompletion
from werkzeug import Response

from sca_envs import OptionError
from sca_envs.agents.endpoint import Endpoint, EndpointError

HELLO = [{"role": "user", "content": "Hello?"}]


def test_a_completion_and_what_it_cost(server: ChatServer) -> None:
    endpoint = server.endpoint(input_price=2.0, output_price=10.0, max_tokens=7, extra={"n": 1})
    said = endpoint.complete(HELLO, seed=3)
    assert (said.text, said.calls) == ("Hello!", ())
    assert said.usage.cost == pytest.approx((100 * 2 + 10 * 10) / 1e6)
    assert (said.usage.prompt_tokens, said.usage.completion_tokens) == (100, 10)
    assert (said.usage.requests, said.usage.errors) == (1, 0)
    assert server.requests == [
        {
            "model": "toy",
            "messages": HELLO,
            "temperature": 0.0,
            "max_tokens": 7,
            "n": 1,
            "seed": 3,
        }
    ]
    assert server.endpoint().complete(HELLO).usage.cost is None


def _failure(status: int, **headers: str) -> Response:
    error = {"error": {"message": f"no luck {status}", "type": "x", "code": None}}
    return Response(json.dumps(error), status, headers, content_type="application/json")


def _truncated() -> Response:
    return Response(completion("Hello!")[:40], content_type="application/json")


def _cut_off() -> Response:
    """A connection that closes before all that was announced has come."""
    body = completion("Hello!")
    response = Response(body[:40], content_type="application/json")
    response.headers["Content-Length"] = str(len(body))
    response.automatically_set_content_length = False
    return response


NONSENSE = {
    "truncated": _truncated,
    "html": lambda: Response("<html>Welcome to nginx!</html>", content_type="text/html"),
    "empty": lambda: Response("", content_type="application/json"),
    "no choices": lambda: Response('{"choices": []}', content_type="application/json"),
    "null": lambda: Response("null", content_type="application/json"),
    "a list": lambda: Response("[1]", content_type="application/json"),
    "no message": lambda: Response('{"choices": [{"text": "x"}]}', content_type="application/json"),
    "deep": lambda: Response("[" * 100_000, content_type="application/json"),
}


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_nonsense_is_asked_for_again(server: ChatServer, nonsense: str) -> None:
    server.say(NONSENSE[nonsense](), "Hello!")
    said = server.endpoint().complete(HELLO)
    assert said.text == "Hello!"
    assert (said.usage.requests, said.usage.errors) == (1, 1)


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_nonsense_for_ever_is_an_error(server: ChatServer, nonsense: str) -> None:
    server.brain = lambda body: NONSENSE[nonsense]()
    with pytest.raises(EndpointError, match=f"{server.url}.*does not speak OpenAI's chat protocol"):
        server.endpoint(max_retries=1).complete(HELLO)
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
def test_passing_failures_are_tried_again(server: ChatServer, status: int) -> None:
    server.say(_failure(status), _failure(500), "Hello!")
    said = server.endpoint().complete(HELLO)
    assert said.text == "Hello!"
    assert said.usage.errors == 2


def test_a_lost_connection_is_tried_again(server: ChatServer) -> None:
    server.say(_cut_off(), "Hello!")
    assert server.endpoint().complete(HELLO).text == "Hello!"


def test_the_server_says_how_long_to_wait(server: ChatServer) -> None:
    server.say(_failure(429, **{"Retry-After": "1"}), "Hello!")
    began = time.monotonic()
    assert server.endpoint().complete(HELLO).text == "Hello!"
    assert time.monotonic() - began >= 1


@pytest.mark.parametrize(
    ("status", "advice", "asked"),
    [
        (401, "Check the key", 1),
        (403, "Check what the key", 1),
        (404, "serves the model 'toy'", 1),
        (400, "Check the options", 1),
        (429, "use fewer workers", 2),
        (500, "server's log", 2),
    ],
)
def test_lasting_failures_say_what_to_do(
    server: ChatServer, status: int, advice: str, asked: int
) -> None:
    server.brain = lambda body: _failure(status)
    with pytest.raises(
        EndpointError, match=rf"{server.url}/ answered {status}: .*{advice}"
    ) as error:
        server.endpoint(max_retries=1).complete(HELLO)
    assert f"no luck {status}" in str(error.value)
    assert len(server.requests) == asked


def test_a_slow_server(server: ChatServer) -> None:
    def brain(body: dict[str, Any]) -> str:
        time.sleep(0.6 if len(server.requests) == 1 else 0)
        return "At last."

    server.brain = brain
    assert server.endpoint(timeout=0.2).complete(HELLO).text == "At last."
    server.requests.clear()
    with pytest.raises(EndpointError, match=r"did not answer within 0.2 s.*larger `timeout`"):
        server.endpoint(timeout=0.2, max_retries=0).complete(HELLO)


def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    endpoint = Endpoint("toy", url, max_retries=1)
    with pytest.raises(EndpointError, match=rf"{url}/ cannot be reached .*OPENAI_BASE_URL"):
        endpoint.complete(HELLO)


def test_settings_come_from_the_environment(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OptionError, match="SCA_MODEL"):
        Endpoint()
    with pytest.raises(OptionError, match="OPENAI_API_KEY"):
        Endpoint("toy")
    monkeypatch.setenv("SCA_MODEL", "other")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    assert Endpoint(temperature=None).complete(HELLO).text == "Hello!"
    assert server.requests == [{"model": "other", "messages": HELLO}]


@pytest.mark.parametrize(
    ("message", "text", "calls"),
    [
        ({"content": None}, "", []),
        ({}, "", []),
        ({"content": 7}, "", []),
        ({"content": [{"type": "text", "text": "a"}, {"text": None}, "b"]}, "a", []),
        ({"content": "\ud800 \U0001f600"}, "\ud800 \U0001f600", []),
        ({"content": "", "tool_calls": None}, "", []),
        ({"tool_calls": "think"}, "", []),
        ({"tool_calls": [None, {}]}, "", [("call_0", "", "{}"), ("call_1", "", "{}")]),
        (
            {"tool_calls": [{"id": 5, "function": {"name": "f", "arguments": {"a": 1}}}]},
            "",
            [("5", "f", '{"a": 1}')],
        ),
        (
            {"tool_calls": [{"id": "a", "function": {"name": "f"}}] * 2},
            "",
            [("a", "f", "{}"), ("call_1", "f", "{}")],
        ),
        (called(("f", "{"), content="so"), "so", [("c0", "f", "{")]),
    ],
)
def test_whatever_a_message_is(
    server: ChatServer, message: dict[str, Any], text: str, calls: list[Any]
) -> None:
    body = json.dumps({"choices": [{"message": message}]})
    server.brain = lambda _: Response(body, content_type="application/json")
    said = server.endpoint().complete(HELLO)
    assert (said.text, list(said.calls)) == (text, calls)
    assert said.usage.requests == 1


def test_lone_surrogates_can_be_sent(server: ChatServer) -> None:
    server.endpoint().complete([{"role": "user", "content": "\ud800"}, {"a": ["\udfff"]}])
    assert server.requests[0]["messages"] == [{"role": "user", "content": "?"}, {"a": ["?"]}]


def test_replies_are_those_of_the_protocol() -> None:
    made = ChatCompletion.model_validate_json(completion(called(("f", "{}"))))
    assert made.choices[0].finish_reason == "tool_calls"
