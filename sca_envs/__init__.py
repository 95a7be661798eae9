"""Gymnasium environments with verifier-based rewards for tool-using language-model agents.

Importing the package registers its environments with Gymnasium::

    import gymnasium as gym
    import sca_envs

    env = gym.make("sca/TauRetail-v0")

The public names are listed in the stub file beside this one. They are imported on first use, so
that this costs no more than importing Gymnasium.
"""

import lazy_loader

from sca_envs.envs.registration import register_all

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

register_all()
