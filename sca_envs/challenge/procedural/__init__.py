"""A challenger without a model, which can plant flaws of known kinds."""

from sca_envs.challenge.procedural.challenger import ProceduralChallenger
from sca_envs.challenge.procedural.flaws import FLAWS

__all__ = ["FLAWS", "ProceduralChallenger"]
