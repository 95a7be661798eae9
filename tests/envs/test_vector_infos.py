"""Infos in Gymnasium's vector format, held against Gymnasium's own way to make them."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv
from hypothesis import given, settings
from hypothesis import strategies as st

from sca_envs.envs.vector_infos import batch_infos
from tests.envs.arrays import plain

VALUES = {
    "int": st.integers(-9, 9),
    "float": st.floats(-9, 9),
    "bool": st.booleans(),
    "text": st.none() | st.text(max_size=3),
    "list": st.lists(st.integers(), max_size=2),
    "array": st.just(np.arange(2.0)),
    "scalar": st.integers(0, 9).map(np.int16),
    "final_obs": st.text(max_size=3),
}
FLAT = st.fixed_dictionaries({}, optional=VALUES)
NESTED = st.fixed_dictionaries({}, optional={**VALUES, "inner": FLAT, "final_info": FLAT})


@settings(max_examples=50)
@given(st.lists(NESTED, min_size=1, max_size=5))
def test_batched_infos_are_those_of_gymnasium(infos: list[dict[str, Any]]) -> None:
    class Plain(VectorEnv[Any, Any, Any]):
        num_envs = len(infos)

    expected: dict[str, Any] = {}
    for i, info in enumerate(infos):
        expected = Plain()._add_info(expected, info, i)
    assert plain(batch_infos(infos)) == plain(expected)
