"""Whether the recipes learn: `python benchmarks/learning_curves.py --out runs/curves`.

Runs each recipe with its default options from several seeds, each in a process of its own, and
the control with shuffled rewards. A seed fixes the model's first weights, the demonstrations of its
warm start and all that is sampled. Success is that on the 37 held-out tasks of the tiny world,
sampled at temperature 1. The folder then has ``curves.csv`` (a row an evaluation), ``curves.png``
and ``results.md``; runs that are there already are not run again.
"""

from __future__ import annotations

import argparse
import csv
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from sca_envs import SCAError

RECIPES = ("sft", "rft", "dpo", "grpo", "ppo")
CONTROLLED = ("grpo", "ppo")
"""Those that have ``--shuffle-rewards``."""
LOW, HIGH = 0.4, 0.8
"""A run that begins under the one and ends over the other has learned the world."""


class Learned(NamedTuple):
    """A run as far as the curves need it."""

    recipe: str
    seed: int
    shuffled: bool
    success: dict[int, float]
    """Iteration, or round -> held-out success."""
    wall: float
    """Seconds from the start of the process to its end, warm start and evaluations included."""
    training: float
    """Seconds of the iterations alone; 0 where a recipe does not say."""

    @property
    def name(self) -> str:
        """How tables call it."""
        return f"{self.recipe}, shuffled rewards" if self.shuffled else self.recipe

    @property
    def before(self) -> float:
        """Success after the warm start."""
        return self.success[min(self.success)]

    @property
    def after(self) -> float:
        """Success at the end."""
        return self.success[max(self.success)]

    @property
    def learned(self) -> bool:
        """Whether it rose from under `LOW` to over `HIGH`."""
        return self.before < LOW and self.after > HIGH


def run(
    recipe: str, seed: int, folder: Path, *, shuffled: bool = False, options: Sequence[str] = ()
) -> Learned:
    """Run a recipe, unless it has run, and return what it learned.

    Args:
        recipe: Name of a module of ``baselines``.
        seed: Its seed.
        folder: Where the runs are.
        shuffled: Whether it is the control.
        options: Further options of the recipe, such as ``--iterations 10``.
    """
    out = folder / f"{recipe}{'-shuffled' if shuffled else ''}-{seed}"
    clock = out / "wall.txt"
    if not clock.exists():
        command = [sys.executable, "-m", f"baselines.{recipe}", "--out", str(out)]
        command += ["--seed", str(seed), "--eval-trials", "4", *options]
        command += ["--eval-every", "10"] * (recipe in CONTROLLED)
        command += ["--shuffle-rewards"] * shuffled
        folder.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        with (folder / f"{out.name}.log").open("w") as log:
            done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT)
        if done.returncode:
            raise SCAError(f"{out.name} did not come to its end; {log.name} says why")
        clock.write_text(f"{time.monotonic() - began:.1f}\n")
    with (out / "metrics.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    success = {
        int(row["iteration"]): float(row["eval/success"]) for row in rows if row["eval/success"]
    }
    training = sum(float(row.get("time/iteration") or 0) for row in rows)
    return Learned(recipe, seed, shuffled, success, float(clock.read_text()), training)


def table(runs: Sequence[Learned]) -> str:
    """Return a Markdown table of runs, and under it a line a recipe."""
    lines = [
        "| recipe | seed | held-out success before | after | wall time | of that, iterations |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.name} | {one.seed} | {one.before:.2f} | {one.after:.2f} | {one.wall:.0f} s "
        f"| {f'{one.training:.0f} s' if one.training else ''} |"
        for one in runs
    ]
    lines.append("")
    for name in dict.fromkeys(one.name for one in runs):
        mine = [one for one in runs if one.name == name]
        mean = statistics.fmean(one.after - one.before for one in mine)
        lines.append(
            f"- {name}: {sum(one.learned for one in mine)} of {len(mine)} from under {LOW} to over "
            f"{HIGH}; mean change {mean:+.2f}"
        )
    return "\n".join(lines) + "\n"


def draw(runs: Sequence[Learned], path: Path) -> None:
    """Draw a panel a recipe with a line a seed; the control is dashed."""
    from matplotlib.figure import Figure

    recipes = list(dict.fromkeys(one.recipe for one in runs))
    figure = Figure(figsize=(2.7 * len(recipes) + 1.6, 3), layout="constrained")
    panels = figure.subplots(1, len(recipes), sharey=True, squeeze=False)[0]
    for panel, recipe in zip(panels, recipes, strict=True):
        for one in runs:
            if one.recipe == recipe:
                panel.plot(
                    list(one.success),
                    list(one.success.values()),
                    "--" if one.shuffled else "-",
                    color="grey" if one.shuffled else f"C{one.seed % 10}",
                    marker=".",
                    label="shuffled rewards" if one.shuffled else f"seed {one.seed}",
                )
        panel.axhspan(LOW, HIGH, color="grey", alpha=0.1)
        panel.set(title=recipe.upper(), ylim=(0, 1), xlabel="round" if recipe == "rft" else "step")
    panels[0].set_ylabel("held-out success")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", fontsize="small")
    figure.savefig(path, dpi=110)


def main() -> None:
    """Run, and write the table, the curves and the picture."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs and results")
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3, 4, 5])
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="runs at a time")
    arguments = parser.parse_args()
    jobs = [(name, seed, False) for name in arguments.recipes for seed in arguments.seeds]
    jobs += [(name, arguments.seeds[0], True) for name in arguments.recipes if name in CONTROLLED]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        futures = [
            pool.submit(run, name, seed, arguments.out, shuffled=shuffled)
            for name, seed, shuffled in jobs
        ]
        try:
            runs = [future.result() for future in futures]
        except SCAError as error:
            pool.shutdown(cancel_futures=True)
            sys.exit(f"Error: {error}")
    text = table(runs)
    (arguments.out / "results.md").write_text(text, encoding="utf-8")
    with (arguments.out / "curves.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["recipe", "seed", "shuffled", "iteration", "success"])
        for one in runs:
            for iteration, success in one.success.items():
                writer.writerow([one.recipe, one.seed, one.shuffled, iteration, success])
    draw(runs, arguments.out / "curves.png")
    print(text)


if __name__ == "__main__":
    main()
