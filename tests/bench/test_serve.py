"""The viewer's server answers this machine's browser, and nobody whom a browser is tricked by."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sca_envs.bench.viewing.serve import page_server

Ask = Callable[..., tuple[int, bytes]]


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Ask]:
    page = tmp_path / "view.html"
    page.write_text("the page")
    (tmp_path / "secret.txt").write_text("secret")
    with page_server(page, 0, ["My.Proxy"]) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()

        def ask(path: str = "/", *hosts: str, method: str = "GET") -> tuple[int, bytes]:
            connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
            try:
                connection.putrequest(method, path, skip_host=True)
                for host in hosts:
                    connection.putheader("Host", host.replace("PORT", str(server.server_port)))
                connection.endheaders()
                response = connection.getresponse()
                return response.status, response.read()
            finally:
                connection.close()

        yield ask
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:PORT", "[::1]:PORT", "LOCALHOST:1", "my.proxy", "MY.proxy:443"]
)
def test_hosts_of_this_machine(ask: Ask, host: str) -> None:
    assert ask("/", host) == (200, b"the page")


@pytest.mark.parametrize(
    "hosts",
    [
        (),
        ("",),
        ("evil.example",),
        ("evil.example:PORT",),
        ("127.0.0.1.evil.example",),
        ("localhost.evil.example",),
        ("evil.example#localhost",),
        ("localhost@evil.example",),
        ("localhost, evil.example",),
        ("localhost", "evil.example"),
        ("0.0.0.0",),
        ("127.0.0.1:1:2",),
        ("::1",),
        ("\xff",),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_other_hosts_are_refused(ask: Ask, hosts: tuple[str, ...], method: str) -> None:
    status, text = ask("/", *hosts, method=method)
    assert status == 403
    assert method == "HEAD" or b"--host" in text
    assert b"the page" not in text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "X"])
def test_other_methods_are_refused(ask: Ask, method: str) -> None:
    assert ask("/", "localhost", method=method)[0] == 501


def test_the_head_alone(ask: Ask) -> None:
    assert ask("/", "localhost", method="HEAD") == (200, b"")


@pytest.mark.parametrize(
    "path",
    [
        *("/secret.txt", "/../secret.txt", "/..%2fsecret.txt", "/./view.html", "//etc/passwd"),
        *("/view.html/../secret.txt", "/%2e%2e/secret.txt", "http://evil/secret.txt", "/view.htm"),
        "\\secret.txt",
    ],
)
def test_no_other_file(ask: Ask, path: str) -> None:
    status, text = ask(path, "localhost")
    assert status == 404
    assert text != b"secret"
