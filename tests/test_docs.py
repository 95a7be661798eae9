"""Every code block of the README and the docs runs as printed."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def _blocks(page: Path, language: str) -> list[str]:
    return [body for kind, body in _BLOCK.findall(page.read_text("utf-8")) if kind == language]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_have_a_language_that_is_tested(page: Path) -> None:
    languages = {kind for kind, _ in _BLOCK.findall(page.read_text("utf-8"))}
    assert languages <= {"python", "bash", "text"}


# Its blocks are pieces of a package, which tests/test_own_domain.py writes and runs.
RUNNABLE = [page for page in PAGES if page.name != "your_own_domain.md"]


@pytest.mark.parametrize(
    "page", [p for p in RUNNABLE if _blocks(p, "python")], ids=lambda page: page.stem
)
def test_python_blocks_run_one_after_the_other(page: Path) -> None:
    code = "\n".join(_blocks(page, "python"))
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize(
    "page", [p for p in RUNNABLE if _blocks(p, "bash")], ids=lambda page: page.stem
)
def test_shell_blocks_run(page: Path, tmp_path: Path) -> None:
    """Commands of `sca` run here; those that make an environment are in CI, word for word."""
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    for line in "".join(_blocks(page, "bash")).splitlines():
        if line.startswith("sca "):
            command = [sys.executable, "-m", "sca_envs", *shlex.split(line)[1:]]
            subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
        else:
            assert line in [command.strip() for command in ci.splitlines()], line


def test_readme_example_is_short_and_ends_with_a_success() -> None:
    example = _blocks(ROOT / "README.md", "python")[0]
    done = subprocess.run(
        [sys.executable, "-c", example], check=True, capture_output=True, text=True
    )
    assert done.stdout == "1.0 user_stop\n"
    assert len([line for line in example.splitlines() if line]) == 10


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text("utf-8")):
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), target


def test_gallery_is_up_to_date() -> None:
    import runpy

    pages = runpy.run_path(str(ROOT / "docs" / "build.py"))
    assert (ROOT / "docs" / "gallery.md").read_text("utf-8") == pages["gallery"](), (
        "run `python docs/build.py`"
    )
