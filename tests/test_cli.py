"""The command `sca`, as a person types it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sca_envs.domains.spec import _load


def _sca(
    *arguments: str, typed: str | None = None, data: Path | None = None, **environ: str
) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "COLUMNS": "200", **environ}
    if data is not None:
        environ["SCA_DATA_DIR"] = str(data)
    return subprocess.run(
        [sys.executable, "-m", "sca_envs", *arguments],
        input=typed,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def _fails(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode not in (0, None)
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def test_version_and_help() -> None:
    assert _sca("--version").stdout.strip() == "0.1.0"
    done = _sca("--help")
    for command in ("list", "play", "demo", "data"):
        assert command in done.stdout


def test_list_without_data(tmp_path: Path) -> None:
    done = _sca("list", data=tmp_path)
    assert done.returncode == 0
    assert "sca/TauRetail-v0" in done.stdout
    assert "sca data import tau-bench SOURCE" in done.stdout
    assert "sca data import tau2" in done.stdout


def test_list_with_tau2_names_the_tasks_that_need_a_judge(tau2: Path) -> None:
    done = _sca("list", data=tau2.parent)
    assert "train (74), test (40)" in done.stdout
    text = " ".join(done.stdout.split())
    assert "only a language model could judge" in text
    _load.cache_clear()


def test_data_import_and_list(data_folder: Path, tmp_path: Path) -> None:
    done = _sca("data", "import", "tau-bench", str(data_folder / "tau_bench"), data=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "tau_bench" / "retail" / "orders.json").is_file()
    done = _sca("data", "list", data=tmp_path)
    assert "retail" in done.stdout
    done = _sca("list", data=tmp_path)
    assert "test (115)" in done.stdout


def test_demo() -> None:
    done = _sca("demo", "--candidates", "8")
    assert done.returncode == 0, done.stderr
    assert "100.0%" in done.stdout
    for word in ("candidates accepted", "repeatable", "reference", "do nothing", "def verify"):
        assert word in done.stdout


def test_play_to_the_end() -> None:
    typed = (
        "/help\n/tools\n/tools think\n/policy\n"
        "get_order_detials order_id=#W1\n"  # a slip of the finger is no reply
        "get_user_details user=1\n"
        'calculate expression="2 + 3*4"\n'
        "get_order_details\n#W1\n"
        "Could you tell me your name and zip code?\n"
        "transfer_to_human_agents summary='I give up'\n"
    )
    done = _sca("play", "sca/TauRetail-v0", "--seed", "3", typed=typed)
    assert done.returncode == 0, done.stderr
    for words in (
        "did you mean get_order_details?",
        "Expected user_id=…; got user=1",
        "14.0",
        "Error: order not found",
        "my zip code is",
        "Transfer successful",
        "Reward 0 after 4 turns.",
    ):
        assert words in done.stdout


@pytest.mark.parametrize("typed", ["/quit\n", "", "think thought='\n/quit\n"])
def test_play_stops(typed: str) -> None:
    done = _sca("play", "sca/TauRetail-v0", typed=typed)
    assert done.returncode == 0
    assert "does not count" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("play", "sca/Nope-v0"), ("sca/TauRetail-v0", "'sca/Nope-v0'")),
        (("play", "sca/TauRetail-v0", "--split", "dev"), ("train, test", "'dev'")),
        (("play", "sca/TauRetail-v0", "--task", "x"), ("train-12", "'x'")),
        (("play", "sca/TauRetail-v0", "--data", "tau2"), ("sca data import tau2",)),
        (("play", "sca/TauRetail-v0", "--user", "me"), ("'scripted'", "'me'")),
        (("demo", "--candidates", "0"), ("candidates",)),
        (("demo", "sca/Nope-v0"), ("sca/TauRetail-v0",)),
        (("demo", "sca/CodeAsTask-v0"), ("one domain", "'sca/CodeAsTask-v0'")),
        (("data", "import", "tau-bench"), ("SOURCE",)),
        (("data", "import", "tau-bench", "/nowhere"), ("/nowhere",)),
        (("data", "import", "nope"), ("tau-bench, tau2", "'nope'")),
        (("nope",), ("nope",)),
    ],
)
def test_mistakes_are_explained(
    arguments: tuple[str, ...], words: tuple[str, ...], tmp_path: Path
) -> None:
    _fails(_sca(*arguments, typed="", data=tmp_path), *words)
