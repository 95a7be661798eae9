"""Serving one page to a browser on this machine."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from sca_envs.core.errors import OptionError


def page_server(page: Path, port: int) -> ThreadingHTTPServer:
    """Return a server of one file, and of nothing else, at ``http://127.0.0.1:PORT/``.

    Args:
        page: The HTML file; it is read anew for each request.
        port: The port; 0 takes a free one.

    Raises:
        OptionError: If the port is taken.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.partition("?")[0] not in ("/", f"/{page.name}"):
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            content = page.read_bytes()
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
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


def serve(page: Path, port: int, say: Callable[[str], None]) -> None:
    """Serve a page until Ctrl-C.

    Args:
        page: The HTML file.
        port: The port; 0 takes a free one.
        say: Is given the address, once the server is there.

    Raises:
        OptionError: If the port is taken.
    """
    with page_server(page, port) as server:
        say(f"http://127.0.0.1:{server.server_port}/")
        server.serve_forever()
