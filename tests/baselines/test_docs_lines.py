"""The pages of the recipes point at the lines that they speak of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

_LINK = re.compile(r"\[`([^`]+)`\]\(([^)#]+)#L(\d+)\)")
PAGES = sorted(
    page
    for page in (Path(__file__).parents[2] / "docs" / "baselines").glob("*.md")
    if page.stem == "ppo" or _LINK.search(page.read_text("utf-8"))
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_lines(page: Path) -> None:
    links = _LINK.findall(page.read_text("utf-8"))
    assert links
    for text, target, number in links:
        lines = (page.parent / target).read_text("utf-8").splitlines()
        found = [i for i, line in enumerate(lines, 1) if text in line]
        assert int(number) in found, f"{text} is in line {found} of {target}, not {number}"
