"""The folder, the numbers and the end of a training run: what has nothing to do with learning.

A run's folder has ``config.json`` (the options), ``metrics.csv`` (a row an iteration),
``tensorboard/``, ``checkpoints/NNNNN/`` (after so many iterations), and ``evaluations/NNNNN/`` (a
run of `evaluate`, for `sca view` and `sca replay`).
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import importlib.util
import json
import os
import shutil
import signal
import time
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from sca_envs import OptionError, SCAError, redact

FREE = ("out", "resume", "iterations", "rounds", "wandb", "checkpoint_every")
"""Options that may differ when a run is resumed; the number of iterations only where the learning
rate does not depend on it."""


class Run:
    """A run's folder.

    Args:
        args: The options, a dataclass with the fields ``out``, ``resume`` and ``wandb``; ``FALLS``
            says that the learning rate falls to 0 with the last iteration.

    Raises:
        OptionError: If the folder exists and is not to be resumed, or if it is to be resumed and
            has no checkpoint or was made with other options.
        SCAError: If Weights & Biases is wanted and missing.
    """

    def __init__(self, args: Any) -> None:
        self.path = Path(args.out)
        self.args = args
        self._options: dict[str, Any] = redact(dataclasses.asdict(args))
        self._writer: Any = None
        self._wandb: Any = None
        if args.wandb and importlib.util.find_spec("wandb") is None:
            raise SCAError("--wandb needs wandb: pip install wandb")
        self.checkpoint: Path | None = None
        """The newest checkpoint, if the run is resumed."""
        if args.resume:
            self._check_resumed()
        elif self._taken():
            raise OptionError(
                f"Expected a new folder for the run, but {self.path} exists. Give another one with "
                "--out, or --resume to go on with this run"
            )

    def _taken(self) -> bool:
        """Return whether the folder is there already; other processes find what the first makes."""
        first = os.environ.get("RANK", "0") == "0"
        return first and self.path.exists() and (self.path.is_file() or any(self.path.iterdir()))

    def _check_resumed(self) -> None:
        found = sorted(self.path.glob("checkpoints/[0-9]*"))
        if not found:
            raise OptionError(
                f"Expected a run with a checkpoint to resume in {self.path}, found none. Leave out "
                "--resume to begin one"
            )
        self.checkpoint = found[-1]
        before = redact(json.loads((self.path / "config.json").read_text("utf-8")))
        now = json.loads(json.dumps(self._options))
        falls = now.get("anneal") or getattr(self.args, "FALLS", False)
        for name in sorted(now.keys() | before.keys()):
            free = name in FREE and not (name == "iterations" and falls)
            if not free and before.get(name) != now.get(name):
                raise OptionError(
                    f"Expected the options of the run in {self.path} to resume it, which has "
                    f"{name}={before.get(name)!r}; got {now.get(name)!r}"
                )

    def open(self, iteration: int) -> None:
        """Make the folder, and forget what came after an iteration.

        Raises:
            SCAError: If TensorBoard is missing, or Weights & Biases does not start.
        """
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise SCAError(
                "The recipes need tensorboard: pip install 'sca-envs[baselines]'"
            ) from None
        self.path.mkdir(parents=True, exist_ok=True)
        if self.args.wandb:
            self._wandb = self._start_wandb()
        write_whole(self.path / "config.json", json.dumps(self._options, indent=2) + "\n")
        self._writer = SummaryWriter(str(self.path / "tensorboard"), purge_step=iteration + 1)
        self._rows = [row for row in self.metrics() if int(row["iteration"]) <= iteration]
        self._write_rows()

    def _start_wandb(self) -> Any:
        import wandb

        project, name = self.args.wandb, str(self.path)
        try:
            return wandb.init(project=project, name=name, dir=name, config=self._options)
        except wandb.Error as error:
            raise SCAError(
                f"Expected to start a run in Weights & Biases; give WANDB_MODE=offline to keep it "
                f"here, or leave out --wandb: {error}"
            ) from error

    def metrics(self) -> list[dict[str, str]]:
        """Return the rows of ``metrics.csv``."""
        path = self.path / "metrics.csv"
        if not path.exists():
            return []
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def log(self, iteration: int, metrics: Mapping[str, float]) -> None:
        """Write the numbers of an iteration everywhere."""
        for name, value in metrics.items():
            self._writer.add_scalar(name, value, iteration)
        self._writer.flush()
        if self._wandb is not None:
            self._wandb.log(dict(metrics), step=iteration)
        row = {"iteration": str(iteration)} | {name: repr(value) for name, value in metrics.items()}
        self._rows.append(row)
        self._write_rows()

    def _write_rows(self) -> None:
        names = list(dict.fromkeys(name for row in self._rows for name in row))
        partial = self.path / "metrics.csv.partial"
        with partial.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, names)
            table.writeheader()
            table.writerows(self._rows)
        os.replace(partial, self.path / "metrics.csv")

    def save(self, iteration: int, write: Callable[[Path], None]) -> None:
        """Make a checkpoint, whole or not at all.

        Args:
            iteration: After which one.
            write: Writes it into a folder.
        """
        target = self.path / "checkpoints" / f"{iteration:05d}"
        partial = self.path / "checkpoints" / ".partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        write(partial)
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)

    def close(self) -> None:
        """Close what the numbers are written to."""
        if self._writer is not None:
            self._writer.close()
        if self._wandb is not None:
            self._wandb.finish()


def write_whole(path: Path, text: str) -> None:
    """Write a file, whole or not at all."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(text, "utf-8")
    os.replace(partial, path)


class Stop:
    """Whether Ctrl-C or SIGTERM asked to stop; a second one interrupts at once.

    Who listened before hears it, too: a run that is a part of another one stops that as well.
    """

    def __init__(self) -> None:
        self.asked = False
        self._around: Stop | None = None

    def _ask(self, number: int, frame: types.FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        if self._around is not None:
            self._around.asked = True

    @contextlib.contextmanager
    def listening(self) -> Iterator[Stop]:
        """Listen while the context lasts; only a process's main thread can."""
        try:
            before = {one: signal.signal(one, self._ask) for one in (signal.SIGINT, signal.SIGTERM)}
        except ValueError:  # not the main thread
            before = {}
        listener = getattr(before.get(signal.SIGINT), "__self__", None)
        self._around = listener if isinstance(listener, Stop) else None
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class Clock:
    """Where the seconds of an iteration go."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._began = time.monotonic()

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the time while the context lasts as a part."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._seconds[name] = self._seconds.get(name, 0.0) + time.monotonic() - began

    def read(self) -> dict[str, float]:
        """Return the seconds since the last reading, and each part's, and begin anew."""
        now = time.monotonic()
        seconds = {"iteration": now - self._began} | self._seconds
        self._seconds, self._began = {}, now
        return seconds


def progress_bar(console: Console | None = None) -> Progress:
    """Return a bar with return, success, tokens per second and the time left."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("return {task.fields[ret]:.3f}  success {task.fields[success]:.3f}"),
        TextColumn("{task.fields[rate]:.0f} tokens/s  left"),
        TimeRemainingColumn(),
        console=console,
    )
