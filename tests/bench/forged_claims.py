"""Forgeries of what a submission says: tasks, options, versions, seeds, labels, results, files."""

from __future__ import annotations

import copy
import os
import shutil
from pathlib import Path
from typing import Any

from tests.bench.forging import ANYWHERE, Case, FileForgery, Forgery

NAN, INF = float("nan"), float("inf")
LINES = "runs/0/trajectories.jsonl"


def _drop_task(c: Case, task: str = "test-0") -> None:
    c.keep(lambda one: one["task_id"] != task)
    c.run["tasks"].remove(task)


def _rename_task(c: Case, name: Any) -> None:
    c.run["tasks"][0] = name
    for one in c.all:
        if one["task_id"] == "test-0":
            one["task_id"] = name


def _shift(c: Case, share: float, **versions: str) -> None:
    c.run["versions"] |= versions
    turns = c.results["turns"]
    turns["low"] += share * (turns["high"] - turns["low"])


def _copy_run(c: Case, agent: str | None = None) -> None:
    entry = copy.deepcopy(c.entry) | {"folder": "runs/1"}
    episodes = copy.deepcopy(c.all)
    if agent is not None:
        entry["agent"] = entry["results"]["run"]["options"]["agent"] = agent
        episodes = [one | {"agent": agent} for one in episodes]
    c.sub["entries"].append(entry)
    c.runs.append(episodes)


def _swap_entries(c: Case, key: str) -> None:
    one, two = c.sub["entries"]
    one[key], two[key] = two[key], one[key]


TASKS = [
    Forgery("tasks: a hard one missing", _drop_task, "task test-0"),
    Forgery("tasks: doubled", lambda c: c.run["tasks"].append("test-2"), "task test-2"),
    Forgery("tasks: reordered", lambda c: c.run["tasks"].reverse(), "run.tasks.0"),
    Forgery("tasks: none", lambda c: (c.run["tasks"].clear(), c.all.clear()), "run.tasks"),
    Forgery("tasks: fewer", lambda c: c.run["tasks"].pop(), recompute=False),
    *(
        Forgery(f"tasks: {name!r:.20}", lambda c, v=name: _rename_task(c, v), ANYWHERE)
        for name in ("test-x", "test-00", "test--1", "test-\u0660", "", "../../etc/passwd", 0, None)
    ),
    Forgery("tasks: a huge number", lambda c: _rename_task(c, "test-" + "9" * 5000)),
    Forgery(
        "tasks: thousands, thousand times",
        lambda c: (c.trials(1000), c.run.update(tasks=[f"test-{n}" for n in range(3000)])),
        recompute=False,
    ),
    Forgery("tasks: a split's size", lambda c: c.run.update(split_size=4), "run.split_size"),
    Forgery("tasks: a digest", lambda c: c.run["options"].update(tasks_digest="0" * 64)),
    Forgery("tasks: no digest", lambda c: c.run["options"].pop("tasks_digest")),
    Forgery("tasks: of their own", lambda c: c.option("tasks", "sha256:0")),
]

OPTIONS = [
    *(
        Forgery(f"options: {key}={value!r:.20}", lambda c, k=key, v=value: c.option(k, v), "runs/0")
        for key, values in {
            "max_turns": (0, -1, 10.0, "10", True, None, ..., 3),
            "user": ("none", "Scripted", "\u0455cripted", "scripted ", None, [], 1, ...),
            "action_format": ("hermes!", "JSON", None, ...),
            "split": ("train", "Test", None, "hard", ..., 1),
            "data": (
                "generated:1",
                "generated:00",
                "generated:\u0660",
                "generated",
                "generated:" + "9" * 5000,
                None,
                "../../etc",
            ),
            "reward": ("dense", "builtins:bool"),
            "invented": (1,),
            "max_episode_steps": (1000,),
            "disable_env_checker": (True,),
            "render_mode": ("human",),
            "num_tasks": (1, "x"),
            "": (1,),
            "self": (1,),
        }.items()
        for value in values
    ),
    Forgery("options: max_turns raised", lambda c: c.option("max_turns", 100), base="dna"),
    Forgery("options: check", lambda c: c.option("check", "lenient"), base="dna"),
    Forgery("options: check left out", lambda c: c.option("check", ...), base="dna"),
    *(
        Forgery(
            f"user of one's own as {name!r:.20}", lambda c, v=name: c.option("user", v), base="user"
        )
        for name in (
            "scripted",
            "none",
            ...,
            "sca_envs:ScriptedUser",
            "builtins:scripted",
            "scripted:",
            "scripted:user",
            "<b>:<i>",
            "a:b\nscripted",
            "a:" + "b" * 1000,
            "mine",
        )
    ),
    *(
        Forgery(f"run option: {key} gone", lambda c, k=key: c.run["options"].pop(k), ANYWHERE)
        for key in ("env_id", "env_options", "agent", "agent_options", "user_options", "seed")
    ),
    *(
        Forgery(
            f"run option: {key}={value!r:.20}",
            lambda c, k=key, v=value: c.run["options"].update({k: v}),
            ANYWHERE,
        )
        for key, value in (
            ("verified_by", "the authors"),
            ("agent_options", {"temperature": 0}),
            ("user_options", {"patience": 99}),
            ("env_options", []),
            ("agent_options", [1]),
            ("env_id", 5),
            ("trials", "2"),
            ("trials", 2.5),
            ("trials", 10**30),
            ("seed", 1),
            ("seed", False),
            ("seed", -1),
            ("seed", "0"),
            ("seed", 10**4000),
        )
    ),
    *(
        Forgery(f"env_id: {value!r}", lambda c, v=value: c.everywhere("env_id", v), ANYWHERE)
        for value in (
            "sca/TauR\u0435tail-v0",
            "sca/TauRetail",
            "sca/TauRetail-v1",
            "sca/TauAirline-v0",
            "antigravity:sca/TauRetail-v0",
            "CartPole-v1",
            "sca/\ud800",
            "",
            None,
        )
    ),
    *(
        Forgery(f"data: {value}", lambda c, v=value: c.run.update(data=v), ANYWHERE)
        for value in ({}, {"tau_retail": {"name": "generated:0"}}, None, [])
    ),
    *(
        Forgery(
            f"data: {key}",
            lambda c, k=key: c.run["data"]["tau_retail"].update({k: "0"}),
            "run.data",
        )
        for key in ("digest", "name", "note")
    ),
]

