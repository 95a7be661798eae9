"""The environments that Gymnasium knows after ``import sca_envs``."""

from __future__ import annotations

import gymnasium as gym

ENVIRONMENTS: dict[str, str] = {
    "sca/TauRetail-v0": "sca_envs.envs.tau_retail:TauRetailEnv",
    "sca/TauAirline-v0": "sca_envs.envs.tau_airline:TauAirlineEnv",
}
"""Environment id -> entry point, as text so that importing the package loads no domain."""


def register_all() -> None:
    """Register every environment with Gymnasium."""
    for env_id, entry_point in ENVIRONMENTS.items():
        if env_id not in gym.registry:
            gym.register(id=env_id, entry_point=entry_point)
