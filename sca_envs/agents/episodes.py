"""Which episode an observation belongs to, and where its randomness comes from.

Under `sca eval` an info has the keys ``episode_id``, ``seed`` and ``action_format``, so that one
agent can play many episodes at once. Played by hand there is one episode at a time and no such key.
"""

from __future__ import annotations

import hashlib
from typing import Any


def episode_id(info: dict[str, Any]) -> str:
    """Return the id of an info's episode; empty where only one is played at a time."""
    return str(info.get("episode_id", ""))


def turn_seed(seed: int, info: dict[str, Any]) -> int:
    """Return the seed of a turn's sampling, below 2**31.

    It depends on nothing but its arguments, so that neither other episodes nor the order in which
    they are played change what is sampled.

    Args:
        seed: The agent's seed.
        info: The turn's info. Without ``seed``, episodes of one task sample alike.
    """
    key = f"{seed} {info.get('seed', 0)} {info['task_id']} {info['turn']}"
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=4).digest()) >> 1
