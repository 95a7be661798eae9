"""What importing and installing the package brings along."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import os
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


def test_agents_import_without_the_libraries_that_they_use() -> None:
    code = "import sys; from sca_envs.agents import *; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {"torch", "transformers", "tokenizers", "vllm", "openai", "trl", "jinja2"}


def test_requirements_are_light() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    names = {re.split(r"[<>=~! ]", requirement)[0] for requirement in project["dependencies"]}
    assert names == LIGHT
    assert all(">=" in requirement for requirement in project["dependencies"])


def test_version_is_one() -> None:
    assert importlib.metadata.version("sca-envs") == sca_envs.__version__


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built here."""
    builder = pytest.importorskip("hatchling.builders.wheel", reason="hatchling is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    (path,) = builder.WheelBuilder(str(ROOT)).build(directory=str(folder))
    return zipfile.ZipFile(path)


def test_wheel_holds_the_package_only(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert {name.partition("/")[0] for name in names} == {
        "sca_envs",
        f"sca_envs-{sca_envs.__version__}.dist-info",
    }
    for needed in (
        "py.typed",
        "__init__.pyi",
        "domains/tau_retail/policy.md",
        "bench/viewing/templates/viewer/page.html",
        "agents/__init__.pyi",
        "agents/prompts/native.md.jinja",
        "agents/templates/chatml.jinja",
    ):
        assert f"sca_envs/{needed}" in names


_BESIDE_ANOTHER_PACKAGE = """
import sys
import sca_envs
from sca_envs.agents import prompt
from sca_envs.bench.loading import load

assert sca_envs.__file__.startswith(sys.argv[1]), sca_envs.__file__
for name in ("chat:ChatAgent", "hf:HFAgent", "users:LLMUser", "vllm_agent:VLLMAgent"):
    assert load(f"agents.{name}", "agent") is getattr(sca_envs, name.partition(":")[2]), name
assert "Hello" in prompt("user", instruction="Hello", stop="Bye")
assert "agents" not in sys.modules
assert load("agents.chat:Other", "agent").__module__ == "agents.chat"
"""


def test_a_package_of_another_project_called_agents_disturbs_nothing(
    wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    wheel.extractall(site)
    (site / "agents").mkdir()
    elsewhere.mkdir()
    (site / "agents" / "__init__.py").touch()
    text = "class ChatAgent: ...\nclass Other: ...\n"
    (site / "agents" / "chat.py").write_text(text, "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", _BESIDE_ANOTHER_PACKAGE, str(site)],
        cwd=elsewhere,
        env=os.environ | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_layers_import_only_from_above() -> None:
    """The design's order of layers; `core` knows no Gymnasium."""
    layers = ["core", "sandbox", "data", "domains", "challenge", "envs"]
    layers += ["bench", "agents", "integrations"]
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
        modules = set(re.findall(r"(?:from|import) (sca_envs[\w.]*)", text))
        assert modules <= {"sca_envs", "sca_envs.agents", "sca_envs.integrations.trl"}, path
        for module, *names in re.findall(
            r"from (sca_envs[\w.]*) import (?:\(([^)]*)\)|(.*))", text
        ):
            used = {name.strip() for name in "".join(names).split(",")} - {""}
            assert used <= set(importlib.import_module(module).__all__), path


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
