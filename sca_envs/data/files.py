"""What the importers share: names, reading of a source, and the exchange of a whole folder.

An importer reads and checks everything first, as a mapping from relative path to bytes; only then
does `replace_folder` write, so a broken source leaves an installed data set as it was.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Iterable, Mapping
from importlib.resources.abc import Traversable
from pathlib import Path

from sca_envs.core.errors import OptionError, SCAError

LICENSE = "LICENSE"
POLICY = "policy.md"
TABLES = {
    "retail": ("users", "orders", "products"),
    "airline": ("flights", "reservations", "users"),
}
"""Domain folder -> names of its tables."""


def domain_files(domain: str, splits: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the files in a domain's folder.

    Args:
        domain: ``retail`` or ``airline``.
        splits: Names of the splits that have a task file.
    """
    tables = (f"{table}.json" for table in TABLES[domain])
    return (*tables, POLICY, *(f"tasks_{split}.jsonl" for split in splits))


def read_source(root: Traversable, relative: str) -> bytes:
    """Return the bytes of a file that an import needs.

    Args:
        root: Folder, or archive, that is imported.
        relative: Path of the file in it.

    Raises:
        OptionError: If the file does not exist or cannot be read.
    """
    path = root.joinpath(relative)
    if not path.is_file():
        raise OptionError(
            f"Expected the source to have the file {relative}; {root} has none. "
            "Give a complete copy of the original"
        )
    try:
        return path.read_bytes()
    except OSError as error:
        raise OptionError(f"Expected a readable file {relative} in {root}; got {error}") from error


def replace_folder(
    target: Path, name: str, files: Mapping[str, bytes], known: Collection[str]
) -> list[Path]:
    """Write a data set's folder as a whole, in place of an older one.

    The files are written to a temporary folder beside the final one, which is then renamed. If
    anything fails, the old folder is what it was.

    Args:
        target: The data folder; made if it does not exist.
        name: Name of the data set's folder in it.
        files: Path relative to the data set's folder -> content.
        known: All paths that such a folder can have.

    Returns:
        The written files.

    Raises:
        OptionError: If the old folder has files that no import wrote; they would be lost.
        SCAError: If the data folder cannot be written to.
    """
    try:
        final = (target / name).resolve()
        _refuse_foreign_files(final, known)
        final.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=final.parent) as work:
            # Not `work` itself, because only its owner can read it.
            new = Path(work, "new")
            for relative, content in files.items():
                path = new / relative
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            # Outside of `work`, so that no cleaning up can delete the only copy of the old data.
            _exchange(new, final, aside=Path(f"{work}.old"))
    except OSError as error:
        raise SCAError(
            f"Expected to write {target / name}; got {error}. The data that was there is kept; "
            "set SCA_DATA_DIR to a folder with room that you may write to"
        ) from error
    return [target / name / relative for relative in files]


def _refuse_foreign_files(folder: Path, known: Collection[str]) -> None:
    if folder.exists() and not folder.is_dir():
        raise OptionError(f"Expected {folder} to be a folder, got a file; move it away")
    present = (path for path in folder.rglob("*") if not path.is_dir())
    foreign = sorted(path.relative_to(folder).as_posix() for path in present)
    foreign = [path for path in foreign if path not in known]
    if foreign:
        raise OptionError(
            f"Expected {folder} to have only files of an earlier import, because it is replaced as "
            f"a whole; got {', '.join(foreign[:5])}{', …' if foreign[5:] else ''}. Move them away"
        )


def _exchange(new: Path, final: Path, aside: Path) -> None:
    """Rename `new` to `final`; a folder cannot be renamed onto a full one, so that goes first."""
    if not final.exists():
        new.rename(final)
        return
    final.rename(aside)
    try:
        new.rename(final)
    except BaseException:
        aside.rename(final)
        raise
    shutil.rmtree(aside, ignore_errors=True)
