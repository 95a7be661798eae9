"""Every kind of forgery that a replay can find is found and named; see `docs/leaderboard.md`."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sca_envs.bench.leaderboard.site import build_site
from sca_envs.bench.leaderboard.verifying import verify_submission
from sca_envs.cli import app
from sca_envs.core.errors import SCAError
from tests.bench.forged_claims import CLAIMS, FILES
from tests.bench.forged_episodes import EPISODES
from tests.bench.forging import BASES, Case, FileForgery, Forgery, make_bases


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_bases(tmp_path_factory.mktemp("bases"))


@pytest.fixture
def forged(bases: dict[str, Path], tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    base = request.node.callspec.params["forgery"].base
    folder = tmp_path / "submission"
    shutil.copytree(bases[base], folder)
    return folder


def _named(folder: Path, named: str) -> bool:
    problems = verify_submission(folder)
    assert all(str(problem).isprintable() or str(problem) for problem in problems)
    return any(named in f"{problem.where}: {problem.what}" for problem in problems)


@pytest.mark.parametrize("base", BASES)
def test_honest_submissions_are_as_they_say(bases: dict[str, Path], base: str) -> None:
    assert verify_submission(bases[base]) == []
    result = CliRunner().invoke(app, ["leaderboard", "verify", str(bases[base])])
    assert result.exit_code == 0
    assert ("user not re-verified" in result.output) == (base == "user")


def test_ids_are_distinct() -> None:
    ids = [one.id for one in (*EPISODES, *CLAIMS, *FILES)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("forgery", [*EPISODES, *CLAIMS], ids=lambda one: ascii(one.id))
def test_a_forgery_is_found_and_named(forged: Path, forgery: Forgery) -> None:
    case = Case(forged)
    forgery.forge(case)
    case.save(recompute=forgery.recompute)
    assert _named(forged, forgery.named)


@pytest.mark.parametrize("forgery", FILES, ids=lambda one: ascii(one.id))
def test_a_forged_file_is_found_and_named(forged: Path, forgery: FileForgery) -> None:
    forgery.forge(forged)
    assert _named(forged, forgery.named)
    result = CliRunner().invoke(app, ["leaderboard", "verify", str(forged)])
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit | SCAError), result.exception


@pytest.mark.parametrize("forgery", FILES, ids=lambda one: ascii(one.id))
def test_a_site_of_forged_files_is_refused_or_made(
    forged: Path, forgery: FileForgery, tmp_path: Path
) -> None:
    forgery.forge(forged)
    with contextlib.suppress(SCAError):
        build_site(forged, tmp_path / "site", verify=False)
