"""The challenger without a model: a domain's wishes, as Code-as-Tasks that are known to work.

It is the yardstick for the gates: what it makes is known to be good, and at a set rate it plants
flaws of known kinds, so that one can count what the gates let pass and what they refuse wrongly.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from sca_envs.challenge.procedural.draft import MAX_CALLS, compose
from sca_envs.challenge.procedural.flaws import FLAWS, plant
from sca_envs.challenge.task import CodeAsTask
from sca_envs.core.domain import Domain
from sca_envs.core.errors import OptionError
from sca_envs.core.wishes.errors import DeadEnd

_ATTEMPTS, _ATTEMPTS_AT_ONE_SIZE = 5000, 100
"""Draws before giving up, and before another number of calls is drawn; a draw that makes no task is
cheap, and one in five or so makes one."""


class ProceduralChallenger:
    """Makes verified tasks of a domain without a model.

    A task is a pure function of the domain's data, these options and the seed.

    Args:
        domain: The domain.
        flaw_rate: Share of the tasks that get a flaw, from 0 to 1.
        flaws: Kinds of flaws to choose from, out of `FLAWS`; all by default.

    Raises:
        OptionError: If the domain has no wishes, the rate is no share, or a flaw no kind.
    """

    def __init__(
        self, domain: Domain, *, flaw_rate: float = 0.0, flaws: Sequence[str] | None = None
    ) -> None:
        if domain.wishes is None:
            raise OptionError(
                f"Expected a domain that has wishes for the procedural challenger; {domain.name!r} "
                "has none: give its DomainSpec wishes, or use another challenger"
            )
        self._wishes = domain.wishes
        if not 0 <= flaw_rate <= 1:
            raise OptionError(f"Expected flaw_rate from 0 to 1, got {flaw_rate}")
        unknown = [flaw for flaw in flaws or () if flaw not in FLAWS]
        if unknown or (flaws is not None and not flaws):
            raise OptionError(
                f"Expected flaws out of {', '.join(FLAWS)}; got {', '.join(unknown) or 'none'}"
            )
        self.domain = domain
        self.flaw_rate = flaw_rate
        self.flaws = tuple(flaws or FLAWS)

    def propose(self, seed: int) -> CodeAsTask:
        """Return the task of a seed.

        Args:
            seed: Any whole number from 0; equal seeds give equal tasks, in any process.

        Raises:
            OptionError: If the seed is negative, or no task can be made of the domain's data.
        """
        if seed < 0:
            raise OptionError(f"Expected a seed from 0, got {seed}")
        flaw = self._flaw(seed)
        if flaw is None:
            return self._make(seed)
        # Where a flaw makes no sense, another one that is drawn takes its place.
        others = [other for other in self.flaws if other != flaw]
        self._rng(f"other flaws {seed}").shuffle(others)
        kinds = [flaw, *others]
        for kind in kinds:
            for attempt in range(40):
                task = self._plant(kind, seed, attempt)
                if task is not None:
                    return task
        raise OptionError(
            f"None of {', '.join(kinds)} makes sense in {self.domain.name}; choose other flaws"
        )

    def _flaw(self, seed: int) -> str | None:
        """Draw whether a seed's task gets a flaw, and which."""
        if seed == 0 and self.flaws == ("near_copy",):
            return None  # there is nothing yet to copy
        rng = self._rng(f"flaw {seed}")
        flawed, place = rng.random() < self.flaw_rate, rng.random()
        return self.flaws[int(place * len(self.flaws))] if flawed else None

    def _plant(self, kind: str, seed: int, attempt: int) -> CodeAsTask | None:
        """Return a task with a flaw, or None if it cannot have it."""
        rng = self._rng(f"planting {kind} {seed} {attempt}")
        earlier = None
        if kind == "near_copy":
            clean = next((s for s in range(seed - 1, -1, -1) if self._flaw(s) is None), None)
            if clean is None:
                return None
            earlier = self._make(clean)
        task = self._make(seed, attempt)
        return plant(kind, task, self.domain, rng, earlier)

    def _make(self, seed: int, attempt: int = 0) -> CodeAsTask:
        """Return a task without a flaw."""
        rng = self._rng(f"task {seed} {attempt}")
        calls = 0
        for number in range(_ATTEMPTS):
            if number % _ATTEMPTS_AT_ONE_SIZE == 0:  # a domain may have no task of some size
                calls = rng.randint(1, MAX_CALLS)
            try:
                draft = self._wishes.draft(self.domain.tools, self.domain.base, rng, calls)
            except DeadEnd:
                continue
            task = compose(self.domain, draft, calls, seed)
            if task is not None:
                return task
        raise OptionError(
            f"The procedural challenger found no task in {self.domain.name} with data "
            f"{self.domain.data!r} in {_ATTEMPTS} draws; `sca check` may say what its wishes lack"
        )

    def _rng(self, purpose: str) -> random.Random:
        # Seeded by a text, which is the same in every process and on every machine.
        return random.Random(f"procedural {self.domain.name} {self.domain.data} {purpose}")
