"""`sca init`, and the page that builds a domain of one's own."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from sca_envs.commands.init import write_package
from sca_envs.core.errors import OptionError

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "your_own_domain.md").read_text("utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_package("library", tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment outside the repository that finds what is installed here."""
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    venv.create(folder, with_pip=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    found = "\n".join([str(ROOT), *(path for path in sys.path if path.endswith("-packages"))])
    (packages / "here.pth").write_text(found + "\n", "utf-8")
    script = folder / "bin" / "sca"
    code = (
        f"#!{folder}/bin/python\nfrom sca_envs.cli import main\nif __name__ == '__main__': main()\n"
    )
    script.write_text(code, "utf-8")
    script.chmod(0o755)
    return folder / "bin" / "python"


def test_the_package_is_small(library: Path) -> None:
    texts = [path.read_text("utf-8") for path in (library / "library").glob("*.py")]
    assert sum(len(text.splitlines()) for text in texts) <= 200


def test_the_page_shows_what_the_package_has(library: Path) -> None:
    files = "\n".join(
        path.read_text("utf-8") for path in (library / "library").iterdir() if path.is_file()
    )
    *shown, _ = _blocks("python")  # the last is about using it
    wordings = [block for block in _blocks("text") if block.startswith("[")]
    assert len(shown) >= 8
    assert wordings
    for block in [*shown, *wordings]:
        assert block in files


@pytest.mark.slow
def test_the_page_works_as_printed(python: Path, tmp_path: Path) -> None:
    """Every command, and the example, with the package installed beside ours."""
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    environ = {"HOME": os.environ.get("HOME", "/"), "PATH": path}
    environ |= {"PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_INDEX": "1"}
    for line in "".join(_blocks("bash")).splitlines():
        command = shlex.split(line)
        if command[0] in ("pip", "pytest"):
            command = [str(python), "-m", *command]
        done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True)
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    for code in (_blocks("python")[-1], "import sca_envs; sca_envs.check_env(env)"):
        example = f"{_blocks('python')[-1]}\n{code}"
        subprocess.run([python, "-c", example], cwd=tmp_path, env=environ, check=True)


def test_another_name_reaches_everything(tmp_path: Path) -> None:
    folder = write_package("book_shop", tmp_path)
    texts = {path: path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()}
    assert {path.name for path in texts} >= {"__init__.py", "wordings.toml", "test_book_shop.py"}
    assert not [path for path, text in texts.items() if "library" in text.lower()]
    assert 'register_env("book_shop/BookShop-v0"' in texts[folder / "book_shop" / "__init__.py"]


def test_the_package_is_formatted(library: Path) -> None:
    for command in (["check", "--select", "E,F"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--isolated", "--line-length", "100"]
        done = subprocess.run([*ruff, library], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "name",
    ["", "Shop", "my-shop", "a__b", "_a", "1a", "class", "x/y", "é", "json", "sca_envs", "numpy"],
)
def test_names_that_no_package_can_have(name: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="Expected a name"):
        write_package(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    with pytest.raises(OptionError, match="not to be there yet"):
        write_package("shop", tmp_path)
    assert not list((tmp_path / "shop").iterdir())


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OptionError, match="Expected to write"):
        write_package("shop", tmp_path / "file")
