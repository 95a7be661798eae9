"""What importing and installing the package brings along."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator, Set
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import sca_envs

ROOT = Path(__file__).parents[1]
LIGHT = {
    "gymnasium",
    "jinja2",
    "lazy-loader",
    "numpy",
    "platformdirs",
    "pydantic",
    "rich",
    "typer",
}


def test_import_loads_nothing_heavy() -> None:
    code = "import sys, sca_envs; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "gymnasium" in loaded
    heavy = {
        "torch",
        "transformers",
        "datasets",
        "pyarrow",
        "pandas",
        "typer",
        "rich",
        "pydantic",
        "jinja2",
    }
    assert not loaded & heavy


def test_public_names_exist_and_have_docstrings() -> None:
    assert len(sca_envs.__all__) > 25
    for name in sca_envs.__all__:
        value = getattr(sca_envs, name)
        assert name == "Action" or value.__doc__, name
    with pytest.raises(AttributeError, match="nope"):
        sca_envs.nope  # noqa: B018


def test_requirements_are_light() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    names = {re.split(r"[<>=~! ]", requirement)[0] for requirement in project["dependencies"]}
    assert names == LIGHT
    assert all(">=" in requirement for requirement in project["dependencies"])


def test_version_is_one() -> None:
    assert importlib.metadata.version("sca-envs") == sca_envs.__version__


def test_wheel_holds_the_package_only(tmp_path: Path) -> None:
    builder = pytest.importorskip("hatchling.builders.wheel", reason="hatchling is not installed")
    (wheel,) = builder.WheelBuilder(str(ROOT)).build(directory=str(tmp_path))
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names} == {
        "sca_envs",
        f"sca_envs-{sca_envs.__version__}.dist-info",
    }
    for needed in (
        "py.typed",
        "__init__.pyi",
        "domains/tau_retail/policy.md",
        "bench/viewing/templates/viewer/page.html",
    ):
        assert f"sca_envs/{needed}" in names


def test_layers_import_only_from_above() -> None:
    """The design's order of layers; `core` knows no Gymnasium."""
    layers = ["core", "sandbox", "data", "domains", "challenge", "envs", "bench", "integrations"]
    for path in (ROOT / "sca_envs").rglob("*.py"):
        layer = path.relative_to(ROOT / "sca_envs").parts[0]
        if layer not in layers:
            continue
        below = layers[layers.index(layer) + 1 :]
        text = path.read_text("utf-8")
        used = set(re.findall(r"(?:from|import) sca_envs\.(\w+)", text))
        assert not used & set(below), path
        if layer in ("core", "sandbox", "data", "domains"):
            assert "import gymnasium" not in text, path


@pytest.mark.parametrize("folder", ["agents", "baselines"])
def test_agents_and_recipes_use_what_is_public(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        text = path.read_text("utf-8")
        assert "sca_envs." not in text.replace("sca_envs.integrations.trl", ""), path
        for names in re.findall(r"from sca_envs import (?:\(([^)]*)\)|(.*))", text):
            used = {name.strip() for name in "".join(names).split(",")} - {""}
            assert used <= set(sca_envs.__all__), path


def test_no_modules_import_one_another() -> None:
    """Nor for their types: whoever reads one would have to have read the other."""
    paths = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for folder in ("sca_envs", "agents", "baselines")
        for path in (ROOT / folder).rglob("*.py")
    }
    graph = {name: set(_imported(path, paths.keys())) - {name} for name, path in paths.items()}
    assert "sca_envs.core.task" in graph["sca_envs.core.episode"]
    assert "sca_envs.envs.tool_use" in graph["sca_envs.envs.registration"]  # for its type
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"they import one another: {' <- '.join(error.args[1])}")


def _imported(path: Path, modules: Set[str]) -> Iterator[str]:
    """Yield those of the modules that one imports as it is imported, or for types."""
    statements: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while statements:
        node = statements.pop()
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield from {name if name in modules else node.module or ""} & set(modules)
        elif isinstance(node, ast.Import):
            yield from {alias.name for alias in node.names} & set(modules)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            statements += ast.iter_child_nodes(node)
