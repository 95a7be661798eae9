"""Spaces of text: what an agent reads, and what it may write in a turn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import gymnasium as gym
import numpy as np

from sca_envs.core.actions import ToolCall
from sca_envs.core.domain import Domain
from sca_envs.core.formats import action_format

MAX_ACTION_LENGTH = 100_000
"""Longest action in characters; a longer one is malformed."""

_WORDS = ("the", "order", "was", "found", "in", "a", "store", "and", "sent", "again")


class Text(gym.Space[str]):
    """All strings up to a length.

    Unlike `gymnasium.spaces.Text` it has no character set, so `contains` looks at no character.

    Args:
        max_length: Most characters; None for no limit.
        seed: Seed of `sample`.
    """

    def __init__(
        self, max_length: int | None = None, seed: int | np.random.Generator | None = None
    ) -> None:
        self.max_length = max_length
        super().__init__(seed=seed)

    @property
    def is_np_flattenable(self) -> bool:
        """False: strings have no fixed size."""
        return False

    def contains(self, x: Any) -> bool:
        """Return whether `x` is a string that is not too long."""
        return isinstance(x, str) and (self.max_length is None or len(x) <= self.max_length)

    def sample(self, mask: Any | None = None, probability: Any | None = None) -> str:
        """Return a few words.

        Raises:
            ValueError: If a mask or probability is given; text has none.
        """
        _refuse_masks(mask, probability)
        chosen = self.np_random.integers(len(_WORDS), size=int(self.np_random.integers(1, 9)))
        return " ".join(_WORDS[i] for i in chosen)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Text) and type(self) is type(other) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash((type(self), self._key()))

    def _key(self) -> tuple[Any, ...]:
        return (self.max_length,)

    def __repr__(self) -> str:
        return f"Text({'' if self.max_length is None else self.max_length})"


class AssistantTurn(Text):
    """One turn of the agent as text; `sample` draws valid calls of the present domain's tools.

    Spaces are equal if their formats and all their domains are, whichever is the present one.

    Args:
        domain: The domain whose tools are called at present.
        format_name: The action format to write them in.
        seed: Seed of `sample`.
        others: Further domains, one of which may be the present one later.
    """

    def __init__(
        self,
        domain: Domain,
        format_name: str,
        seed: int | np.random.Generator | None = None,
        *,
        others: Iterable[Domain] = (),
    ) -> None:
        self.domain = domain
        self._domains = (domain, *others)
        self.format_name = format_name
        super().__init__(MAX_ACTION_LENGTH, seed)

    def sample(self, mask: Any | None = None, probability: Any | None = None) -> str:
        """Return a valid tool call with plausible arguments, written in the action format.

        Raises:
            ValueError: If a mask or probability is given; text has none.
        """
        _refuse_masks(mask, probability)
        name, arguments = self.domain.sample_call(self.np_random)
        return self.domain.write(ToolCall(name, arguments), action_format(self.format_name))

    def _key(self) -> tuple[Any, ...]:
        return (*((domain.name, domain.data) for domain in self._domains), self.format_name)

    def __repr__(self) -> str:
        names = ", ".join(domain.name for domain in self._domains)
        return f"AssistantTurn({names!r}, {self.format_name!r})"


def _refuse_masks(mask: Any, probability: Any) -> None:
    if mask is not None or probability is not None:
        raise ValueError("Expected no mask and no probability: a text space has neither")
