"""Fixtures of the agents' tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from chat_server import ChatServer
from pytest_httpserver import HTTPServer
from tiny import tiny_tokenizer


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
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "SCA_MODEL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    """A small byte-level tokeniser trained here, with a plain ChatML template."""
    pytest.importorskip("transformers", reason="needs transformers: pip install 'sca-envs[hf]'")
    return tiny_tokenizer()


@pytest.fixture
def with_template(tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Any]:
    """Return a function that gives the tokeniser another chat template."""

    def change(template: Any) -> Any:
        monkeypatch.setattr(tokenizer, "chat_template", template)
        return tokenizer

    return change
