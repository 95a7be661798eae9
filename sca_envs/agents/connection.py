"""HTTP whose requests end: bounded in time, in bytes as sent, and in bytes when unpacked.

The HTTP client that `openai` brings limits each read, so a server that sends a byte a second holds
it for ever, and it unpacks whatever a server packed. This one gives a request one deadline, from
the look-up of the name to the last byte, and reads no more than it is told to.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import threading
import zlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio
import openai

from sca_envs.core.secrets import redact

T = TypeVar("T")

# The library of HTTP that this release of openai stands on: httpx, or httpx2.
_httpx: Any = importlib.import_module(
    openai.DefaultAsyncHttpxClient.__mro__[1].__module__.partition(".")[0]
)
_REDIRECTS = 5
"""How often a server may send a request elsewhere."""
_ENCODINGS = 3
"""How often a server may pack a reply."""
_LEAST_PIECE = 512
"""As how many bytes a piece of a reply counts at least, since each costs time of its own."""
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 47}
"""Encoding -> window bits of zlib."""
_KEPT_HEADERS = ("retry-after", "retry-after-ms", "x-should-retry")


class _Redacted(logging.Filter):
    """Takes keys and passwords out of what libraries log of a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), ()
        return True


for _library in (_httpx.__name__, _httpx.__name__.replace("httpx", "httpcore")):
    for _part in ("", ".connection", ".proxy", ".http11", ".http2"):
        logging.getLogger(f"{_library}{_part}").addFilter(_Redacted())
logging.getLogger("openai._base_client").addFilter(_Redacted())


class BadReplyError(_httpx.RemoteProtocolError):  # type: ignore[misc]
    """A reply is too large, or is none of what was asked for; the request is tried again."""


class BoundedClient(openai.DefaultAsyncHttpxClient):
    """An HTTP client whose requests end.

    The response that `send` returns has its parsed body as extension ``reply``, or, after an error
    status, the body's text as ``complaint``; of its headers only those about trying again are kept.

    Args:
        seconds: Most seconds from the beginning of a request to the last byte of its reply.
        max_bytes: Most bytes of a reply, as sent and when unpacked.
        read: Parses the body of a reply; it raises `ValueError` with what is wrong.
    """

    def __init__(self, seconds: float, max_bytes: int, read: Callable[[bytes], Any]) -> None:
        super().__init__(timeout=seconds)
        self._seconds, self._max_bytes, self._read = seconds, max_bytes, read

    async def send(self, request: Any, **options: Any) -> Any:
        """Send a request and read the reply; see `httpx.AsyncClient.send`."""
        request.headers["Accept-Encoding"] = "gzip, deflate"
        try:
            with anyio.fail_after(self._seconds):
                response, body = await self._receive(request, options)
            return self._reduce(response, body, request)
        except TimeoutError:
            raise _httpx.ReadTimeout("the request took too long", request=request) from None
        except _httpx.RequestError:
            raise
        except OSError as error:  # of TLS, which not every release calls a RequestError
            raise _httpx.ConnectError(str(error), request=request) from None
        except Exception as error:  # a broken reply makes libraries raise anything
            raise BadReplyError(str(error) or type(error).__name__, request=request) from None

    async def _receive(self, request: Any, options: dict[str, Any]) -> tuple[Any, bytes]:
        options |= {"stream": True, "follow_redirects": False}
        for _ in range(_REDIRECTS + 1):
            response = await super().send(request, **options)
            try:
                if response.next_request is None:
                    return response, await self._body(response)
                request = response.next_request
            finally:
                await response.aclose()
        raise ValueError(f"a request is sent elsewhere more than {_REDIRECTS} times")

    async def _body(self, response: Any) -> bytes:
        announced = response.headers.get("Content-Length", "")
        if announced.isdecimal() and (len(announced) > 18 or int(announced) > self._max_bytes):
            raise ValueError(self._too_large())
        body, size = bytearray(), 0
        async for piece in response.aiter_raw():
            size += max(len(piece), _LEAST_PIECE)
            if size > self._max_bytes:
                raise ValueError(self._too_large())
            body += piece
        return self._unpack(bytes(body), response.headers.get("Content-Encoding", ""))

    def _unpack(self, body: bytes, encodings: str) -> bytes:
        """Return a body as it was before it was packed, never making more than is allowed."""
        names = [name.strip().lower() for name in encodings.split(",")]
        names = [name for name in names if name not in ("", "identity")]
        if len(names) > _ENCODINGS or not _WINDOWS.keys() >= set(names):
            raise ValueError(f"a reply is packed as {encodings[:80]!r}, which was not asked for")
        for name in reversed(names):
            raw = name == "deflate" and not _has_zlib_header(body)
            unpacker = zlib.decompressobj(-zlib.MAX_WBITS if raw else _WINDOWS[name])
            try:
                body = unpacker.decompress(body, self._max_bytes + 1)
            except zlib.error as error:
                raise ValueError(f"a reply is not packed as {name}, as it says ({error})") from None
            if len(body) > self._max_bytes:
                raise ValueError(self._too_large())
            if not unpacker.eof:
                raise ValueError(f"a reply packed as {name} breaks off")
        return body

    def _too_large(self) -> str:
        return f"a reply is larger than {self._max_bytes:,} bytes (`max_reply_bytes`)"

    def _reduce(self, response: Any, body: bytes, request: Any) -> Any:
        """Return a response with what is wanted of it, and nothing that openai could trip over."""
        if response.is_success:
            extension = {"reply": self._read(body)}
        else:
            extension = {"complaint": body[:4000].decode("utf-8", "replace")}
        headers = {key: response.headers[key] for key in _KEPT_HEADERS if key in response.headers}
        return _httpx.Response(
            response.status_code,
            headers=headers | {"Content-Type": "application/json"},
            content=b"{}" if response.is_success else b"",
            request=request,
            extensions=extension,
        )


def _has_zlib_header(body: bytes) -> bool:
    """Return whether a body begins as zlib's format does; some servers leave that out."""
    return len(body) > 1 and body[0] & 15 == 8 and int.from_bytes(body[:2], "big") % 31 == 0


_loops: dict[int, asyncio.AbstractEventLoop] = {}
_loops_lock = threading.Lock()


def wait_for(task: Callable[[], Awaitable[T]]) -> T:
    """Return what a coroutine function returns, run in the thread that all endpoints share."""

    async def run() -> T:
        return await task()

    future = asyncio.run_coroutine_threadsafe(run(), _loop())
    try:
        return future.result()
    except BaseException:  # of the waiting, such as Ctrl-C
        future.cancel()
        raise


def close_later(client: openai.AsyncOpenAI) -> None:
    """Close a client's connections, without waiting for it.

    The garbage collector may call this at any point of any thread, so it takes no lock.
    """
    if loop := _loops.get(os.getpid()):
        asyncio.run_coroutine_threadsafe(client.close(), loop)


def _loop() -> asyncio.AbstractEventLoop:
    """Return the event loop of this process, whose thread ends with it."""
    with _loops_lock:
        if os.getpid() not in _loops:  # a fork has none of its parent's threads
            loop = _loops[os.getpid()] = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="sca-endpoints", daemon=True).start()
        return _loops[os.getpid()]
