"""Servers that hang, flood, lie and talk nonsense: no request outlives its time or its memory."""

from __future__ import annotations

import gc
import gzip
import json
import math
import time
import tracemalloc
import zlib
from typing import Any

import pytest
from bad_server import Behaviour, bad_server, drip, reply, send
from chat_server import ChatServer, completion

from sca_envs import OptionError
from sca_envs.agents.endpoint import Completion, Endpoint, EndpointDownError, EndpointError

HELLO = [{"role": "user", "content": "Hello?"}]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
GOOD = completion("Hello!").encode()
BOMB = gzip.compress(b'{"a": "' + b"a" * 50_000_000)
TIMEOUT = 1.0


def _ask(behave: Behaviour, before_request: bool = False, **options: Any) -> Completion:
    with bad_server(behave, before_request=before_request) as url:
        endpoint = Endpoint("toy", url, **{"timeout": TIMEOUT, "max_retries": 0} | options)
        try:
            return endpoint.complete(HELLO)
        finally:
            endpoint.close()


def _packed(body: bytes, encoding: str) -> bytes:
    return reply(body, f"Content-Encoding: {encoding}")


def _deep(depth: int) -> bytes:
    return b'{"choices": ' + b"[" * depth + b"]" * depth + b"}"


HANGS: dict[str, Behaviour] = {
    "says nothing": drip(b"", b""),
    "drips the status line": drip(b"HTTP/1.1 200 ", b"O"),
    "drips a header": drip(HEAD + b"X-Slow: ", b"a"),
    "drips headers": drip(HEAD, b"X-Slow: a\r\n"),
    "drips the body": drip(HEAD + b"Content-Length: 100000\r\n\r\n", b"a"),
    "drips spaces without an end": drip(HEAD + b"\r\n", b" "),
    "drips chunks": drip(CHUNKED, b"1\r\na\r\n"),
    "drips the size of a chunk": drip(CHUNKED, b"0"),
    "drips trailers": drip(CHUNKED + b"0\r\n", b"X-Slow: a\r\n"),
    "never ends a chunked body": drip(CHUNKED + b"5\r\nhello\r\n", b""),
    "drips continuations": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "drips events": drip(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", b"data: {}\n\n"
    ),
    "drips an error": drip(b"HTTP/1.1 400 Bad\r\nContent-Length: 9999\r\n\r\n", b"n"),
    "drips the body of a redirect": drip(
        b"HTTP/1.1 307 Elsewhere\r\nContent-Length: 9999\r\n\r\n", b"a"
    ),
}


@pytest.mark.parametrize("kind", HANGS)
def test_time_is_bounded(kind: str) -> None:
    began = time.monotonic()
    with pytest.raises(EndpointDownError, match=r"did not answer within 1.0 s, in 1 tries"):
        _ask(HANGS[kind])
    assert time.monotonic() - began < 10


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_slow_tls() -> None:
    """The handshake counts, too; what anyio leaves of a cancelled one goes when it is forgotten."""
    with bad_server(drip(b"", b"\x16\x03\x01\x40\x00"), before_request=True) as url:
        endpoint = Endpoint("toy", url.replace("http:", "https:"), timeout=TIMEOUT, max_retries=0)
        began = time.monotonic()
        with pytest.raises(EndpointDownError):
            endpoint.complete(HELLO)
        endpoint.close()
    assert time.monotonic() - began < 10
    gc.collect()


def test_all_tries_are_bounded_together() -> None:
    """A mixture of nonsense and silence does not multiply the tries."""
    asked = []

    def behave(connection: Any, stop: Any) -> None:
        asked.append(time.monotonic())
        if len(asked) % 2:
            connection.sendall(reply(b"nonsense"))
        else:
            drip(HEAD, b"X: y\r\n")(connection, stop)

    began = time.monotonic()
    with pytest.raises(EndpointDownError):
        _ask(behave, max_retries=3)
    assert len(asked) == 4
    assert time.monotonic() - began < 20


