"""What the tests of the leaderboard share: who submits, and how to tamper with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

WHO = {"name": "Tool calling", "model": "model-1", "organization": "A lab", "date": "2026-11-01"}
LINES = "runs/0/trajectories.jsonl"


def edit_lines(path: Path, change: Callable[[list[dict[str, Any]]], Any]) -> None:
    episodes = [json.loads(line) for line in path.read_text("ascii").splitlines()]
    change(episodes)
    path.write_text("".join(json.dumps(one) + "\n" for one in episodes), "ascii")


def edit_claims(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    path = folder / "submission.json"
    value = json.loads(path.read_text("ascii"))
    change(value)
    path.write_text(json.dumps(value), "ascii")
