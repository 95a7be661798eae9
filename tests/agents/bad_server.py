"""A server on a bare socket, which can do what no HTTP library lets a server do."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

Behaviour = Callable[[socket.socket, threading.Event], None]
"""What the server does on a connection after a request has come; the event says to stop."""


@contextlib.contextmanager
def bad_server(behave: Behaviour, *, before_request: bool = False) -> Iterator[str]:
    """Give the base URL of a server on this machine.

    Args:
        behave: What it does on each connection.
        before_request: Whether it does it before it has read the request.
    """
    stop = threading.Event()
    threads: list[threading.Thread] = []

    def handle(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            if not before_request:
                _read_request(connection)
            behave(connection, stop)

    def listen() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=handle, args=(connection,))
            threads.append(thread)
            thread.start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        finally:
            stop.set()
            listener.shutdown(socket.SHUT_RDWR)
    for one in (thread, *threads):
        one.join(20)
        assert not one.is_alive()


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536) or _gone()
    head, _, body = data.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            left = int(line.partition(b":")[2]) - len(body)
            while left > 0:
                left -= len(connection.recv(65536) or _gone())
    return head


def _gone() -> bytes:
    raise OSError("the client is gone")


def send(*parts: bytes) -> Behaviour:
    """Return a behaviour: send these bytes and close."""

    def behave(connection: socket.socket, stop: threading.Event) -> None:
        for part in parts:
            connection.sendall(part)

    return behave


def drip(start: bytes, piece: bytes, every: float = 0.05) -> Behaviour:
    """Return a behaviour: send a beginning, then a piece again and again for ever."""

    def behave(connection: socket.socket, stop: threading.Event) -> None:
        connection.sendall(start)
        while not stop.is_set():
            connection.sendall(piece)
            if every:
                time.sleep(every)

    return behave


def reply(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """Return a whole reply."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", *headers]
    if not any(line.lower().startswith("content-length") for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + body
