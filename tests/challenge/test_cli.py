"""`sca challenge`, as a person types it, and what comes of killing it."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from sca_envs.challenge.files import export_folder, load_code_tasks, save_code_tasks
from sca_envs.cli import app
from sca_envs.core.errors import SCAError
from tests.challenge.tasks import CHANGE, LOOKUP, by_id, small

RECORDED = "tests.challenge.challengers:Recorded"
RETAIL = "sca/TauRetail-v0"
OUT = ("--out", "t.jsonl")


def sca(*arguments: object) -> Result:
    environ = {"COLUMNS": "200", "TERMINAL_WIDTH": "200"}
    return CliRunner().invoke(app, ["challenge", *map(str, arguments)], env=environ)


def challenge(*arguments: object) -> Result:
    fixed = ("--challenger", RECORDED, "--workers", 1)
    return sca(RETAIL, *fixed, *arguments)


def message(done: Result) -> str:
    """Return what a failed command says: our error, or that of the command line."""
    assert done.exit_code != 0
    if isinstance(done.exception, SCAError):
        return str(done.exception)
    assert isinstance(done.exception, SystemExit), done.exception
    return " ".join(done.output.replace("│", " ").split())


def test_make_inspect_and_stats(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    out, picture = tmp_path / "new" / "t.jsonl", tmp_path / "funnel.png"
    done = challenge("--n", 2, "--out", out, "--picture", picture, "--no-strength")
    assert done.exit_code == 0, done.output
    assert "2 of 2 candidates accepted" in done.output
    assert f"2 tasks written to {out}" in done.output
    assert picture.read_bytes().startswith(b"\x89PNG")
    tasks = load_code_tasks(out)
    assert [task.id for task in tasks] == ["tau_retail-0-0", "tau_retail-0-1"]
    done = sca("inspect", out)
    assert done.exit_code == 0, done.output
    for words in ("def verify(answer)", "failure case 3", "Verdicts", "tau_retail-0-1", "novel"):
        assert words in done.output
    assert "Florian Medina" not in sca("inspect", out, "--task", "tau_retail-0-1").output
    done = sca("stats", out, "--picture", tmp_path / "stats.svg")
    assert done.exit_code == 0, done.output
    assert "2 tasks" in done.output
    assert "<svg" in (tmp_path / "stats.svg").read_text()


def test_options_may_come_first(tmp_path: Path) -> None:
    done = sca("--n", 1, "--challenger", RECORDED, "--workers", 1, RETAIL, "--no-strength",
               "--out", tmp_path / "t.jsonl")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert len(load_code_tasks(tmp_path / "t.jsonl")) == 1


def test_the_challenger_takes_options(tmp_path: Path) -> None:
    done = challenge("--n", 1, "--challenger-option", "start=1", "--no-strength",
                     "--out", tmp_path / "t.jsonl")  # fmt: skip
    assert done.exit_code == 0, done.output
    (task,) = load_code_tasks(tmp_path / "t.jsonl")
    assert task.content_digest == by_id(CHANGE).content_digest


@pytest.mark.parametrize("flag", ["--no-verify", "--no-solution", "--no-failures", "--no-novelty"])
def test_ablations(flag: str, tmp_path: Path) -> None:
    done = challenge("--n", 1, "--no-strength", flag, "--out", tmp_path / "t.jsonl")
    assert done.exit_code == 0, done.output
    header = json.loads((tmp_path / "t.journal.jsonl").read_text().splitlines()[0])["campaign"]
    off = {name for name, on in header["gates"].items() if not on}
    assert (flag.removeprefix("--no-") in off) or (flag == "--no-novelty" and not header["novelty"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((RETAIL,), "--out"),
        ((RETAIL, "--out", "t.txt"), ".jsonl or .parquet; got t.txt"),
        ((RETAIL, "--out", "t.jsonl", "--n", "0"), "--n"),
        ((RETAIL, "--out", "t.jsonl", "--n", "x"), "--n"),
        ((RETAIL, "--out", "t.jsonl", "--candidates", "0"), "--candidates"),
        ((RETAIL, "--out", "t.jsonl", "--seed", "-1"), "--seed"),
        ((RETAIL, "--out", "t.jsonl", "--workers", "0"), "--workers"),
        ((RETAIL, "--out", "t.jsonl", "--strength", "1.5"), "--strength"),
        ((RETAIL, "--out", "t.jsonl", "--nope"), "--nope"),
        (
            (RETAIL, "--out", "t.jsonl", "--engine", "nope"),
            "local, process, ray, thread, or an object with a method run(spec, jobs); got 'nope'",
        ),
        ((RETAIL, "--out", "t.jsonl", "--engine", ""), "run(spec, jobs); got ''"),
        ((RETAIL, "--out", "t.jsonl", "--engine", "local"), "1 worker for the engine 'local'"),
        ((RETAIL, "--out", "t.jsonl", "--address", "auto"), "with --engine ray; got 'auto'"),
        ((RETAIL, "--out", "t.jsonl", "--engine-option", "x"), "key=value; got 'x'"),
        ((RETAIL, "--out", "t.jsonl", "--engine-option", "num_cpus=1"), "none); got num_cpus"),
        ((RETAIL, "--out", "t.jsonl", "--engine", "ray", "--engine-option", "num_cpus=x"), "'x'"),
        (
            (RETAIL, "--engine", "ray", "--address", "a", "--engine-option", "address=b", *OUT),
            "the address once",
        ),
        ((RETAIL, "--out", "t.jsonl", "--data", "nope"), "'nope'"),
        ((RETAIL, "--out", "t.jsonl", "--picture", "x.foo"), ".png, .svg or .pdf"),
        ((RETAIL, "--out", "t.jsonl", "--picture", "no/x.png"), "a folder that exists"),
        ((RETAIL, "--out", "t.jsonl", "--challenger", "nope"), "module:name"),
        ((RETAIL, "--out", "t.jsonl", "--challenger", "nope:X"), "'nope', which does not exist"),
        ((RETAIL, "--out", "t.jsonl", "--challenger", "json:X"), "no such name"),
        ((RETAIL, "--out", "t.jsonl", "--challenger", "x.py:X"), "x.py, which does not exist"),
        ((RETAIL, "--out", "t.jsonl", "--challenger-option", "x"), "key=value; got 'x'"),
        ((RETAIL, "--out", "t.jsonl", "--challenger-option", "nope=1"), "nope"),
        ((RETAIL, "--out", "t.jsonl", "--challenger", "llm"), "--agent module:Class"),
        ((RETAIL, "--out", "t.jsonl", "--agent", "a:B"), "only with --challenger llm"),
        ((RETAIL, "--out", "t.jsonl", "--challenger", "llm", "--agent", "no:B"), "'no'"),
        (("sca/Nope-v0", "--out", "t.jsonl"), "'sca/Nope-v0'"),
        (("sca/CodeAsTask-v0", "--out", "t.jsonl"), "sca/CodeAsTask-v0"),
        (("sca/M3Calculation-v0", "--out", "t.jsonl"), "an environment of one domain"),
        ((RETAIL, "--out", "/proc/no/t.jsonl"), "Expected to write to /proc/no/t.jsonl"),
        (("nope",), "nope"),
        (("inspect",), "Missing argument"),
        (("inspect", "none.jsonl"), "none.jsonl"),
        (("inspect", "t.txt"), "'.txt'"),
        (("stats", "none.parquet"), "none.parquet"),
        (("stats", "."), "task.json"),
    ],
)
def test_mistakes_are_explained(
    arguments: tuple[str, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if arguments[0] == RETAIL and "--challenger" not in arguments:
        arguments = (*arguments, "--challenger", RECORDED)
    assert words in message(sca(*arguments))
    assert not list(tmp_path.glob("t.*"))


@pytest.mark.parametrize(
    ("challenger", "words"),
    [
        (("tests.challenge.challengers:Unfit",), "domain out of mine; got 'tau_retail'"),
        (
            ("tests.challenge.challengers:Unfit", "--challenger-option", "error=true"),
            "can be made for tau_retail; its constructor raised ZeroDivisionError",
        ),
        (("procedural", "--challenger-option", "flaw_rate=2"), "flaw_rate from 0 to 1, got 2"),
    ],
)
def test_a_campaign_in_which_nothing_can_be_proposed_ends_at_once(
    challenger: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    fixed = (RETAIL, "--workers", 1, "--n", 5, "--out", tmp_path / "t.jsonl")
    assert words in message(sca(*fixed, "--challenger", *challenger))
    assert not list(tmp_path.iterdir())


def test_a_campaign_without_a_task_fails(tmp_path: Path) -> None:
    out, idle = tmp_path / "t.jsonl", "tests.challenge.challengers:Idle"
    done = sca(RETAIL, "--workers", 1, "--n", 2, "--candidates", 3, "--out", out,
               "--challenger", idle)  # fmt: skip
    assert "at least one of 3 candidates to be accepted" in message(done)
    assert "nothing was proposed" in done.output


def test_existing_files_and_other_campaigns(tmp_path: Path) -> None:
    out = tmp_path / "t.jsonl"
    assert challenge("--n", 1, "--no-strength", "--out", out).exit_code == 0
    before = out.read_bytes()
    assert "--resume" in message(challenge("--n", 1, "--no-strength", "--out", out))
    for option, words in (
        (("--seed", 1), "seed=0"),
        (("--no-novelty",), "novelty=True"),
        (("--challenger-option", "start=2"), "options={}"),
        (("--no-failures",), "gates="),
    ):
        text = message(challenge("--n", 1, "--no-strength", "--out", out, "--resume", *option))
        assert words in text
    assert out.read_bytes() == before
    assert challenge("--n", 1, "--no-strength", "--out", out, "--resume").exit_code == 0
    assert out.read_bytes() == before


def test_inspect_and_stats_read_whatever_is_there(tmp_path: Path) -> None:
    odd = "\x1b[31m[/red]\x07\ud800\u202e"
    tasks = [
        small(id="1", instruction=odd, verify=odd, solution="", failures=(odd,)),
        small(id="[/b]", provenance=by_id(LOOKUP).provenance),
    ]
    save_code_tasks(tasks, tmp_path / "t.jsonl")
    export_folder([by_id(CHANGE)], tmp_path / "folder")
    for name in ("t.jsonl", "folder"):
        for command in ("inspect", "stats"):
            done = sca(command, tmp_path / name)
            assert done.exit_code == 0, done.output
            assert not set(done.output) & set("\x1b\x07\u202e")
    done = sca("inspect", tmp_path / "folder", "--mutants")
    assert "ordered by mistake" in done.output
    save_code_tasks([], tmp_path / "empty.jsonl")
    assert "found none" in message(sca("inspect", tmp_path / "empty.jsonl"))
    assert sca("stats", tmp_path / "empty.jsonl").exit_code == 0
    assert "(1, [/b], …)" in message(sca("inspect", tmp_path / "t.jsonl", "--task", "nope"))


def test_errors_with_brackets_are_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sca_envs", "challenge", "inspect", str(tmp_path / "[/x].jsonl")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "[/x].jsonl, found none" in done.stderr
    assert "Traceback" not in done.stderr


def command(out: Path, *more: str) -> list[str]:
    arguments = [RETAIL, "--challenger", RECORDED, "--n", "7", "--candidates", "16"]
    arguments += ["--out", str(out), "--no-strength", *more]
    return [sys.executable, "-m", "sca_envs", "challenge", *arguments]


def start(out: Path, *more: str) -> subprocess.Popen[bytes]:
    """Start it in a session of its own, so that it can be killed alone, or with its workers."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        command(out, *more),
        env=environ,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def members(session: int) -> list[int]:
    """Return the processes of a session that live."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_killed_at_random_and_resumed(workers: str, tmp_path: Path) -> None:
    whole = tmp_path / "whole" / "t.jsonl"
    assert start(whole, "--workers", "1").wait(300) == 0
    out = tmp_path / "killed" / "t.jsonl"
    journal = out.with_name("t.journal.jsonl")
    rng = random.Random(7)
    for stop in sorted(rng.sample(range(12), 3)):
        run = start(out, "--workers", workers, *(["--resume"] if journal.exists() else []))
        deadline = time.monotonic() + 200
        while run.poll() is None and time.monotonic() < deadline:
            if journal.exists() and journal.read_bytes().count(b"\n") > stop:
                break
            time.sleep(0.01)
        run.send_signal(signal.SIGKILL)
        run.wait(60)
        while members(run.pid) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not members(run.pid)  # the workers went with it
    assert start(out, "--workers", workers, "--resume").wait(300) == 0
    assert out.read_bytes() == whole.read_bytes()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_interrupted_at_the_keyboard(tmp_path: Path) -> None:
    out = tmp_path / "t.jsonl"
    journal = out.with_name("t.journal.jsonl")
    run = start(out, "--workers", "1", "--engine", "process")
    while run.poll() is None and not (journal.exists() and journal.read_bytes().count(b"\n") > 1):
        time.sleep(0.01)
    os.killpg(run.pid, signal.SIGINT)
    assert run.wait(100) == 0
    deadline = time.monotonic() + 100
    while members(run.pid) and time.monotonic() < deadline:  # multiprocessing's tracker goes last
        time.sleep(0.1)
    assert not members(run.pid)
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    accepted = [line["task"]["id"] for line in lines[1:] if line["accepted"]]
    assert [task.id for task in load_code_tasks(out)] == accepted


def test_what_is_neither_an_id_nor_a_command() -> None:
    said = message(sca("tau_retail", "--n", 1, *OUT))
    assert "the id of an environment" in said
    assert "inspect" in said
    assert "'tau_retail'" in said
