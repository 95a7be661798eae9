"""Ready-made agents and user simulators, run from a checkout.

Each module is short and meant to be read, copied and changed. They use nothing of `sca_envs` that
is not public.
"""
