"""The report of a self-challenging run: ``report.md`` and its plots.

It is written anew after every stage from the files that the stages left, so a run that was stopped
has one, too.
"""

from __future__ import annotations

import csv
import json
import shlex
from pathlib import Path
from typing import Any

from baselines.run import write_whole

_LEFT_OUT = ("out", "resume", "wandb")


def write(path: Path, args: dict[str, Any]) -> None:
    """Write the report of what is done.

    Args:
        path: Folder of the run.
        args: Its options.
    """
    rounds = sorted(path.glob("round-*"), key=lambda one: int(one.name.rpartition("-")[2]))
    lines = ["# Self-challenging", "", *_options(args), "", "## Success on held-out tasks", ""]
    lines += _success(path)
    for folder in rounds:
        lines += ["", f"## Round {folder.name.rpartition('-')[2]}", "", *_round(path, folder)]
    lines += ["", "## Time", "", *_times(path, rounds)]
    write_whole(path / "report.md", "\n".join(lines) + "\n")


def summary(path: Path) -> str:
    """Return the table of successes, and where the report is."""
    return "\n".join([*_success(path, plot=False), "", f"{path / 'report.md'}"])


def _options(args: dict[str, Any]) -> list[str]:
    words = ["python -m baselines.self_challenge"]
    for name, value in args.items():
        if name in _LEFT_OUT or value is None or value == "" or value is False:
            continue
        option = "--" + name.replace("_", "-")
        words.append(option if value is True else f"{option} {shlex.quote(str(value))}")
    return ["```text", " \\\n    ".join(words), "```"]


def _success(path: Path, plot: bool = True) -> list[str]:
    """Return the table of pass@1 and pass@k, one line a test, and draw it."""
    tests = {int(one.stem): read(one) for one in sorted(path.glob("evaluations/[0-9]*.json"))}
    if not tests:
        return ["Nothing was tested yet."]
    kinds = list(tests[min(tests)]["pass_at"])
    lines = ["| executor | " + " | ".join(f"pass@{k}" for k in kinds) + " | tasks |"]
    lines.append("|---|" + "---|" * len(kinds) + "---:|")
    for round_, found in tests.items():
        name = f"after round {round_}" if round_ else "before"
        cells = [interval(found["pass_at"][k]) for k in kinds]
        tasks = found["pass_at"][kinds[0]]["tasks"]
        lines.append(f"| {name} | {' | '.join(cells)} | {tasks} |")
    if plot:
        draw_success(tests, path / "success.png")
        lines += ["", "In brackets: 95 % bootstrap intervals over tasks.", "", "![](success.png)"]
    return lines


def _round(path: Path, folder: Path) -> list[str]:
    lines: list[str] = []
    made = folder / "challenge.json"
    made = made if made.exists() else folder / "funnel.json"  # no task was accepted
    if made.exists():
        found = read(made)
        share = found["accepted"] / max(1, found["candidates"])
        lines += [
            f"{found['accepted']} of {found['candidates']} candidates accepted ({share:.1%}).",
            "",
            *funnel_table(found),
            "",
            f"![]({folder.name}/funnel.png)",
        ]
    for name, words in (("rollouts", "Played"), ("judged", "Judged"), ("train", "Trained")):
        if (folder / f"{name}.json").exists():
            found = read(folder / f"{name}.json")
            told = [f"{key} {_short(found[key])}" for key in found if key != "seconds"]
            lines += ["", f"{words}: {', '.join(told)}."]
    metrics = folder / "train" / "metrics.csv"
    if metrics.exists() and draw_curves(metrics, folder / "curves.png"):
        lines += ["", f"![]({folder.name}/curves.png)"]
    return lines


def funnel_table(found: dict[str, Any]) -> list[str]:
    """Return the funnel as a Markdown table.

    Args:
        found: What `Funnel.report` gives.
    """
    lines = ["| gate | entered | passed | most frequent reason |", "|---|---:|---:|---|"]
    for stage in found["stages"]:
        reasons = sorted(stage["reasons"].items(), key=lambda item: -item[1])
        told = f"{reasons[0][0]} ({reasons[0][1]})".replace("|", "\\|") if reasons else ""
        lines.append(f"| {stage['gate']} | {stage['entered']} | {stage['passed']} | {told} |")
    for reason, number in found["errors"].items():
        lines.append(f"| (no candidate) | {number} | 0 | {reason.replace('|', '/')} |")
    return lines


def interval(value: dict[str, Any]) -> str:
    """Return an estimate as a cell of a table."""
    return f"{value['mean']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"


def _times(path: Path, rounds: list[Path]) -> list[str]:
    """Return how long each stage took; a resumed one's time is that of its last part."""
    lines = ["| stage | seconds |", "|---|---:|"]
    names = [*path.glob("*.json"), *path.glob("evaluations/*.json")]
    for file in sorted(names) + [one for folder in rounds for one in sorted(folder.glob("*.json"))]:
        found = read(file)
        if "seconds" in found:
            name = file.relative_to(path).with_suffix("").as_posix()
            lines.append(f"| {name} | {found['seconds']:g} |")
    return lines


def draw_success(tests: dict[int, dict[str, Any]], file: Path) -> None:
    """Draw pass@1 and pass@k after each round, with their intervals."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 3.2), layout="constrained")
    axes = figure.subplots()
    for k in next(iter(tests.values()))["pass_at"]:
        values = [found["pass_at"][k] for found in tests.values()]
        means = [value["mean"] for value in values]
        below = [value["mean"] - value["low"] for value in values]
        above = [value["high"] - value["mean"] for value in values]
        axes.errorbar(list(tests), means, [below, above], marker="o", capsize=3, label=f"pass@{k}")
    axes.set(xlabel="rounds", ylabel="success on held-out tasks", ylim=(0, 1), xticks=list(tests))
    axes.legend()
    figure.savefig(file, dpi=120)


def draw_curves(metrics: Path, file: Path) -> bool:
    """Draw the numbers of the recipe's run; return whether there were any to draw."""
    with metrics.open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    names = ("losses/loss", "losses/policy_loss", "charts/success", "eval/success")
    curves = {
        name: [(int(row["iteration"]), float(row[name])) for row in rows if row.get(name)]
        for name in names
    }
    curves = {name: points for name, points in curves.items() if len(points) > 1}
    if not curves:
        return False
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.2 * len(curves), 2.6), layout="constrained")
    places = figure.subplots(1, len(curves), squeeze=False)[0]
    for axes, (name, points) in zip(places, curves.items(), strict=True):
        axes.plot(*zip(*points, strict=True), marker="." if len(points) < 30 else "")
        axes.set(xlabel="iteration", title=name)
        axes.locator_params(axis="x", integer=True)
    figure.savefig(file, dpi=120)
    return True


def read(file: Path) -> dict[str, Any]:
    """Return the object in a JSON file."""
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


def _short(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else f"`{value}`"
