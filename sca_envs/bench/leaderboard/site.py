"""The leaderboard's static site, made of the submissions in a folder."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sca_envs.bench.evaluating.metrics import Estimate
from sca_envs.bench.leaderboard.charts import Chart, cost_chart, pass_hat_chart
from sca_envs.bench.leaderboard.conditions import Conditions, baseline
from sca_envs.bench.leaderboard.published import published
from sca_envs.bench.leaderboard.submission import (
    Entry,
    Submission,
    SubmissionError,
    find_submissions,
    load_submission,
)
from sca_envs.bench.leaderboard.verifying import verify_submission
from sca_envs.bench.viewing.pages import script, style, templates
from sca_envs.bench.viewing.viewer import write_viewer
from sca_envs.core.writing import writing

TITLE = "sca-envs leaderboard"
"""What the site is called unless it is told otherwise."""
_DRAWN = 8  # systems in a chart; more cannot be told apart
_MOST_K = 4


@dataclass(frozen=True)
class Row:
    """One line of a table: a submission's run."""

    slug: str
    submission: Submission
    entry: Entry
    number: int
    """Its colour."""

    @property
    def name(self) -> str:
        """The system's name."""
        return self.submission.name

    @property
    def label(self) -> str:
        """What a chart calls it."""
        return f"{self.name}, {self.model}"

    @property
    def model(self) -> str:
        """Its model."""
        return self.submission.model

    @property
    def organization(self) -> str:
        """Who submitted it."""
        return self.submission.organization

    @property
    def date(self) -> str:
        """When."""
        return self.submission.date.isoformat()

    @property
    def baseline(self) -> str | None:
        """The built-in agent that played; it is listed apart."""
        return baseline(self.entry.agent)

    @property
    def pass_hat(self) -> dict[int, Estimate]:
        """The values of pass^k that a table shows: k -> value."""
        return {k: one for k, one in self.entry.results.pass_hat.items() if k <= _MOST_K}

    @property
    def turns(self) -> float | None:
        """Mean number of turns."""
        return _mean(self.entry.results.turns)

    @property
    def cost(self) -> float | None:
        """Mean cost of an episode in US dollars."""
        return _mean(self.entry.results.cost)


@dataclass
class Group:
    """One table: all runs with the same conditions."""

    conditions: Conditions
    data: str
    split: str
    rows: list[Row] = field(default_factory=list)

    @property
    def env_id(self) -> str:
        """Id of the environment."""
        return self.conditions.env_id

    @property
    def anchor(self) -> str:
        """What a link within the page calls it."""
        text = f"{self.env_id}-{self.data}-{self.split}"
        plain = "".join(letter if letter.isalnum() else "-" for letter in text)
        return f"{plain}-{hashlib.sha256(self.conditions.key.encode()).hexdigest()[:8]}"

    @property
    def ranked(self) -> list[Row]:
        """The entries, the best first."""
        return [row for row in self.rows if row.baseline is None]

    @property
    def baselines(self) -> list[Row]:
        """Runs of built-in agents, which are no entries."""
        return [row for row in self.rows if row.baseline is not None]

    @property
    def ks(self) -> range:
        """The columns of pass^k."""
        return range(1, max(max(row.pass_hat, default=1) for row in self.rows) + 1)

    @property
    def _drawn(self) -> list[Row]:
        return [row for row in [*self.ranked, *self.baselines] if row.pass_hat][:_DRAWN]

    @property
    def curves(self) -> Chart | None:
        """The curves of pass^k."""
        return pass_hat_chart([(row.label, row.number, row.pass_hat) for row in self._drawn])

    @property
    def costs(self) -> Chart | None:
        """Cost against success."""
        return cost_chart(
            [
                (row.label, row.number, row.cost, row.pass_hat[1])
                for row in self._drawn
                if row.cost is not None and 1 in row.pass_hat
            ]
        )


def _mean(one: Estimate | None) -> float | None:
    return None if one is None else one.mean


