"""Trajectories: their format, files, replay and export."""