LABELS = [
    *(
        Forgery(
            f"versions: {version!r}",
            lambda c, v=version: _shift(c, 0.2, numpy=v),
            "results.turns.low",
            recompute=False,
        )
        for version in ("2.2.0", "99.0", "lol", "", "2.4.6\n")
    ),
    Forgery("versions: none", lambda c: c.run["versions"].clear(), "run.versions"),
    Forgery("versions: another", lambda c: c.run["versions"].update(pad="1.0"), "run.versions"),
    Forgery("remarks: none", lambda c: c.results.update(remarks=[]), "results", "user", False),
    Forgery("sandbox: unsafe", lambda c: c.run.update(unsafe_sandbox=True)),
    Forgery("label: noop as reference", lambda c: c.everywhere("agent", "reference"), base="noop"),
    Forgery("label: own as random", lambda c: c.everywhere("agent", "random")),
    *(
        Forgery(
            f"label: agent {value!r:.12}", lambda c, v=value: c.everywhere("agent", v), ANYWHERE
        )
        for value in ("", "<b>", "x" * 1000, "a\nb", None, [])
    ),
    *(
        Forgery(
            f"label: {key}={value!r:.36}",
            lambda c, k=key, v=value: c.sub.update({k: v}),
            "submission.json",
            recompute=False,
        )
        for key, values in {
            "name": ("", "  ", "a\nb", "x" * 201, None, 5, "a\ud800", "\u202ea", "\u200b", "a\x7f"),
            "organization": ("a\x00b", "a\u2028b", "\u00a0", "a" + "\u0301" * 99),
            "notes": ("x" * 5001, [], "a\x00b"),
            "date": (
                "2026-02-30",
                "yesterday",
                0,
                "2026-11-22T00:00:00",
                " 2026-11-22",
                "2999-01-01",
            ),
            "links": (
                None,
                ["javascript:alert(1)"],
                ["https://arxiv.org@evil.example/"],
                ["https:///x"],
                ["https://example.org/\u202e"],
                ["https://example.org/\n"],
                ["https://example.org/"] * 1000,
            ),
            "version": (2, True, "1"),
            "verified": (True,),
            "entries": (None, {}, [], [None], "runs/0"),
        }.items()
        for value in values
    ),
]

