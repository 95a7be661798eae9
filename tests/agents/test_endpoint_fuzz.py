"""Anything may come from an endpoint: a completion or an `EndpointError` comes of it, and soon.

The bytes go through a transport in memory, so that ten thousand replies take minutes. Shapes of
replies are hypothesis's; bytes, status codes and headers are drawn by it, too.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
import time
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from chat_server import called, completion
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sca_envs import domain
from sca_envs.agents.chat import ChatAgent
from sca_envs.agents.connection import _httpx
from sca_envs.agents.endpoint import Completion, Endpoint, EndpointError

HELLO = [{"role": "user", "content": "Hello?"}]
GOOD = [
    json.loads(completion("Hello!")),
    json.loads(completion(called(("think", "{}"), ("f", "{")))),
]
MEMORY = 64e6
SECONDS = 0.5
COUNTS = {"completions": 0, "errors": 0, "slowest_ms": 0}

_texts = st.text(st.characters(codec=None, exclude_categories=[]), max_size=30) | st.sampled_from(
    ["\ud800", "\x00", "</tool_call>", "NaN", "9" * 5000, "[" * 3000, "x" * 200_000, '{"a": 1}']
)
_numbers = (
    st.integers()
    | st.floats()
    | st.sampled_from([10**4000, -(10**4299), 2**63, -1, 10**12, 1e308, float("nan")])
)
_leaves = st.none() | st.booleans() | _numbers | _texts
_keys = _texts | st.sampled_from(
    ["choices", "message", "content", "tool_calls", "function", "name", "arguments", "id", "usage"]
)
_values = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(_keys, inner, max_size=5),
    max_leaves=12,
)


def _places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    return [place, *(found for key, item in items for found in _places(item, (*place, key)))]


@st.composite
def _mutated(draw: Callable[[Any], Any]) -> bytes:
    """A valid reply in which some places hold something else."""
    value = json.loads(json.dumps(draw(st.sampled_from(GOOD))))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(_places(value)[1:]))
        at: Any = value
        try:
            for key in place[:-1]:
                at = at[key]
            at[place[-1]] = draw(_values)
        except (KeyError, IndexError, TypeError):  # an earlier change took it away
            continue
    return json.dumps(value).encode()


@st.composite
def _damaged(draw: Callable[[Any], Any]) -> bytes:
    """A valid reply cut, repeated or with other bytes in it."""
    body = json.dumps(draw(st.sampled_from(GOOD))).encode()
    at = draw(st.integers(0, len(body)))
    end = draw(st.integers(at, len(body)))
    return body[:at] + draw(st.binary(max_size=40)) * draw(st.sampled_from([0, 1, 50])) + body[end:]


_HUGE = [
    b"[" * 1_000_000,
    b"[" * 900 + b"]" * 900,
    b'{"a":' * 50_000,
    b"[" + b"{}," * 100_000 + b"1]",
    b"[" + b'"\xc4\x80",' * 400_000 + b"1]",
    b"[" + b"1.5," * 500_000 + b"1]",
    b"1." + b"1" * 2_000_000,
    b"1" * 2_000_000,
    b'{"choices": [{"message": {"content": "' + b"\\u0100" * 300_000 + b'"}}]}',
    b'{"choices": [{"message": {"tool_calls": [' + b"{}," * 90_000 + b"{}]}}]}",
    b'{"choices": [{"message": {"content": [' + b"{}," * 90_000 + b"{}]}}]}",
    b'{"usage": {"prompt_tokens": 1e999}, "choices": [{"message": {}}]}',
    b'{"choices": [{"message": {"content": "a"}}], "choices": []}',
    b"a" * 3_000_000,
]
_huge = st.integers(0, len(_HUGE) - 1)  # not the bytes, which hypothesis would print
_bodies = st.one_of(
    _mutated(),
    _mutated(),
    _damaged(),
    st.binary(max_size=200),
    _values.map(lambda value: json.dumps(value).encode()),
)
_encodings: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "gzip, deflate": lambda body: zlib.compress(gzip.compress(body)),
    "br": bytes,
    "GZIP": bytes,
    "\x00": bytes,
}
_statuses = st.sampled_from(
    [200] * 8 + [201, 204, 304, 307, 400, 401, 404, 418, 429, 500, 503, 999]
)
_headers = st.dictionaries(
    st.sampled_from(
        ["Retry-After", "Content-Type", "Location", "X-Should-Retry", "Content-Length", "X-Y"]
    ),
    st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=40)
    | st.sampled_from(
        [
            "1e999",
            "-1",
            "text/plain; charset=hex",
            "application/json; charset=utf-16",
            "true",
            "/v1",
        ]
    ),
    max_size=3,
)


def _bytes(body: bytes | int) -> bytes:
    return _HUGE[body] if isinstance(body, int) else body


class _Memory(_httpx.AsyncBaseTransport):  # type: ignore[misc]
    """Gives the reply that a test set."""

    reply: tuple[int, dict[str, str], bytes, int]

    async def handle_async_request(self, request: Any) -> Any:
        status, headers, body, piece = self.reply

        async def pieces() -> Any:
            for start in range(0, len(body), piece):
                yield body[start : start + piece]

        raw = [(key.encode("latin-1"), value.encode("latin-1")) for key, value in headers.items()]
        return _httpx.Response(status, headers=raw, content=pieces())


@pytest.fixture(scope="module")
def endpoint() -> Any:
    """An endpoint whose replies are made in memory."""
    made = Endpoint("toy", "http://memory/v1", timeout=60.0, max_retries=0)
    made._client._client._transport = _Memory()  # type: ignore[attr-defined]
    yield made
    made.close()


def _ask(endpoint: Endpoint, status: int, headers: dict[str, str], body: bytes, piece: int) -> None:
    transport = endpoint._client._client._transport  # type: ignore[attr-defined]
    transport.reply = status, headers, body, piece
    took = min(_time(endpoint) for _ in range(2))  # the collector's time may fall into one of them
    COUNTS["slowest_ms"] = max(COUNTS["slowest_ms"], round(took * 1000))
    assert took < SECONDS


def _time(endpoint: Endpoint) -> float:
    """Return the processor's seconds that a reply takes."""
    began = time.process_time()
    problem = ""
    try:
        said = endpoint.complete(HELLO)
    except EndpointError as error:
        problem = str(error)
        COUNTS["errors"] += 1
    else:
        COUNTS["completions"] += 1
        _check(said)
    assert len(problem) < 1500
    return time.process_time() - began


