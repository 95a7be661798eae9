"""What an agent or user reports is bounded where it enters: a run can always be read again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import sca_envs
from sca_envs.core.errors import SCAError
from tests.bench import reporters

RETAIL = "sca/TauRetail-v0"


@pytest.mark.parametrize("way", ["made", "constructed", "set", "smuggled"])
@pytest.mark.parametrize("number", reporters.NUMBERS)
def test_numbers_that_cannot_be(number: str, way: str, tmp_path: Path) -> None:
    options = {"number": number, "way": way}
    run = sca_envs.evaluate(
        RETAIL, reporters.Counting, agent_options=options, num_tasks=2, trials=2, out=tmp_path / "r"
    )
    again = sca_envs.load_results(tmp_path / "r")
    assert again == run.results
    for one in sca_envs.read_trajectories(tmp_path / "r"):
        usage = one.usage
        assert usage is not None
        known = number in ("numpy", "numpy float", "fraction")
        assert usage.prompt_tokens == usage.requests == (7 if known else 0)
        assert usage.cost == usage.seconds == (7 if known else 0.5 if number == "half" else None)
    resumed = sca_envs.evaluate(
        RETAIL,
        reporters.Counting,
        agent_options=options,
        num_tasks=2,
        trials=2,
        out=tmp_path / "r",
        resume=True,
    )
    assert resumed.results == run.results


@pytest.mark.parametrize("what", ["usage", "field", "ids", "text", "logprobs", "tokens"])
def test_reports_that_are_none(what: str) -> None:
    with pytest.raises(SCAError, match=r"Expected an agent's report on episode test-0#0 as"):
        sca_envs.evaluate(RETAIL, reporters.Wrong, agent_options={"what": what}, num_tasks=1)


def test_a_user_that_costs_what_cannot_be() -> None:
    run = sca_envs.evaluate(RETAIL, "noop", user=reporters.Costly, num_tasks=1)
    (one,) = run.trajectories()
    assert one.user_usage == sca_envs.Usage()
    with pytest.raises(SCAError, match=r"usage\(\) of the user .* ValueError: a slip"):
        sca_envs.evaluate(
            RETAIL, "noop", user=reporters.Costly, user_options={"raising": True}, num_tasks=1
        )


def test_a_file_with_such_numbers_is_refused_where_it_stands(tmp_path: Path) -> None:
    sca_envs.evaluate(RETAIL, "noop", num_tasks=1, out=tmp_path)
    file = tmp_path / "trajectories.jsonl"
    line = json.loads(file.read_text())
    for usage in ({"prompt_tokens": 10**4000}, {"completion_tokens": -1}, {"cost": -0.5}):
        file.write_text(json.dumps(line | {"usage": usage}) + "\n")
        with pytest.raises(sca_envs.SCAError, match=r"line 1.*usage"):
            list(sca_envs.read_trajectories(tmp_path))


def test_errors_that_are_hard_to_write_down(tmp_path: Path) -> None:
    sca_envs.evaluate(RETAIL, reporters.Failing, num_tasks=4, out=tmp_path)
    errors = [one.error.message for one in sca_envs.read_trajectories(tmp_path) if one.error]
    assert "no text" in errors[0]
    assert len(errors[1]) == 10_000
    assert (tmp_path / "errors.log").stat().st_size < 100_000
