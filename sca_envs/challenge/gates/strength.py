"""The gate that tries whether a verification function has teeth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sca_envs.challenge.case import Case
from sca_envs.challenge.gates.base import failed, passed
from sca_envs.challenge.mutants import mutants
from sca_envs.challenge.task import Verdict


@dataclass(frozen=True)
class Strong:
    """The verification function is false on near misses of the solution.

    Beyond the paper, after mutation testing. Two things are asked: that the share of rejected
    mutants is large enough, and that no detail of the solution can be changed at will (a spot of
    which every mutant is accepted).

    Args:
        threshold: Least share of mutants to be rejected.
        limit: Most mutants to try.
    """

    name: ClassVar[str] = "strong"

    threshold: float = 0.8
    limit: int = 40

    def check(self, case: Case) -> Verdict:
        """Return the verdict; its details hold the share, and the mutants that were accepted."""
        found = mutants(case, self.limit)
        accepted = [mutant for mutant in found if case.judge(mutant.attempt).fulfilled]
        share = 1 - len(accepted) / len(found) if found else 0.0
        details = {
            "mutants": len(found),
            "rejected": round(share, 4),
            "accepted": [mutant.change for mutant in accepted],
        }
        if not found:
            return failed(self, "nothing about the solution could be varied", **details)
        blind = {mutant.spot for mutant in accepted}
        blind -= {mutant.spot for mutant in found if mutant not in accepted}
        if share < self.threshold:
            reason = (
                f"verify accepts {len(accepted)} of {len(found)} near misses of the solution, "
                f"for instance: {accepted[0].change}"
            )
            return failed(self, reason, **details)
        if blind:
            example = next(mutant for mutant in accepted if mutant.spot in blind)
            reason = f"verify does not notice a detail of the solution: {example.change}"
            return failed(self, reason, **details)
        return passed(self, **details)
