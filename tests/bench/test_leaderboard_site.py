"""The leaderboard's site: its pages, charts and published numbers, without a browser."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sca_envs.bench.evaluating.metrics import Estimate
from sca_envs.bench.leaderboard.charts import HEIGHT, WIDTH, cost_chart, pass_hat_chart
from sca_envs.bench.leaderboard.published import published
from sca_envs.bench.leaderboard.site import build_site
from sca_envs.bench.leaderboard.submission import SubmissionError
from tests.bench.boards import LINES, edit_lines


def test_site(submissions: Path, tmp_path: Path) -> None:
    index = build_site(submissions, tmp_path / "site", title="Our <board>")
    text = index.read_text("utf-8")
    assert text.index("sca/M3DnaSequencer-v0") < text.index("sca/TauRetail-v0")
    assert "every episode was run again" in text
    assert "<title>Our &lt;board&gt;</title>" in text
    assert text.index(">Tool calling</a>") < text.index("&lt;b&gt;Nothing&lt;/b&gt;</a>")
    assert "owned()</script>" not in text
    pages = sorted(path.name for path in (tmp_path / "site" / "submissions").glob("*.html"))
    assert pages == ["b-nothing-b-model-1.html", "tool-calling-model-1.html"]
    page = (tmp_path / "site" / "submissions" / pages[0]).read_text("utf-8")
    assert 'href="https://example.org/?a=1&amp;b=2"' in page
    assert "Does &lt;i&gt;nothing&lt;/i&gt;." in page
    assert (tmp_path / "site" / "submissions" / "tool-calling-model-1" / "1.html").is_file()


def test_site_is_built_anew_but_never_over_other_files(submissions: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    build_site(submissions, site, verify=False, episodes=False)
    first = (site / "index.html").read_text("utf-8")
    assert "not verified" in first
    shutil.rmtree(submissions / "b-nothing-b-model-1")
    build_site(submissions, site, verify=False, episodes=False)
    assert len(list((site / "submissions").iterdir())) == 1
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").write_text("years of work", "ascii")
    with pytest.raises(SubmissionError, match="found other files"):
        build_site(submissions, other, verify=False)
    assert (other / "thesis.tex").is_file()


def test_a_forged_submission_makes_no_site(submissions: Path, tmp_path: Path) -> None:
    edit_lines(
        submissions / "tool-calling-model-1" / LINES,
        lambda episodes: episodes[2].update(reward=0.25),
    )
    with pytest.raises(SubmissionError, match=r"task test-2, trial 0.*reward"):
        build_site(submissions, tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_published_numbers_are_possible() -> None:
    """A success rate is a whole number of episodes; the papers' own counts come out."""
    tau_retail, tau_airline, m3 = published()
    for table, trials in ((tau_retail, 115 * 4), (tau_airline, 50 * 4)):
        for row in table.rows:
            assert len(row.values) == len(table.columns) == 4
            assert list(row.values) == sorted(row.values, reverse=True)
            assert abs(round(row.values[0] * trials) / trials - row.values[0]) < 0.0012
    best = dict.fromkeys(m3.columns, 0)
    for row in m3.rows:
        for column, value in zip(m3.columns, row.values, strict=True):
            assert round(100 * round(value * 82) / 82, 1) == round(100 * value, 1)
            best[column] += value == max(row.values)
    # "Frequency of best-performing format, overall" in the table's last row
    assert list(best.values()) == [12, 5, 4]


def _estimate(mean: float) -> Estimate:
    return Estimate(mean=mean, low=max(0.0, mean - 0.1), high=min(1.0, mean + 0.1), tasks=9)


def test_curves() -> None:
    chart = pass_hat_chart(
        [("a", 0, {k: _estimate(1 / k) for k in (1, 2, 3, 4)}), ("b", 1, {1: _estimate(0.0)})]
    )
    assert [label for _, label in chart.x_ticks] == ["1", "2", "3", "4"]
    one, other = chart.series
    assert [point.y for point in one.points] == sorted(point.y for point in one.points)
    assert other.points[0].y == chart.bottom
    assert one.points[0].y == chart.top
    for point in one.points:
        assert 0 < point.x < WIDTH
        assert 0 < point.high <= point.y <= point.low < HEIGHT
    assert one.path.startswith("M")
    assert one.path.count("L") == 3
    assert "a: pass^2 50.0% (40.0% to 60.0%)" in one.points[1].title


@pytest.mark.parametrize(
    ("costs", "first", "last"),
    [
        ([0.0], "$0", "$0.2"),
        ([0.02, 0.01], "$0", "$0.025"),
        ([3.0], "$0", "$4"),
        ([0.001, 0.5], "$0.001", "$1"),
        ([0.0, 5.0], "$0", "$6"),
    ],
)
def test_costs(costs: list[float], first: str, last: str) -> None:
    chart = cost_chart([(f"s{i}", i, cost, _estimate(0.5)) for i, cost in enumerate(costs)])
    assert chart is not None
    assert (chart.x_ticks[0][1], chart.x_ticks[-1][1]) == (first, last)
    for series in chart.series:
        assert chart.left <= series.points[0].x <= chart.right


def test_no_cost_no_chart() -> None:
    assert cost_chart([]) is None
