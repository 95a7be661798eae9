"""Evaluation: agents over tasks, on engines, in run folders, with results."""
