"""What the tests of several domains share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def m3tooleval(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the library find the converted M3ToolEval: in SCA_DATA_DIR, or ../shared/data."""
    beside = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("SCA_DATA_DIR", beside))
    if not (folder / "m3tooleval" / "tasks.jsonl").is_file():
        pytest.skip("needs M3ToolEval's data: set SCA_DATA_DIR to a folder that has it")
    monkeypatch.setenv("SCA_DATA_DIR", str(folder))
    return folder / "m3tooleval"
