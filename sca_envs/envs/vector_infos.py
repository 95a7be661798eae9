"""The infos of many episodes in Gymnasium's vector format.

`gymnasium.vector.VectorEnv._add_info` adds one episode's info after the other. This builds the same
dict column by column, which takes a fraction of the time for a thousand episodes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

Info = dict[str, Any]


def batch_infos(infos: Sequence[Info]) -> Info:
    """Return infos as one dict: for each key an array, and under ``_key`` the mask of who has it.

    Numbers make an array of their type, arrays one with a further axis in front, dicts a dict of
    the same kind, and anything else an array of objects; the first episode that has a key decides.

    Args:
        infos: The info of each episode; an empty dict for one that has none.
    """
    batch: Info = {}
    for key, count in Counter(chain.from_iterable(infos)).items():
        if count == len(infos):
            mask = np.ones(count, dtype=np.bool_)
        else:
            mask = np.fromiter((key in info for info in infos), np.bool_, len(infos))
        batch[key], batch[f"_{key}"] = _column(key, infos, mask), mask
    return batch


def _column(key: str, infos: Sequence[Info], mask: np.ndarray[Any, np.dtype[np.bool_]]) -> Any:
    values = [info[key] for info in infos if key in info]
    first = values[0]
    if isinstance(first, dict):
        return batch_infos([info.get(key, {}) for info in infos])
    if type(first) in (int, float, bool) or isinstance(first, np.number):
        column = np.zeros(len(infos), dtype=type(first))
        column[mask] = values
    elif isinstance(first, np.ndarray):
        column = np.zeros((len(infos), *first.shape), dtype=first.dtype)
        column[mask] = values
    else:
        column = np.full(len(infos), None, dtype=object)
        # From an iterator, because NumPy would take a list of lists for an array of two axes.
        column[mask] = np.fromiter(values, dtype=object, count=len(values))
    return column
