"""The commands of `sca`, a module for each group; `sca_envs.cli` registers them."""