FLOODS: dict[str, tuple[Behaviour, str]] = {
    "a terabyte announced": (
        drip(HEAD + b"Content-Length: 1099511627776\r\n\r\n", b"a" * 65536, 0),
        "larger than 2,097,152 bytes",
    ),
    "a length of twenty digits": (
        send(reply(b"{}", "Content-Length: 99999999999999999999")),
        "larger than 2,097,152 bytes",
    ),
    "a length of nonsense": (send(reply(b"{}", "Content-Length: many")), ""),
    "a negative length": (send(reply(b"{}", "Content-Length: -1")), ""),
    "two lengths": (send(reply(GOOD, "Content-Length: 3", "Content-Length: 4")), ""),
    "endless bytes": (drip(HEAD + b"\r\n", b"a" * 65536, 0), "larger than"),
    "endless chunks": (drip(CHUNKED, b"ffff\r\n" + b"a" * 65535 + b"\r\n", 0), "larger than"),
    "endless small chunks": (drip(CHUNKED, b"1\r\na\r\n" * 9999, 0), "larger than"),
    "endless headers": (drip(HEAD, b"X-More: a\r\n" * 999, 0), ""),
    "a header of a megabyte": (send(HEAD + b"X-Long: " + b"a" * 2**20 + b"\r\n\r\n"), ""),
    "events": (
        drip(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", b"data: {}\n\n" * 999, 0
        ),
        "larger than",
    ),
    "a gzip bomb": (send(_packed(BOMB, "gzip")), "larger than"),
    "a deflate bomb": (
        send(_packed(zlib.compress(b"[" * 50_000_000), "deflate")),
        "larger than",
    ),
    "a bomb in a bomb": (send(_packed(gzip.compress(BOMB), "gzip, gzip")), "larger than"),
    "many encodings": (send(_packed(BOMB, ", ".join(["gzip"] * 99))), "not asked for"),
    "brotli": (send(_packed(b"\x0b\x02\x80abc\x03", "br")), "packed as 'br'"),
    "zstd": (send(_packed(b"(\xb5/\xfd\x04\x00", "zstd")), "packed as 'zstd'"),
    "gzip that is none": (send(_packed(GOOD, "gzip")), "not packed as gzip"),
    "gzip that breaks off": (send(_packed(gzip.compress(GOOD)[:40], "gzip")), "breaks off"),
    "an error of a gigabyte": (
        drip(b"HTTP/1.1 400 Bad\r\nContent-Length: 1000000000\r\n\r\n", b"a" * 65536, 0),
        "larger than",
    ),
    "an error as a bomb": (
        send(reply(BOMB, "Content-Encoding: gzip", status="400 Bad Request")),
        "larger than",
    ),
    "50 MB of text": (send(reply(completion("a" * 50_000_000).encode())), "larger than"),
    "a million lists": (send(reply(b"[" + b"[]," * 600_000 + b"[]]")), "too many values"),
    "fifty thousand calls": (
        send(reply(b'{"choices": [{"message": {"tool_calls": [%s{}]}}]}' % (b"{}," * 50_000))),
        "50,001 tool calls",
    ),
    "redirects for ever": (
        send(reply(b"", "Location: /v1/chat/completions", status="307 Elsewhere")),
        "sent elsewhere more than 5 times",
    ),
    "a redirect to a file": (
        send(reply(b"", "Location: file:///etc/passwd", status="307 Elsewhere")),
        "",
    ),
    "a redirect to nonsense": (
        send(reply(b"", "Location: http://[::1/x", status="308 Elsewhere")),
        "",
    ),
    "no HTTP": (send(b"SSH-2.0-OpenSSH_9.6\r\n"), ""),
    "HTTP/0.9": (send(GOOD), ""),
    "nothing": (send(b""), ""),
    "a body that breaks off": (send(HEAD + b"Content-Length: 999\r\n\r\n{"), ""),
    "a chunk of no size": (send(CHUNKED + b"zz\r\n"), ""),
    "no content": (send(b"HTTP/1.1 204 No Content\r\n\r\n"), "no JSON"),
    "deep lists": (send(reply(_deep(100_000))), "no JSON"),
    "bytes that are no text": (send(reply(b'{"choices": "\xff\xfe"}')), "no JSON"),
    "UTF-7": (send(reply(b"+AHsAfQ-", "X: 1")), "no JSON"),
    "choices as an object": (send(reply(b'{"choices": {"0": 1}}')), "no message"),
    "a message as text": (send(reply(b'{"choices": [{"message": "Hello!"}]}')), "no message"),
    "no choices": (send(reply(b'{"choices": []}')), "no message"),
    "choices as null": (send(reply(b'{"choices": null}')), "no message"),
    "an error with status 200": (send(reply(b'{"error": {"message": "busy"}}')), "busy"),
    "status 304": (send(reply(b"", status="304 Not Modified")), "answered 304"),
    "status 999": (send(reply(b"[" * 9999, status="999 Odd")), "answered 999"),
    "an error of nested lists": (
        send(reply(b"[" * 900 + b"]" * 900, status="503 Down")),
        "answered 503",
    ),
    "an odd charset": (
        send(
            b"HTTP/1.1 500 No\r\nContent-Type: text/x; charset=hex\r\nContent-Length: 2\r\n\r\nno"
        ),
        "answered 500: no",
    ),
}


@pytest.mark.parametrize("kind", FLOODS)
def test_size_is_bounded(kind: str) -> None:
    behave, words = FLOODS[kind]
    tracemalloc.start()
    before = time.process_time()
    try:
        with pytest.raises(EndpointError, match=words or None) as error:
            _ask(behave, timeout=20.0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    sent = 120e6 if "50 MB" in kind else 64e6  # the server's own bytes are in it
    assert peak < sent
    assert time.process_time() - before < 10  # under tracemalloc, with the server's own time
    assert len(str(error.value)) < 1200
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(GOOD), "gzip"),
        (gzip.compress(GOOD), "x-gzip"),
        (zlib.compress(GOOD), "deflate"),
        (zlib.compress(GOOD)[2:-4], "deflate"),
        (gzip.compress(zlib.compress(GOOD)), "deflate, GZIP"),
        (GOOD, "identity"),
        (b"\xef\xbb\xbf" + GOOD, "identity"),
    ],
)
def test_what_is_packed_as_asked_is_read(body: bytes, encoding: str) -> None:
    assert _ask(send(_packed(body, encoding))).text == "Hello!"


