"""An endpoint that dies while agents play: a real server, and what a run makes of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer
from werkzeug import Response

import sca_envs
from sca_envs.agents.chat import ChatAgent
from sca_envs.agents.endpoint import EndpointDownError

RETAIL = "sca/TauRetail-v0"


def _evaluate(server: ChatServer, **options: Any) -> sca_envs.Evaluation:
    settings = {"model": "toy", "base_url": server.url, "max_retries": 1, "timeout": 5.0}
    return sca_envs.evaluate(RETAIL, ChatAgent, agent_options=settings, **options)


def _failing(status: int) -> Response:
    return Response('{"error": {"message": "no"}}', status, content_type="application/json")


def test_a_server_that_goes_down_and_comes_back(server: ChatServer, tmp_path: Path) -> None:
    up = "I cannot help with that."
    server.brain = lambda body: up if len(server.requests) <= 12 else _failing(503)
    with pytest.raises(sca_envs.SCAError, match=r"answered 503: .*server's log.*--resume"):
        _evaluate(server, num_tasks=30, out=tmp_path / "run")
    asked = len(server.requests)
    assert asked < 24  # it did not grind through the rest
    ended = [one.counts for one in sca_envs.read_trajectories(tmp_path / "run")]
    assert ended[-3:] == [False] * 3
    assert all(ended[:-3])
    server.brain = lambda body: up
    results = _evaluate(server, num_tasks=30, out=tmp_path / "run", resume=True).results
    assert results.episodes == results.scored == 30
    assert results.errors["agent_error"] == results.errors["infrastructure_error"] == 0


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, "agent_error"),
        (413, "agent_error"),
        (422, "agent_error"),
        (401, "infrastructure_error"),
        (403, "infrastructure_error"),
        (404, "infrastructure_error"),
        (429, "infrastructure_error"),
        (500, "infrastructure_error"),
        (200, "infrastructure_error"),
    ],
)
def test_whose_failure_it_is(server: ChatServer, status: int, reason: str) -> None:
    """The second episode's requests fail; what finds fault with a request is the agent's."""
    wanted = sca_envs.domain("tau_retail").tasks("test")[1]
    opening = sca_envs.ScriptedUser().reset(wanted, 0)

    def brain(body: dict[str, Any]) -> Any:
        bad = body["messages"][1]["content"].endswith(opening)
        return _failing(status) if bad else "I cannot help with that."

    server.brain = brain
    run = _evaluate(server, num_tasks=3)
    ends = {one.task_id: one.termination_reason for one in run.trajectories()}
    assert ends[wanted.id] == reason
    assert [*ends.values()].count(reason) == 1
    assert run.results.scored == 3 - (reason == "infrastructure_error")


def test_silence_is_an_outage(server: ChatServer) -> None:
    server.brain = lambda body: time.sleep(0.5) or "At last."  # type: ignore[func-returns-value]
    with pytest.raises(EndpointDownError, match="did not answer"):
        server.endpoint(timeout=0.1, max_retries=0).complete([{"role": "user", "content": "?"}])


def test_the_users_endpoint_counts_as_well(server: ChatServer, tmp_path: Path) -> None:
    """What only the user's model lacked is missing, too, and can be replayed."""
    broken = sca_envs.domain("tau_retail").tasks("test")[1].instruction

    def brain(body: dict[str, Any]) -> Any:
        system, *others = body["messages"]
        if len(others) < 2:
            return "I need help."
        return _failing(503) if broken in system["content"] else "[END]"

    server.brain = brain
    run = sca_envs.evaluate(
        RETAIL,
        "reference",
        num_tasks=3,
        user="sca_envs:LLMUser",
        user_options={"model": "toy", "base_url": server.url, "max_retries": 0},
    )
    ends = [one.termination_reason for one in run.trajectories()]
    assert ends == ["user_stop", "infrastructure_error", "user_stop"]
    assert run.results.scored == 2
    assert all(sca_envs.replay(one).ok for one in run.trajectories())
