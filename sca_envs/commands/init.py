"""`sca init`: a small domain of one's own to begin with."""

from __future__ import annotations

import importlib.metadata
import keyword
import re
import shutil
import sys
import tempfile
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import typer

from sca_envs.core.errors import OptionError, shorten
from sca_envs.domains.registry import list_domains

_TEMPLATE, _SUFFIX = "library", ".in"
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)


def register(app: typer.Typer) -> None:
    """Add the command to `sca`."""
    app.command()(init)


def init(
    name: Annotated[str, typer.Argument(help="Name of the domain and its package: my_shop.")],
    folder: Annotated[Path, typer.Option(help="Where to write the package's folder.")] = Path(),
) -> None:
    """Write a package with a small domain of your own, which works as it is: change it."""
    target = write_package(name, folder)
    env_id = f"{name}/{to_camel_case(name)}-v0"
    typer.echo(f"Wrote {target}. Next:")
    typer.echo(f"  pip install -e {target}")
    typer.echo(f"  sca check {name}")
    typer.echo(f"  sca play {env_id}")
    typer.echo(f"  sca challenge {env_id} --n 10 --out {name}.jsonl")


def write_package(name: str, folder: Path) -> Path:
    """Write a package with a small domain, and return its folder.

    Args:
        name: Name of the domain and the package.
        folder: Where to write the package's folder, which is called as the package.

    Raises:
        OptionError: If the name cannot be that of a package or is taken by one, the folder of the
            package is there already, or it cannot be written.
    """
    _check_name(name)
    target = folder / name
    if target.exists():
        raise OptionError(f"Expected {target} not to be there yet; choose another name or --folder")
    template = files("sca_envs").joinpath("templates", _TEMPLATE)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=f".{name}-") as scratch:
            _copy(template, Path(scratch) / name, name)
            shutil.move(Path(scratch) / name, target)  # all of it or nothing
    except OSError as error:
        raise OptionError(f"Expected to write {target}: {error.strerror or error}") from None
    return target


def to_camel_case(name: str) -> str:
    """Return ``MyShop`` of ``my_shop``, as environment ids have it."""
    return "".join(part.capitalize() for part in name.split("_"))


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise OptionError(
            "Expected a name of small letters, digits and single underscores, such as my_shop; "
            f"got {shorten(name)}"
        )
    reserved = ("sca_envs", "tests", "agents", "baselines")
    if name in sys.stdlib_module_names or name in reserved or _is_taken(name):
        raise OptionError(f"Expected a name that no other package has; {name!r} is taken")


def _is_taken(name: str) -> bool:
    """Return whether a package or a domain of that name is installed."""
    return name in importlib.metadata.packages_distributions() or name in list_domains()


def _copy(source: Traversable, target: Path, name: str) -> None:
    if source.is_dir():
        target.mkdir()
        for entry in source.iterdir():
            _copy(entry, target / _rename(entry.name.removesuffix(_SUFFIX), name), name)
    elif source.name.endswith(_SUFFIX):
        target.write_text(_rename(source.read_text(encoding="utf-8"), name), encoding="utf-8")


def _rename(text: str, name: str) -> str:
    camel = _TEMPLATE.capitalize()
    return text.replace(_TEMPLATE, name).replace(camel, to_camel_case(name))