def build_site(
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    title: str = TITLE,
    verify: bool = True,
    episodes: bool = True,
) -> Path:
    """Write the site; it appears whole or not at all.

    Args:
        folder: The folder of submissions, or one submission.
        out: The site's folder; a site that is there already is replaced.
        title: What the site is called.
        verify: Whether to run every episode again first; if not, the site says so.
        episodes: Whether to make a viewer's page of every run.

    Returns:
        The site's first page.

    Raises:
        SubmissionError: If a submission is broken or fails its verification, or if `out` holds
            something else than a site.
    """
    folders: dict[str, Path] = {}
    for path in find_submissions(folder):
        problems = verify_submission(path) if verify else []
        if problems:
            raise SubmissionError(
                f"{path} fails its verification: {problems[0]}. `sca leaderboard verify` lists "
                "all problems; mend or remove the submission"
            )
        folders[path.resolve().name] = path
    out = Path(out)
    if out.exists() and any(out.iterdir()) and not (out / "index.html").is_file():
        raise SubmissionError(f"Expected a new folder or an older site at {out}, found other files")
    partial = out.with_name(f"{out.name}.partial")
    try:
        submissions = {name: load_submission(path) for name, path in folders.items()}
        with writing(out):
            _write(submissions, partial, title, verified=verify, episodes=episodes)
            if episodes:
                _write_episodes(folders, submissions, partial / "submissions")
            if out.exists():
                shutil.rmtree(out)
            partial.replace(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return out / "index.html"


def group_rows(submissions: dict[str, Submission]) -> list[Group]:
    """Return the tables, one for equal conditions, with rows from the best to the worst pass^1."""
    found: dict[tuple[str, str, str, str], Group] = {}
    rows = [
        (name, submission, entry)
        for name, submission in submissions.items()
        for entry in submission.entries
    ]
    rows.sort(key=lambda row: (-_success(row[2]), row[1].name, row[0]))
    for name, submission, entry in rows:
        conditions = Conditions.of(entry.results.run)
        key = conditions.env_id, entry.data, str(conditions.options.get("split")), conditions.key
        group = found.setdefault(key, Group(conditions, *key[1:3]))
        group.rows.append(Row(name, submission, entry, len(group.rows)))
    return [found[key] for key in sorted(found)]


def _success(entry: Entry) -> float:
    return entry.results.success.mean if entry.results.success else -1.0


def _write(
    submissions: dict[str, Submission], out: Path, title: str, *, verified: bool, episodes: bool
) -> None:
    import sca_envs

    (out / "submissions").mkdir(parents=True)
    common: dict[str, Any] = {
        "site": title,
        "version": sca_envs.__version__,
        "style": style("theme.css", "leaderboard/site.css"),
        "script": script("theme.js", "leaderboard/site.js"),
        "replayed": verified,
        "episodes": episodes,
    }
    groups = group_rows(submissions)
    tables = published()
    context = {"groups": groups, "submissions": len(submissions), "published": tables, "root": ""}
    _render("leaderboard/index.html", out / "index.html", common | context)
    for name, submission in submissions.items():
        entries = [
            (
                entry,
                Conditions.of(entry.results.run),
                pass_hat_chart([(submission.name, 0, entry.results.pass_hat)]),
                json.dumps(entry.results.run.model_dump(exclude={"tasks"}), indent=1),
            )
            for entry in submission.entries
        ]
        context = {"submission": submission, "slug": name, "entries": entries, "root": "../"}
        page = out / "submissions" / f"{name}.html"
        _render("leaderboard/submission.html", page, common | context)


def _write_episodes(
    folders: dict[str, Path], submissions: dict[str, Submission], out: Path
) -> None:
    for name, submission in submissions.items():
        (out / name).mkdir()
        for number, entry in enumerate(submission.entries):
            write_viewer(
                folders[name] / entry.folder, out / name / f"{number}.html", submission.name
            )


def _render(template: str, path: Path, context: dict[str, Any]) -> None:
    text = templates().get_template(template).render(context)
    path.write_text(text, encoding="utf-8", errors="replace", newline="\n")
