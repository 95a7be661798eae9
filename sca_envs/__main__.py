"""Lets ``python -m sca_envs`` be the command `sca`."""

from sca_envs.cli import main

main()
