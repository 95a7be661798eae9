"""Whatever a child sends, the host takes it as a result or a failure, at a bounded cost."""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sca_envs.sandbox import Limits, Result, SandboxError
from sca_envs.sandbox.channel import Channel
from sca_envs.sandbox.execution import ONE_CELL, Execution, normalize
from tests.sandbox.conftest import Host

LIMITS = Limits(wall_seconds=20.0, cpu_seconds=20.0)
HOST_SECONDS, HOST_MEMORY = 0.5, 64 << 20
SOURCE = "x = 1\n" * 3000


class FakeChild:
    """The host's view of a child whose end of the channel is held by the test."""

    def __init__(self, end: socket.socket) -> None:
        self.process = self.number = os.getpid()
        self.channel = Channel(end)


def frame(kind: bytes, body: bytes) -> bytes:
    return (len(body) + 1).to_bytes(4, "little") + kind + body


def receive(data: bytes, compiling: bool = False) -> Result | SandboxError:
    """Let the host read what a child sent before it ended."""
    ours, theirs = socket.socketpair()
    child: Any = FakeChild(ours)
    tools = normalize(Host().tools)
    execution = Execution(child, tools, LIMITS, ONE_CELL, {ONE_CELL: SOURCE}, compiling)
    sender = threading.Thread(target=_send, args=(theirs, data))
    sender.start()
    try:
        return execution.converse(b"job")
    except SandboxError as error:
        return error
    finally:
        child.channel.close()
        sender.join()


def _send(end: socket.socket, data: bytes) -> None:
    """Send all, end, and read what comes back."""
    with end, contextlib.suppress(OSError):  # the host may have seen enough
        end.sendall(data)
        end.shutdown(socket.SHUT_WR)
        while end.recv(1 << 20):
            pass


