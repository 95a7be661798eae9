"""Episodes as tensors: several of them in a row, so that little is computed for padding.

Attention is limited to a token's own episode and positions begin anew with each, so a packed
episode gives what it gives alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


@dataclass
class Episode:
    """An episode in tokens."""

    ids: list[int]
    """All tokens."""
    mask: list[int]
    """1 where the model wrote the token."""
    reward: float
    """What it was worth, at its end."""
    success: bool
    """Whether that is 1."""
    turns: int
    """Turns of the agent."""
    logprobs: list[float] = field(default_factory=list)
    """Log-probability of each written token, in nats, as its sampler had it."""

    @property
    def written(self) -> int:
        """Number of tokens that the model wrote."""
        return sum(self.mask)

    def turn_of_token(self) -> list[int]:
        """Return which turn, from 0, each written token belongs to."""
        pairs = zip([0, *self.mask], self.mask, strict=False)
        turns = np.cumsum([now and not before for before, now in pairs])
        return [int(turn) - 1 for turn, now in zip(turns, self.mask, strict=True) if now]


class Rows(NamedTuple):
    """Episodes packed into rows; each tensor has shape (rows, width)."""

    ids: Tensor
    segments: Tensor
    """Number of the episode in its row, -1 for padding."""
    positions: Tensor
    """Place of the token in its episode."""
    written: Tensor
    """Whether the model wrote the token."""


def pack(batch: Sequence[Episode], width: int, device: str) -> tuple[Rows, list[int]]:
    """Pack episodes into rows, each into the first one with room.

    Returns:
        The rows, and the episodes' indices in the order in which their tokens come in the rows.
    """
    places: list[list[int]] = []
    room: list[int] = []
    for i, one in enumerate(batch):
        size = len(one.ids)
        at = next((r for r, left in enumerate(room) if left >= size), len(room))
        if at == len(room):
            places.append([])
            room.append(max(width, size))
        places[at].append(i)
        room[at] -= size
    widest = max(sum(len(batch[i].ids) for i in row) for row in places)
    tensors = torch.zeros(4, len(places), widest, dtype=torch.long)
    tensors[1] = -1
    for r, row in enumerate(places):
        begin = 0
        for segment, i in enumerate(row):
            ids = batch[i].ids
            parts = ids, [segment] * len(ids), list(range(len(ids))), batch[i].mask
            tensors[:, r, begin : begin + len(ids)] = torch.tensor(parts)
            begin += len(ids)
    ids, segments, positions, written = tensors.to(device)
    return Rows(ids, segments, positions, written.bool()), [i for row in places for i in row]


def chunks(
    batch: Sequence[Episode], width: int, number: int, device: str
) -> Iterator[tuple[Rows, list[int]]]:
    """Yield episodes as packed rows, some at a time, with the indices of their episodes.

    Args:
        batch: The episodes.
        width: See `pack`.
        number: Rows at a time.
        device: Where the tensors go.
    """
    rows, order = pack(batch, width, device)
    counts = (rows.segments.max(dim=1).values + 1).tolist()
    for begin in range(0, len(counts), number):
        first = sum(counts[:begin])
        last = first + sum(counts[begin : begin + number])
        yield Rows(*(t[begin : begin + number] for t in rows)), order[first:last]


def attention(segments: Tensor) -> Tensor:
    """Return which tokens a token attends to, Boolean of shape (rows, 1, width, width).

    It sees itself and what came before it in its own episode.

    Args:
        segments: Which episode of the row a token belongs to, shape (rows, width).
    """
    same = segments[:, :, None] == segments[:, None, :]
    return (same & torch.ones_like(same[0]).tril())[:, None]