RESULTS = [
    *(
        Forgery(
            f"results: {name}.{key}={value!r:.12}",
            lambda c, n=name, k=key, v=value: c.results[n].update({k: v}),
            ANYWHERE,
            recompute=False,
        )
        for name, key, value in (
            ("success", "mean", 0.75),
            ("success", "mean", NAN),
            ("success", "mean", "0.625"),
            ("success", "mean", True),
            ("success", "low", 0.6),
            ("success", "tasks", 400),
            ("success", "tasks", "4"),
            ("success", "median", 1.0),
            ("turns", "mean", 1.0),
            ("cost", "mean", -1.0),
            ("cost", "high", 1e308),
            ("cost", "low", INF),
            ("totals", "cost", 0.0),
            ("totals", "medals", 3.0),
            ("errors", "agent_error", 7),
            ("errors", "cosmic_ray", 0),
            ("pass_hat", "02", {"mean": 1.0, "low": 1.0, "high": 1.0, "tasks": 4}),
            ("pass_hat", "3", {"mean": 1.0, "low": 1.0, "high": 1.0, "tasks": 4}),
            ("pass_hat", "1" * 30, {"mean": 1.0, "low": 1.0, "high": 1.0, "tasks": 4}),
            ("pass_hat", "2", None),
            ("tasks", "test-99", None),
        )
    ),
    *(
        Forgery(
            f"results: {key}={value!r:.12}",
            lambda c, k=key, v=value: c.results.update({k: v}),
            ANYWHERE,
            recompute=False,
        )
        for key, value in (
            ("episodes", 800),
            ("scored", "8"),
            ("cost", None),
            ("components", {}),
            ("elo", 3000),
            ("format", "other"),
        )
    ),
    Forgery(
        "results: tasks reordered",
        lambda c: c.results.update(tasks=dict(reversed(c.results["tasks"].items()))),
        "results.tasks",
        recompute=False,
    ),
    Forgery("entries: a copy", _copy_run, "runs/1"),
    Forgery("entries: a copy as another agent's", lambda c: _copy_run(c, "other:Agent"), "runs/1"),
    Forgery(
        "entries: results swapped", lambda c: _swap_entries(c, "results"), "runs/1", "two", False
    ),
    Forgery(
        "entries: folders swapped", lambda c: _swap_entries(c, "folder"), "runs/1", "two", False
    ),
    Forgery(
        "entries: thousands",
        lambda c: c.sub.update(entries=[c.entry] * 2000),
        "submission.json",
        recompute=False,
    ),
    *(
        Forgery(
            f"folder: {value!r}",
            lambda c, v=value: c.entry.update(folder=v),
            ANYWHERE,
            recompute=False,
        )
        for value in ("../other", "/etc", "runs/0\n", "runs/\u0660", "runs/00", "runs/7", "", None)
    ),
]


def _write(file: str, data: bytes) -> Any:
    return lambda folder: (folder / file).write_bytes(data)


def _edit(file: str, old: bytes, new: bytes) -> Any:
    def edit(folder: Path) -> None:
        before = (folder / file).read_bytes()
        assert old in before
        (folder / file).write_bytes(before.replace(old, new, 1))

    return edit


def _instead(file: str, make: Any) -> Any:
    def put(folder: Path) -> None:
        path = folder / file
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        make(path)

    return put


_TEXTS = {
    "empty": b"",
    "null": b"null\n",
    "list": b"[]\n",
    "NaN": b"NaN\n",
    "bytes": bytes(range(256)),
    "deep": b"[" * 200_000 + b"\n",
    "digits": b"9" * 10_000 + b"\n",
    "wide": b"[" + b"[]," * 2_000_000 + b"[]]\n",
    "long": b'{"format": "' + b"x" * (17 << 20) + b'"}\n',
}
FILES = [
    *(FileForgery(f"submission: {n}", _write("submission.json", t)) for n, t in _TEXTS.items()),
    *(FileForgery(f"lines: {n}", _write(LINES, t), "runs/0") for n, t in _TEXTS.items()),
    FileForgery(
        "submission: a key twice", _edit("submission.json", b'"name"', b'"name":"x","name"')
    ),
    FileForgery(
        "submission: a key twice, once in escapes",
        _edit("submission.json", b'"name"', b'"n\\u0061me":"x","name"'),
    ),
    FileForgery(
        "submission: nested deeply",
        _edit("submission.json", b'"agent_options": {', b'"agent_options": {"a":' + b"[" * 900),
    ),
    FileForgery("submission: a mark before it", _edit("submission.json", b"{", b"\xef\xbb\xbf{")),
    FileForgery(
        "lines: a key twice", _edit(LINES, b'"reward":', b'"reward":1.0,"reward":'), "runs/0"
    ),
    FileForgery("lines: half of one", _edit(LINES, b"\n", b'\n{"format":'), "runs/0, line 2"),
    FileForgery("lines: two in one", _edit(LINES, b"\n", b""), "runs/0, line 1"),
    *(
        FileForgery(f"{file}: {name}", _instead(file, make), "" if file == LINES else file)
        for file in (LINES, "submission.json")
        for name, make in (
            ("gone", lambda path: None),
            ("a folder", Path.mkdir),
            ("a pipe", os.mkfifo),
            ("a link", lambda path: path.symlink_to("/etc/passwd")),
            ("a link without end", lambda path: path.symlink_to("/dev/zero")),
            ("a link to itself", lambda path: path.symlink_to(path)),
        )
    ),
    FileForgery("a run is a file", _instead("runs/0", Path.touch), "runs/0"),
    FileForgery(
        "a run is a link",
        lambda folder: (
            shutil.move(folder / "runs/0", folder.parent / "elsewhere"),
            (folder / "runs/0").symlink_to(folder.parent / "elsewhere"),
        ),
        "runs/0",
    ),
    *(
        FileForgery(f"a further file: {name}", _write(name, b"x"), name)
        for name in ("index.html", ".htaccess", "runs/0/results.json")
    ),
]

CLAIMS = [*TASKS, *OPTIONS, *LABELS, *RESULTS]
