"""Fixtures of the agents' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from chat_server import ChatServer
from pytest_httpserver import HTTPServer


@pytest.fixture(scope="session")
def http() -> Iterator[HTTPServer]:
    """A web server with a thread for each request."""
    with HTTPServer(threaded=True) as server:
        yield server


@pytest.fixture
def server(http: HTTPServer) -> Iterator[ChatServer]:
    """A chat server."""
    yield ChatServer(http)
    http.clear()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait little between tries, and take no settings from outside."""
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)
    monkeypatch.setattr("agents.endpoint.FIRST_DELAY", 0.01)
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "SCA_MODEL"):
        monkeypatch.delenv(name, raising=False)
