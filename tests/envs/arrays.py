"""Comparing what holds arrays."""

from __future__ import annotations

from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """Return a value in a form that `==` compares, with the types of arrays."""
    if isinstance(value, np.ndarray):
        return (str(value.dtype), value.shape, [plain(item) for item in value.tolist()])
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    return value
