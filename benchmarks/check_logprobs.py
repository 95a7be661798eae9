"""Check recorded log-probabilities: score a run's tokens again in one pass of transformers.

    python benchmarks/check_logprobs.py RUN MODEL [EPISODES]

Log-probabilities are compared with those of the model itself, so the run has to be one with
temperature 0 or 1 and without top-p.
"""

from __future__ import annotations

import statistics
import sys

import torch

from sca_envs import read_trajectories
from sca_envs.agents import load_model, model_folder


def main(run: str, model: str, episodes: str = "1000") -> None:
    """Print how far the recorded log-probabilities are from those of one pass."""
    scorer = load_model(model_folder(model), "cpu", "float32")
    differences: list[float] = []
    most_probable = 0
    for trajectory, _ in zip(read_trajectories(run), range(int(episodes)), strict=False):
        tokens = trajectory.tokens
        assert tokens is not None, "the agent reported no tokens"
        assert tokens.logprobs is not None
        with torch.no_grad():
            scores = scorer(torch.tensor([tokens.ids])).logits[0, :-1].log_softmax(-1)
        for at, logprob in enumerate(tokens.logprobs):
            if tokens.mask[at] and logprob is not None:
                before = scores[at - 1]  # what the model thinks after the token before
                differences.append(abs(logprob - before[tokens.ids[at]].item()))
                most_probable += int(before.argmax()) == tokens.ids[at]
    print(f"{len(differences)} tokens, {most_probable} of them the most probable ones")
    print(f"difference: mean {statistics.fmean(differences):.2g}, most {max(differences):.2g} nats")


if __name__ == "__main__":
    main(*sys.argv[1:])
