"""Styles of agents that are meant to be read, copied and changed; run from a checkout.

Each is a short file that stands on the public names of `sca_envs` and `sca_envs.agents`, so a copy
of it works wherever the package is installed.
"""
