"""Trajectories as lines and files: every string survives, damage is found and named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sca_envs import Tokens, Trajectory, TrajectoryTurn, TrajectoryWriter, read_trajectories
from sca_envs.bench.trajectories.trajectory import VERSION, TrajectoryError, json_schema
from sca_envs.bench.trajectories.trajectory_files import TrajectoryFileError, write_trajectories

ROOT = Path(__file__).parents[2]
TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=30)


def _trajectory(action: str = "a", **fields: Any) -> Trajectory:
    plain: dict[str, Any] = {
        "env_id": "sca/TauRetail-v0",
        "domain": "tau_retail",
        "data": "generated:0",
        "data_digest": "0" * 64,
        "task_id": "test-1",
        "split": "test",
        "seed": 3,
        "agent": "noop",
        "opening": action,
        "messages": [{"role": "system", "content": "p"}, {"role": "user", "content": action}],
        "turns": [TrajectoryTurn(action=action, observation=action, source="user")],
        "reward": 1.0,
        "termination_reason": "user_stop",
    }
    return Trajectory(**plain | fields)


def test_line_is_one_line_and_comes_back() -> None:
    one = _trajectory("a\n\r\u2028\x00\x85 é 😀 \udfff")
    line = one.to_line()
    assert len(line.encode().splitlines()) == 1
    assert Trajectory.from_line(line) == one
    assert Trajectory.from_line(line.encode()).to_line() == line


@given(TEXT)
def test_every_string_survives(text: str) -> None:
    # In JSON a surrogate pair is one character; agents' texts are read like that before they act.
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    one = _trajectory(text)
    assert Trajectory.from_line(one.to_line().encode()) == one


def test_numbers_that_json_has_not_are_null() -> None:
    tokens = Tokens(ids=[1, 2], mask=[0, 1], logprobs=[None, float("-inf")])
    line = _trajectory(tokens=tokens).to_line()
    assert Trajectory.from_line(line).tokens == Tokens(ids=[1, 2], mask=[0, 1], logprobs=[None] * 2)
    assert "Infinity" not in line


def test_token_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="one length; got 2, 1 and 2"):
        Tokens(ids=[1, 2], mask=[0])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "in JSON"),
        ("[]", "list"),
        ('{"format": "other"}', "'other'"),
        ('{"format": "sca_envs.trajectory", "version": "1"}', "integer"),
        (f'{{"format": "sca_envs.trajectory", "version": {VERSION + 1}}}', "upgrade sca-envs"),
        ('{"format": "sca_envs.trajectory", "version": 1}', "env_id"),
        (_trajectory().to_line()[:-1] + ',"more":1}', "more"),
        ("[" * 100_000, "in JSON"),
    ],
)
def test_wrong_lines_are_explained(line: str, words: str) -> None:
    with pytest.raises(TrajectoryError, match=words):
        Trajectory.from_line(line)


def test_file_grows_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    many = [_trajectory("x" * n) for n in (1, 100_000, 3)]
    with TrajectoryWriter(path) as writer:
        for one in many:
            writer.append(one)
            assert path.read_bytes().endswith(b"\n")  # at once
    assert list(read_trajectories(path)) == many
    write_trajectories(many, tmp_path / "copy.jsonl")
    assert (tmp_path / "copy.jsonl").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("cut", [1, 2, 50, 200_000])
def test_half_written_last_line_is_dropped(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "t.jsonl"
    many = [_trajectory("x" * n) for n in (1, 250_000)]
    write_trajectories(many, path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    left = many if cut == 1 else many[:1]  # only the line break is missing
    assert list(read_trajectories(path)) == left
    with TrajectoryWriter(path) as writer:
        writer.append(many[0])
    assert list(read_trajectories(path)) == [*left, many[0]]


def test_file_of_a_half_line_only(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(b'{"format": "sca')
    assert list(read_trajectories(path)) == []
    TrajectoryWriter(path).close()
    assert path.read_bytes() == b""


def test_other_damage_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    write_trajectories([_trajectory()] * 3, path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1][:40] + b"\n" + lines[2])
    with pytest.raises(TrajectoryFileError, match=r"t\.jsonl, line 2: .*remove this line"):
        list(read_trajectories(path))
    path.write_bytes(lines[0] + b"\xff\n")
    with pytest.raises(TrajectoryFileError, match="line 2"):
        list(read_trajectories(path))


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    path = tmp_path / "t.jsonl"
    with TrajectoryWriter(path), pytest.raises(TrajectoryFileError, match="another one does"):
        TrajectoryWriter(path)
    TrajectoryWriter(path).close()


def test_missing_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(TrajectoryFileError, match="sca eval"):
        list(read_trajectories(tmp_path))


def test_published_schema_is_that_of_the_model() -> None:
    published = json.loads((ROOT / "docs" / "trajectory.schema.json").read_text("utf-8"))
    assert published == json_schema(), "run `python docs/build.py`"
    assert set(published["required"]) <= _trajectory().to_dict().keys()
    assert set(_trajectory().to_dict()) <= published["properties"].keys()
