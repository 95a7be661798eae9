"""Serving one page to a browser on this machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from sca_envs.core.errors import OptionError


def page_server(page: Path, port: int, hosts: Iterable[str] = ()) -> ThreadingHTTPServer:
    """Return a server of one file, and of nothing else, at ``http://127.0.0.1:PORT/``.

    A request for another host than this machine is refused: a page on the Internet can give its own
    name the address 127.0.0.1 and read what is served there (DNS rebinding).

    Args:
        page: The HTML file; it is read anew for each request.
        port: The port; 0 takes a free one.
        hosts: Further names by which a proxy or tunnel asks for the page.

    Raises:
        OptionError: If the port is taken.
    """
    allowed = _LOCAL | {_host_name(host) for host in hosts}

    class Handler(BaseHTTPRequestHandler):
        timeout = 30  # seconds that a browser may take to ask

        def do_GET(self) -> None:
            self._answer(body=True)

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def _answer(self, body: bool) -> None:
            hosts = self.headers.get_all("Host", [])
            if len(hosts) != 1 or _host_name(hosts[0]) not in allowed:
                self.send_error(
                    HTTPStatus.FORBIDDEN,
                    explain="This server answers requests for "
                    f"{', '.join(sorted(allowed))} only; name others with --host",
                )
                return
            if self.path.partition("?")[0] not in ("/", f"/{page.name}"):
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            try:
                content = page.read_bytes()
            except OSError:
                self.send_error(HTTPStatus.NOT_FOUND, explain="The page is gone")
                return
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:
            """Keep the terminal quiet."""

    try:
        return ThreadingHTTPServer(("127.0.0.1", port), Handler)
    except OSError as error:
        raise OptionError(
            f"Expected a free port, got {port} ({error.strerror}); "
            "choose another one with --port, or 0 for any"
        ) from None


_LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})


def _host_name(host: str) -> str:
    """Return the name in a header ``Host``, without its port."""
    return re.sub(r":[0-9]{0,5}$", "", host.strip()).lower()


def serve(page: Path, port: int, say: Callable[[str], None], hosts: Iterable[str] = ()) -> None:
    """Serve a page until Ctrl-C.

    Args:
        page: The HTML file.
        port: The port; 0 takes a free one.
        say: Is given the address, once the server is there.
        hosts: Further names by which a proxy or tunnel asks for the page.

    Raises:
        OptionError: If the port is taken.
    """
    with page_server(page, port, hosts) as server:
        say(f"http://127.0.0.1:{server.server_port}/")
        server.serve_forever()
