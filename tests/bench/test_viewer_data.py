"""From trajectories to the viewer's page, without a browser."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import re
import urllib.request
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

import sca_envs
from sca_envs.bench.trajectories.trajectory import RecordChange, Trajectory
from sca_envs.bench.trajectories.trajectory_files import TrajectoryFileError, write_trajectories
from sca_envs.bench.viewing.serve import page_server
from sca_envs.bench.viewing.viewer import write_page, write_viewer
from sca_envs.bench.viewing.viewer_data import COLUMNS, Packer, outcome, tool_call
from sca_envs.core.errors import OptionError
from tests.bench.conftest import HOSTILE


def _unpack(text: str) -> str:
    return gzip.decompress(base64.b64decode(text)).decode()


def _packed(trajectories: list[Trajectory]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    packer = Packer(trajectories)
    chunks = [_unpack(chunk).split("\n") for chunk in packer.chunks()]
    index = json.loads(_unpack(packer.index()))
    assert index["starts"] == [sum(map(len, chunks[:i])) for i in range(len(chunks))]
    return index, [json.loads(line) for chunk in chunks for line in chunk]


def _page(trajectories: list[Trajectory], title: str = "a run") -> str:
    file = io.StringIO()
    assert write_page(trajectories, title, file) == len(trajectories)
    return file.getvalue()


def test_nothing_that_was_said_is_lost(episodes: list[Trajectory], hostile: Trajectory) -> None:
    every = [*episodes, hostile]
    index, details = _packed(every)
    assert index["columns"] == list(COLUMNS)
    assert [row[:3] for row in index["rows"]] == [[t.task_id, t.trial, t.reward] for t in every]
    for trajectory, detail in zip(every, details, strict=True):
        assert detail["opening"] == trajectory.opening
        assert index["policies"][detail["policy"]] == trajectory.messages[0]["content"]
        for turn, shown in zip(trajectory.turns, detail["turns"], strict=True):
            assert shown["action"] == turn.action
            assert shown["observation"] == turn.observation
            assert len(shown.get("changes", [])) == len(turn.changes)
    assert index["policies"] == [episodes[0].messages[0]["content"], HOSTILE]


def test_many_episodes_make_several_chunks(episodes: list[Trajectory]) -> None:
    index, details = _packed(episodes * 10)
    assert len(index["starts"]) > 1
    assert len(details) == len(index["rows"]) == 10 * len(episodes)


def test_calls_come_from_the_messages(episodes: list[Trajectory]) -> None:
    _, (detail,) = _packed(episodes[:1])
    first = detail["turns"][0]
    written = json.loads(first["action"])
    assert first["call"]["name"] == written["name"]
    assert json.loads(first["call"]["arguments"]) == written["arguments"]
    assert "call" not in detail["turns"][-1]


def test_messages_of_another_form_cost_no_more_than_the_calls(episodes: list[Trajectory]) -> None:
    one = episodes[0].model_copy(deep=True)
    one.messages = one.messages[:3]
    _, (detail,) = _packed([one])
    assert all("call" not in turn for turn in detail["turns"])
    assert len(detail["turns"]) == len(one.turns)


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"tool_calls": []},
        {"tool_calls": None},
        {"tool_calls": [{"function": "get"}]},
        {"tool_calls": [{"function": {"name": "get"}}]},
        {"tool_calls": [{"function": {"name": 3, "arguments": "{}"}}]},
        {"tool_calls": [{"function": {"name": "get", "arguments": {}}}]},
    ],
)
def test_no_call_in_a_message(message: dict[str, Any]) -> None:
    assert tool_call(message) is None


def test_values_of_changes_keep_every_digit(episodes: list[Trajectory]) -> None:
    one = episodes[0].model_copy(deep=True)
    one.turns[0].changes = [
        RecordChange(table="t", record="r", field="/a", kind="change", before=50, after=50.0),
        RecordChange(table="t", record="r", field="/b", kind="add", after=2**60 + 1),
        RecordChange(table="t", record="r", field="/c", kind="change", before=1, after=None),
        RecordChange(table="t", record="r", kind="remove", before={"é": "\ud800"}),
    ]
    _, (detail,) = _packed([one])
    assert detail["turns"][0]["changes"] == [
        {"path": "t / r/a", "kind": "change", "before": "50", "after": "50.0"},
        {"path": "t / r/b", "kind": "add", "after": "1152921504606846977"},
        {"path": "t / r/c", "kind": "change", "before": "1", "after": "null"},
        {"path": "t / r", "kind": "remove", "before": '{"é": "\ud800"}'},
    ]


def test_outcomes(episodes: list[Trajectory]) -> None:
    solved, failed = episodes[0], episodes[-1]
    broken = failed.model_copy(update={"termination_reason": "user_error"})
    agents = failed.model_copy(update={"termination_reason": "agent_error"})
    found = [outcome(one) for one in (solved, failed, broken, agents)]
    assert found == ["success", "failure", "excluded", "failure"]


def test_tokens_are_counted_and_left_out(episodes: list[Trajectory]) -> None:
    one = episodes[0].model_copy(deep=True)
    one.turns[0].token_ids = [1, 2, 3]
    one.turns[0].logprobs = [-0.5, None, -0.25]
    _, (detail,) = _packed([one])
    assert detail["turns"][0]["tokens"] == 3
    assert "logprobs" not in detail["turns"][0]


def test_same_run_same_bytes(episodes: list[Trajectory], hostile: Trajectory) -> None:
    every = [*episodes, hostile]
    assert _page(every) == _page(every)


def test_page_has_one_script_and_asks_for_nothing(
    episodes: list[Trajectory], hostile: Trajectory
) -> None:
    page = _page([*episodes, hostile], title=HOSTILE)
    (running,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(running.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in page
    for markup in ("<img", "<b>", "<script>window"):
        assert markup not in page
    assert "{{ 7 * 7 }}" in page  # in the title, as it was written
    assert not re.findall(r"(?:src|href)=\"(?!data:)", page)
    page.encode()  # a title with half surrogates is no obstacle


def test_write_viewer(run: Path, tmp_path: Path) -> None:
    page = sca_envs.write_viewer(run, tmp_path / "page.html")
    assert page == tmp_path / "page.html"
    text = page.read_text("utf-8")
    assert "<title>a run · sca view</title>" in text
    assert list(tmp_path.iterdir()) == [page]
    other = write_viewer(run / "trajectories.jsonl", tmp_path / "other.html")
    assert other.read_text("utf-8") == text


def test_a_broken_line_is_named_and_the_old_page_stays(
    episodes: list[Trajectory], tmp_path: Path
) -> None:
    file = tmp_path / "trajectories.jsonl"
    write_trajectories(episodes[:1], file)
    page = write_viewer(tmp_path)
    before = page.read_bytes()
    with file.open("a", encoding="utf-8") as lines:
        lines.write('{"format": "something"}\n')
    with pytest.raises(TrajectoryFileError, match="line 2"):
        write_viewer(tmp_path)
    assert page.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == [file, page]
    with pytest.raises(TrajectoryFileError, match="nowhere"):
        write_viewer(tmp_path / "nowhere")


def test_server_gives_the_page_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "view.html"
    page.write_text("<p>é", encoding="utf-8")
    (tmp_path / "secret").write_text("no", encoding="utf-8")
    with page_server(page, 0) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        base = f"http://127.0.0.1:{server.server_port}"
        try:
            for path in ("/", "/view.html", "/?a=b"):
                with urllib.request.urlopen(base + path) as answer:
                    assert answer.read().decode() == "<p>é"
            for path in ("/secret", "/../secret", "/favicon.ico"):
                with pytest.raises(urllib.error.HTTPError, match="404") as caught:
                    urllib.request.urlopen(base + path)
                caught.value.close()
            with pytest.raises(OptionError, match=f"free port, got {server.server_port}"):
                page_server(page, server.server_port)
        finally:
            server.shutdown()
            thread.join()
