"""Training recipes, a file for each algorithm, run from a checkout.

Each file is read from top to bottom: what decides a result stands in it. They use nothing of
`sca_envs` that is not public.
"""
