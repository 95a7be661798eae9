"""A disk that is full, read-only or broken: one sentence, nothing lost, and --resume mends it."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import sca_envs
from sca_envs.core.writing import WriteError, whole_file

RETAIL = "sca/TauRetail-v0"
EVAL = ("eval", RETAIL, "--agent", "reference", "--num-tasks", "6", "--trials", "4")


def _sca(*arguments: str, limit: int | None = None) -> subprocess.CompletedProcess[str]:
    def confine() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [sys.executable, "-m", "sca_envs", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        preexec_fn=confine,
        check=False,
    )


def _check_message(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    for word in ("Cannot write", *words):
        assert word in done.stderr


def _same(one: Path, other: Path) -> None:
    lines = [sorted((at / "trajectories.jsonl").read_bytes().splitlines()) for at in (one, other)]
    assert lines[0] == lines[1]
    assert (one / "results.json").read_bytes() == (other / "results.json").read_bytes()


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing disturbed."""
    out = tmp_path_factory.mktemp("calm") / "run"
    sca_envs.evaluate(RETAIL, "reference", num_tasks=6, trials=4, out=out)
    return out


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Return a function that mounts a disk of a size, or makes it another size."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = False

    def size(text: str) -> Path:
        nonlocal mounted
        options = f"size={text},remount" if mounted else f"size={text}"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "none", str(place)],
            capture_output=True,
            check=False,
        )
        if done.returncode:
            pytest.skip("needs the right to mount a disk")
        mounted = True
        return place

    yield size
    if mounted:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("size", ["8k", "64k", "200k"])
def test_a_full_disk(size: str, disk: Callable[[str], Path], calm: Path) -> None:
    run = disk(size) / "run"
    _check_message(_sca(*EVAL, "--out", str(run)), "the disk is full", "Free space", "--resume")
    before = (run / "trajectories.jsonl").read_bytes() if (run / "run.json").exists() else b""
    assert before == b"" or before.endswith(b"\n")
    disk("20m")
    assert _sca(*EVAL, "--out", str(run), "--resume").returncode == 0
    assert (run / "trajectories.jsonl").read_bytes().startswith(before)
    _same(run, calm)


def test_a_full_disk_and_files_made_of_a_run(disk: Callable[[str], Path], calm: Path) -> None:
    place = disk("16k")
    submission = ("--name", "a", "--model", "b", "--organization", "c")
    for words in (
        ("export", str(calm), "--to", "openai", "--out", str(place / "export.jsonl")),
        ("view", str(calm), "--out", str(place / "view.html")),
        ("leaderboard", "add", str(calm), *submission, "--out", str(place / "board")),
    ):
        _check_message(_sca(*words), "the disk is full", "then try again")
        assert not [path for path in place.rglob("*") if path.is_file()]
    board = calm.parent / "board"
    if not board.exists():
        assert (
            _sca("leaderboard", "add", str(calm), *submission, "--out", str(board)).returncode == 0
        )
    words = ("leaderboard", "build", str(board), "--no-verify", "--out", str(place / "site"))
    _check_message(_sca(*words), "the disk is full")
    assert not [path for path in place.rglob("*") if path.is_file()]


CHALLENGE = ("challenge", RETAIL, "--n", "12", "--workers", "1", "--seed", "3")


def test_a_full_disk_and_a_campaign(disk: Callable[[str], Path], tmp_path: Path) -> None:
    place = disk("24k")
    done = _sca(*CHALLENGE, "--out", str(place / "tasks.jsonl"))
    _check_message(done, "the disk is full", "go on with --resume")
    disk("20m")
    out = place / "tasks.jsonl"
    assert _sca(*CHALLENGE, "--out", str(out), "--resume").returncode == 0
    assert _sca(*CHALLENGE, "--out", str(tmp_path / "tasks.jsonl")).returncode == 0
    assert out.read_bytes() == (tmp_path / "tasks.jsonl").read_bytes()


@pytest.mark.parametrize("limit", [2_000, 30_000, 100_000])
def test_a_limit_on_files(limit: int, calm: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    _check_message(_sca(*EVAL, "--out", str(run), limit=limit), "ulimit -f", "--resume")
    assert _sca(*EVAL, "--out", str(run), "--resume").returncode == 0
    _same(run, calm)


class _Torn:
    """A file that writes a little, and then no more."""

    def __init__(self, file: Any, number: int, after: int, mends: bool) -> None:
        self._file, self._number, self._left, self._mends = file, number, after, mends

    def write(self, data: Any) -> int:
        if self._left < 0:
            raise OSError(self._number, os.strerror(self._number))
        self._left -= 1
        part = bytes(data) if self._left >= 0 else bytes(data)[: len(data) // 2]
        written: int = self._file.write(part)
        return written

    def truncate(self, size: int) -> None:
        if not self._mends:
            raise OSError(self._number, os.strerror(self._number))
        self._file.truncate(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@pytest.mark.parametrize("mends", [True, False])
@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the quota of the disk is used up"),
        (errno.EIO, "the disk failed"),
        (errno.EROFS, "the file system is read-only"),
        (errno.EFBIG, "ulimit -f"),
        (errno.ESTALE, "Mend that"),
    ],
)
def test_a_torn_line(
    number: int,
    words: str,
    mends: bool,
    calm: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Half a line is written before the disk gives up; what follows is as if it had never been."""
    made = sca_envs.TrajectoryWriter.__init__

    def torn(self: Any, path: Any) -> None:
        made(self, path)
        self._file = _Torn(self._file, number, 5, mends)

    monkeypatch.setattr(sca_envs.TrajectoryWriter, "__init__", torn)
    options: dict[str, Any] = {"num_tasks": 6, "trials": 4, "out": tmp_path / "run"}
    with pytest.raises(WriteError, match=rf"trajectories\.jsonl: .*{words}.*--resume"):
        sca_envs.evaluate(RETAIL, "reference", **options)
    monkeypatch.undo()
    file = tmp_path / "run" / "trajectories.jsonl"
    assert file.read_bytes().endswith(b"\n") is mends
    assert file.read_bytes().count(b"\n") == 5
    sca_envs.evaluate(RETAIL, "reference", resume=True, **options)
    _same(tmp_path / "run", calm)


def _write(file: Path, error: OSError | None = None) -> None:
    with whole_file(file) as partial:
        partial.write_text("new")
        if error is not None:
            raise error


def test_a_whole_file_or_none(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    with pytest.raises(WriteError, match=r"file: the disk is full"):
        _write(file, OSError(errno.ENOSPC, "no room"))
    assert file.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    with pytest.raises(WriteError, match=r"no/file\.partial"):
        _write(tmp_path / "no" / "file")


def test_a_folder_that_is_gone(calm: Path, tmp_path: Path) -> None:
    def vanish(progress: sca_envs.Progress) -> None:
        if progress.done == 3:
            shutil.rmtree(tmp_path / "run")

    with pytest.raises(WriteError, match=r"results\.json"):
        sca_envs.evaluate(
            RETAIL, "reference", num_tasks=6, out=tmp_path / "run", on_progress=vanish
        )
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(tmp_path / "run")
