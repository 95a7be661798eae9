"""The pages of the recipes point at the lines that they speak of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGES = sorted((Path(__file__).parents[2] / "docs" / "baselines").glob("*.md"))
_LINK = re.compile(r"\[`([^`]+)`\]\(([^)#]+)#L(\d+)\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_lines(page: Path) -> None:
    links = _LINK.findall(page.read_text("utf-8"))
    assert links
    for text, target, number in links:
        lines = (page.parent / target).read_text("utf-8").splitlines()
        found = [i for i, line in enumerate(lines, 1) if text in line]
        assert int(number) in found, f"{text} is in line {found} of {target}, not {number}"