def test_a_redirect_is_followed(server: ChatServer) -> None:
    where = f"Location: {server.url}/chat/completions"
    assert _ask(send(reply(BOMB, where, status="308 Moved"))).text == "Hello!"
    assert server.requests[0]["messages"] == HELLO


def test_a_large_reply_needs_the_option() -> None:
    body = completion("a" * 3_000_000).encode()
    with pytest.raises(EndpointDownError, match="max_reply_bytes"):
        _ask(send(reply(body)))
    assert len(_ask(send(reply(body)), max_reply_bytes=4_000_000).text) == 3_000_000


@pytest.mark.parametrize("value", ["-5", "nonsense", "inf", "nan", "9" * 400, "1e999", "", "\xff"])
@pytest.mark.parametrize("header", ["Retry-After", "Retry-After-Ms"])
def test_nonsense_about_when_to_try_again(header: str, value: str) -> None:
    asked = []

    def behave(connection: Any, stop: Any) -> None:
        asked.append(1)
        busy = reply(b"busy", f"{header}: {value}", status="503 Busy")
        connection.sendall(busy if len(asked) == 1 else reply(GOOD))

    began = time.monotonic()
    try:
        said = _ask(behave, max_retries=1, timeout=20.0).text
    except EndpointDownError as error:  # some of these mean longer than anybody waits
        said = str(error)
    assert said == "Hello!" or "answered 503" in said
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("value", ["31536000", "Fri, 31 Dec 2199 23:59:59 GMT"])
def test_a_year_is_not_waited_for(value: str) -> None:
    busy = reply(b"busy", f"Retry-After: {value}", status="429 Busy")
    began = time.monotonic()
    with pytest.raises(EndpointDownError, match="answered 429"):
        _ask(send(busy), max_retries=1, timeout=20.0)
    assert time.monotonic() - began < 10


COUNTS = [
    *(-1, 0.5, 1e300, "5", True, None, [1], {"a": 1}, 10**4000),
    *(math.nan, math.inf, -math.inf, 10**15),
]


@pytest.mark.parametrize("count", COUNTS, ids=lambda value: repr(value)[:12])
def test_counts_that_are_none(count: Any) -> None:
    value = json.loads(GOOD)
    value["usage"] = {"prompt_tokens": count, "completion_tokens": 7, "cost": count}
    said = _ask(send(reply(json.dumps(value).encode())), input_price=1.0, output_price=1.0)
    assert (said.usage.prompt_tokens, said.usage.completion_tokens) == (0, 7)
    assert said.usage.cost == pytest.approx(7e-6)
    assert type(said.usage.prompt_tokens) is int


@pytest.mark.parametrize("usage", [None, [], 5, "x", {}, {"prompt_tokens": {}}, {"x" * 99: 1}])
def test_usage_that_is_none(usage: Any) -> None:
    value = json.loads(GOOD) | {"usage": usage}
    said = _ask(send(reply(json.dumps(value).encode())))
    assert (said.usage.prompt_tokens, said.usage.completion_tokens) == (0, 0)


def test_an_integer_too_long_for_python_stays_text() -> None:
    call = b'{"id": 1, "function": {"name": "f", "arguments": {"a": %s}}}' % (b"9" * 5000)
    body = b'{"usage": {"prompt_tokens": %s}, "choices": [{"message": {"tool_calls": [%s]}}]}'
    said = _ask(send(reply(body % (b"8" * 5000, call))))
    assert said.usage.prompt_tokens == 0
    assert json.loads(said.calls[0].arguments) == {"a": "9" * 5000}


@pytest.mark.parametrize(
    "options",
    [
        *({"timeout": value} for value in (0, -1, math.nan, math.inf, "long", True, 10**400)),
        *({"max_retries": value} for value in (-1, 1.5, "many", 10**9)),
        *({"max_reply_bytes": value} for value in (0, 2.5, 2**40)),
        *({"input_price": value} for value in (-1, math.nan, "1")),
        {"extra": {"top_p": math.nan}},
        {"extra": {"stream": True}},
        {"extra": {"stop": {1, 2}}},
        {"api_key": "ké"},
        {"api_key": "a\nb"},
        {"base_url": "http://[::1"},
        {"base_url": "http://host:port/"},
    ],
    ids=lambda value: repr(value)[:40],
)
def test_options_that_are_none(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match=next(iter(options))):
        Endpoint("toy", **{"base_url": "http://localhost"} | options)
