"""Environments for TRL's GRPOTrainer: a data set, an environment factory and reward functions.

    from sca_envs.integrations.trl import Spec

    spec = Spec("sca/TauRetail-v0", split="train", num_tasks=500)
    trainer = GRPOTrainer(
        model,
        train_dataset=spec.train_dataset,
        environment_factory=spec.environment_factory,
        reward_funcs=spec.reward_funcs,
        processing_class=spec.prepare(tokenizer),
    )

Importing this imports neither TRL nor torch.
"""

from sca_envs.integrations.trl.joining import Joined, join
from sca_envs.integrations.trl.rewards import verdict
from sca_envs.integrations.trl.rollouts import RolloutAgent
from sca_envs.integrations.trl.spec import Spec

__all__ = ["Joined", "RolloutAgent", "Spec", "join", "verdict"]