def _check(said: Completion) -> None:
    """What comes of a reply can be played, written down and read again."""
    assert isinstance(said.text, str)
    for call in said.calls:
        assert all(isinstance(part, str) for part in call)
    assert len({call.id for call in said.calls}) == len(said.calls)
    usage = said.usage
    for count in (usage.prompt_tokens, usage.completion_tokens):
        assert type(count) is int
        assert 0 <= count <= 10**12


def _examples(number: int) -> Callable[[Any], Any]:
    return settings(
        max_examples=number,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def _fuzz(endpoint: Endpoint, number: int) -> None:
    encodings, pieces = (
        st.sampled_from([""] * 6 + list(_encodings)),
        st.sampled_from([7, 300, 65536]),
    )

    @_examples(number)
    @given(_statuses, _headers, _bodies | _huge, encodings, pieces)
    def ask(
        status: int, headers: dict[str, str], body: bytes | int, encoding: str, piece: int
    ) -> None:
        packed = _encodings[encoding](_bytes(body))
        headers = headers | ({"Content-Encoding": encoding} if encoding else {})
        _ask(endpoint, status, headers, packed, piece)

    ask()
    print(f"{COUNTS}: {number} replies, each read twice", file=sys.stderr)
    assert COUNTS["completions"] > number / 50
    assert COUNTS["errors"] > number / 10


def test_a_few_hundred_replies(endpoint: Endpoint) -> None:
    COUNTS.update(completions=0, errors=0, slowest_ms=0)
    _fuzz(endpoint, 300)


@pytest.mark.nightly
def test_ten_thousand_replies(endpoint: Endpoint) -> None:
    COUNTS.update(completions=0, errors=0, slowest_ms=0)
    _fuzz(endpoint, 10_000)


def test_memory_is_bounded(endpoint: Endpoint) -> None:
    @_examples(60)
    @given(_bodies | _huge | _huge, st.sampled_from(["", "gzip", "gzip, deflate"]))
    def ask(body: bytes | int, encoding: str) -> None:
        packed = _encodings[encoding](_bytes(body))
        transport = endpoint._client._client._transport  # type: ignore[attr-defined]
        transport.reply = 200, {"Content-Encoding": encoding}, packed, 65536
        tracemalloc.start()
        try:
            endpoint.complete(HELLO)
        except EndpointError:
            pass
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < MEMORY

    ask()


def test_what_comes_of_a_reply_can_be_played(endpoint: Endpoint) -> None:
    """The agent makes a turn of it, and the conversation that it sends next is JSON."""
    world = domain("tau_retail")
    info = {"tools": list(world.schemas), "policy": world.policy, "source": "user"}

    @_examples(100)
    @given(_mutated())
    def play(body: bytes) -> None:
        transport = endpoint._client._client._transport  # type: ignore[attr-defined]
        transport.reply = 200, {}, body, 65536
        agent = ChatAgent(endpoint)
        agent.reset("Hello!", info)
        try:
            for _ in range(3):
                assert isinstance(agent.act("Hello!", info), str)
        except EndpointError:
            return
        usage = agent.report("", info).usage
        assert usage is not None
        assert usage.requests >= 1
        json.loads(json.dumps(usage.model_dump()))

    play()


def test_the_loop_lives_on() -> None:
    """No reply took down the thread that all endpoints share."""
    from sca_envs.agents.connection import wait_for

    async def nothing() -> int:
        await asyncio.sleep(0)
        return 7

    assert wait_for(nothing) == 7
