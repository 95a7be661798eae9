"""What each part of Code-as-Task is good for: `python benchmarks/ablate_gates.py`.

The procedural challenger makes candidates, half of them with a planted flaw of a known kind. They
go through more and more gates: the instruction alone, then the verification function, the solution,
the failure cases, the mutants, and novelty. Printed as Markdown: how many of the flawed candidates
are accepted (false positives), how many of the good ones are not (false negatives), and what share
of the accepted ones is flawed.
"""

from __future__ import annotations

import argparse
import functools
from collections import Counter
from typing import Any

from sca_envs.challenge.gates import Novel, standard_gates
from sca_envs.challenge.pipeline import Pipeline
from sca_envs.challenge.procedural import ProceduralChallenger
from sca_envs.challenge.proposer import Proposer
from sca_envs.domains.registry import list_domains

SETTINGS: dict[str, dict[str, Any]] = {
    "instruction only": {"verify": False, "solution": False, "failures": False, "strength": None},
    "+ verify": {"solution": False, "failures": False, "strength": None},
    "+ solution": {"failures": False, "strength": None},
    "+ failures": {"strength": None},
    "+ strength": {},
    "+ novelty": {},
}
"""Setting -> arguments of `standard_gates`."""


def measure(
    domains: list[str], candidates: int, flaw_rate: float, workers: int
) -> tuple[list[str], list[str]]:
    """Return the table's rows, and those of the flaws that the strictest setting accepts.

    Args:
        domains: Names of the domains.
        candidates: Candidates a domain.
        flaw_rate: Share of them with a flaw.
        workers: Number of processes.
    """
    rows, left = [], []
    for name, options in SETTINGS.items():
        seen: Counter[tuple[bool, bool]] = Counter()  # flawed, accepted
        missed: Counter[str] = Counter()
        for domain in domains:
            make = functools.partial(ProceduralChallenger, flaw_rate=flaw_rate)
            novel = Novel() if name == "+ novelty" else None
            pipeline = Pipeline(standard_gates(**options), novel=novel, workers=workers)
            proposer = Proposer(make, domain, "generated:0")
            for found in pipeline.challenge(proposer, range(candidates)):
                flaw = found.task.provenance.flaw if found.task else "no task"
                seen[flaw is not None, found.accepted] += 1
                if flaw is not None and found.accepted:
                    missed[flaw] += 1
        rows.append(_row(name, seen))
        left = [f"| {flaw} | {count} |" for flaw, count in missed.most_common()]
    return rows, left


def _row(name: str, seen: Counter[tuple[bool, bool]]) -> str:
    flawed, good = seen[True, True] + seen[True, False], seen[False, True] + seen[False, False]
    accepted = seen[True, True] + seen[False, True]
    cells = [
        f"{seen[True, True] / flawed:.1%} ({seen[True, True]} of {flawed})",
        f"{seen[False, False] / good:.1%} ({seen[False, False]} of {good})",
        f"{seen[True, True] / accepted:.1%}" if accepted else "-",
    ]
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--domains", nargs="+", default=list_domains(), choices=list_domains())
    parser.add_argument("--candidates", type=int, default=100, help="candidates a domain")
    parser.add_argument("--flaw-rate", type=float, default=0.5)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    rows, left = measure(given.domains, given.candidates, given.flaw_rate, given.workers)
    print("| gates | flawed accepted | good refused | flawed among accepted |")
    print("|---|---|---|---|")
    print("\n".join(rows))
    if left:
        print("\nFlaws that all gates together accept:\n\n| flaw | accepted |\n|---|---|")
        print("\n".join(left))


if __name__ == "__main__":
    main()
