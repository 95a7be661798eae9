"""The kernel: database, tools, actions, tasks, verifiers, users and the episode.

Nothing here knows Gymnasium, a file on disk or a particular domain; every other layer is a view
of what is defined here.
"""