def check(data: bytes, compiling: bool = False) -> None:
    start = time.process_time()
    result = receive(data, compiling)
    assert time.process_time() - start < HOST_SECONDS * max(1, data.count(b"C") // 1000)
    if isinstance(result, Result) and not compiling:
        for text in (result.stdout, result.stderr, result.displayed or ""):
            assert len(text.encode()) <= LIMITS.output_bytes
        assert len(json.dumps(result.value)) <= 1.2 * LIMITS.message_bytes
        if result.error is not None:
            assert len(result.error.traceback) < 64 << 10


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["<cell>", "get_order_details", "cancel_order", "exception", "result"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)
HONEST = st.fixed_dictionaries(
    {
        "cell": st.just("<cell>") | JSON,
        "overflowed": st.booleans() | JSON,
        "error": st.none()
        | JSON
        | st.fixed_dictionaries(
            {
                "type": st.just("ValueError") | JSON,
                "message": st.text(max_size=20) | JSON,
                "frames": st.lists(
                    st.tuples(st.just("<cell>") | JSON, st.integers(-2, 4000) | JSON, st.text()),
                    max_size=30,
                )
                | JSON,
                "kind": st.sampled_from(["exception", "memory", "result"]) | JSON,
            }
        ),
    },
    optional={"value": JSON, "more": JSON},
)
CALL = st.tuples(
    st.sampled_from(["get_order_details", "cancel_order", "none"]) | JSON,
    st.dictionaries(st.sampled_from(["order_id", "reason", "x"]), JSON) | JSON,
)
BLOWN_UP: list[Callable[[random.Random], bytes]] = [
    lambda chance: b"[" * chance.randrange(1, 1 << 20),
    lambda chance: b"[" + b"[]," * chance.randrange(1, 340_000) + b"1]",
    lambda chance: b"[" + b"{}," * chance.randrange(1, 340_000) + b"1]",
    lambda chance: b"[" + b'{"a":1},' * chance.randrange(1, 120_000) + b"1]",
    lambda chance: b"{" + b",".join(b'"%d":1' % n for n in range(chance.randrange(90_000))) + b"}",
    lambda chance: b"9" * chance.randrange(1, 1 << 20),
    lambda chance: b"[" + b"9" * 4299 + (b"," + b"9" * 4299) * chance.randrange(240) + b"]",
    lambda chance: b"1." + b"3" * chance.randrange(1, 1 << 20),
    lambda chance: b"[" + b"1e5," * chance.randrange(1, 250_000) + b"1]",
    lambda chance: b'"' + b"\\u00e9" * chance.randrange(1, 170_000) + b'"',
    lambda chance: b'"' + b"\\ud83d" * chance.randrange(1, 170_000) + b'"',
    lambda chance: b'"' + b"\\" * chance.randrange(1, 1 << 20) + b'"',
    lambda chance: b" " * chance.randrange(1, 1 << 20) + b"null",
    lambda chance: chance.randbytes(chance.randrange(1 << 16)),
    lambda chance: "é😀".encode() * chance.randrange(1, 1 << 15),
]


class Stream(bytes):
    """Bytes of which a failure shows the beginning and the length."""

    def __repr__(self) -> str:
        return f"<{len(self)} bytes: {bytes(self[:200])!r}>"


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Frames that are honest, forged, mutated, blown up or cut."""
    parts = []
    for _ in range(draw(st.integers(0, 5))):
        kind = draw(st.sampled_from([b"C", b"V", b"O", b"X", b"D", b"F", b"P", b"J", b"\0"]))
        body: bytes = draw(
            st.binary(max_size=60)
            | JSON.map(lambda value: json.dumps(value).encode())
            | HONEST.map(lambda value: json.dumps(value).encode())
            | CALL.map(lambda value: json.dumps(value).encode())
            | st.builds(
                lambda make, seed: make(random.Random(seed)),
                st.sampled_from(BLOWN_UP),
                st.integers(0, 1 << 32),
            )
        )
        if body and draw(st.booleans()):
            place = draw(st.integers(0, len(body) - 1))
            body = body[:place] + draw(st.binary(max_size=2)) + body[place + 1 :]
        parts.append(frame(kind, body))
    if draw(st.booleans()):
        parts.append(frame(b"F", json.dumps(draw(HONEST)).encode()))
    data = b"".join(parts)
    return Stream(data[: draw(st.integers(0, len(data)))] if draw(st.integers(0, 4)) == 0 else data)


_options: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "database": None,
}


@settings(max_examples=300, derandomize=True, **_options)
@given(data=streams(), compiling=st.booleans())
def test_any_stream_is_a_result_or_a_failure(data: bytes, compiling: bool) -> None:
    check(data, compiling)


@pytest.mark.nightly
@settings(max_examples=10_000, **_options)
@given(data=streams(), compiling=st.booleans())
def test_ten_thousand_streams(data: bytes, compiling: bool) -> None:
    check(data, compiling)


@pytest.fixture
def measured() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.parametrize("kind", [b"V", b"C", b"F", b"O", b"P"])
@pytest.mark.parametrize("number", range(len(BLOWN_UP)))
def test_the_host_needs_little_memory(kind: bytes, number: int, measured: None) -> None:
    body = BLOWN_UP[number](random.Random(number + 1))
    end = frame(b"F", b'{"cell": "<cell>", "overflowed": false, "error": null}')
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    receive(frame(kind, body) + end)
    assert tracemalloc.get_traced_memory()[1] - before < HOST_MEMORY


def test_an_honest_stream_is_a_result() -> None:
    end = frame(b"F", b'{"cell": "<cell>", "overflowed": false, "error": null}')
    call = frame(b"C", b'["get_order_details", {"order_id": "#W1"}]')
    result = receive(call + frame(b"V", b"[1]") + frame(b"O", "é".encode()) + end)
    assert isinstance(result, Result)
    assert (result.value, result.stdout, len(result.calls)) == ([1], "é", 1)


@pytest.mark.parametrize("kind", [b"V", b"O", b"X", b"D"])
def test_a_part_comes_once(kind: bytes) -> None:
    error = receive(frame(kind, b"1") * 2)
    assert isinstance(error, SandboxError)
    assert error.reason == "protocol"
