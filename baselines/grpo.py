"""Group-relative policy optimisation with TRL's trainer on an environment.

All episodes of a group have the same task and user; an episode's advantage is its reward against
the group's mean (Shao et al., 2024, arXiv:2402.03300). The loss, the sampling and the distribution
over GPUs are TRL's; the episodes are ours. See ``docs/baselines/grpo.md``.

    python -m baselines.grpo --out runs/grpo                     # a tiny model, minutes on a CPU
    python -m baselines.grpo --out runs/retail --model FOLDER --env-id sca/TauRetail-v0 --mode tools
    accelerate launch -m baselines.grpo --out runs/big --model FOLDER --vllm colocate --lora 16
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from typing import Any, Literal

from baselines import lora, tiny
from baselines.run import Clock, Run, Stop
from baselines.setup import World, first_model, make_world
from baselines.trainers import quiet, recorder, run_trainer, trainer_options
from baselines.training import (
    Common,
    at_least,
    check,
    command,
    find_device,
    is_main,
    measure,
    require,
    save_model,
)
from sca_envs.agents import TemplateError, TrainerAgent
from sca_envs.integrations.trl import Spec


@dataclass
class Args(Common):
    """Options of a run; they are also its record, ``config.json``."""

    mode: Literal["dialogue", "tools"] = "dialogue"
    """Free text in the environment's action format, or tools that TRL's own loop calls."""
    num_tasks: int | None = None
    """First so many tasks to train on; by default all, or 1000 where there is no end."""
    group: int = 8
    """Episodes of a task, whose rewards are compared."""
    batch: int = 128
    """Episodes that a device holds at once; less needs less memory."""
    iterations: int = 40
    """Steps of the optimiser, each on new episodes."""
    max_completion: int = 128
    """Most tokens of an episode after its prompt, those of the environment included."""
    learning_rate: float = 3e-4
    """Of AdamW; for a pretrained model rather 1e-6, or 1e-5 with --lora."""
    temperature: float = 1.0
    """Of sampling."""
    beta: float = 0.0
    """Weight of the divergence from the first model; 0 does without it."""
    clip: float = 0.2
    """How far a token's probability ratio may leave 1."""
    loss: str = "dapo"
    """How TRL sums the loss over tokens: dapo, grpo, dr_grpo, bnpo."""
    vllm: Literal["", "colocate", "server"] = ""
    """Generate with vLLM in this process or on a server; by default with transformers."""
    vllm_memory: float = 0.3
    """Share of a GPU's memory for vLLM in this process."""
    vllm_url: str = ""
    """Address of the server, such as http://localhost:8000."""
    shuffle_rewards: bool = False
    """Control: permute the rewards among a batch's episodes, so that there is nothing to learn."""

    def check(self) -> None:
        """Raise an `OptionError` for the first value that is not allowed."""
        super().check()
        at_least(2, self, "max_completion group")
        whole = self.batch * self.accumulate % self.group == 0
        check("batch", self.batch, whole, f"a multiple of group, {self.group}")
        for name in ("temperature", "clip"):
            check(name, getattr(self, name), getattr(self, name) > 0, "above 0")
        check("vllm_memory", self.vllm_memory, 0 < self.vllm_memory < 1, "above 0 and below 1")
        served = (self.vllm == "server") == bool(self.vllm_url)
        check("vllm_url", self.vllm_url, served, "an address with --vllm server, and only then")
        if self.model == "tiny":
            check("mode", self.mode, self.mode == "dialogue", "dialogue with model=tiny")


class BareTrainerAgent(TrainerAgent):
    """Reads the task alone, as `tiny.BareAgent` does."""

    opening = tiny.BareAgent.opening


def make_spec(args: Args, world: World) -> Spec:
    """Return the environment for the trainer."""
    agent = BareTrainerAgent if args.model == "tiny" or args.bare else TrainerAgent
    template = args.template or (tiny.TEMPLATE if args.model == "tiny" else None)

    def make_agent(trainer: Any) -> TrainerAgent:
        return agent(trainer, template=template, max_new_tokens=args.max_new_tokens)

    options: dict[str, Any] = dict(world.options)
    options |= {"split": "train"} if world.train is None else {"tasks": world.train}
    number = args.num_tasks
    if number is None and world.train is None:
        number = 1000
    return Spec(
        args.env_id,
        mode=args.mode,
        num_tasks=number,
        seed=args.seed,
        agent=make_agent if args.mode == "dialogue" else None,
        **options,
    )


def check_template(args: Args, tokenizer: Any) -> None:
    """See to it that TRL can read the chat template, or say that it cannot.

    Raises:
        TemplateError: If tools are to be called and the template has none.
    """
    from trl.chat_template_utils import qwen2_5_chat_template, supports_tool_calling

    if supports_tool_calling(tokenizer):
        return
    if args.mode == "tools":
        raise TemplateError(
            "Expected a tokeniser whose chat template shows tool calls and tool results, got one "
            "that does not. Give a model with such a template, or --mode dialogue"
        )
    # TRL asks for one wherever there is an environment. In a dialogue nobody renders it: the
    # agent's encoder has the template that is used.
    if args.template is None and args.model != "tiny":
        args.template = tokenizer.chat_template
    tokenizer.chat_template = qwen2_5_chat_template


def rewards(args: Args, spec: Spec) -> list[Any]:
    """Return the reward functions; as a control, with shuffled rewards."""
    if not args.shuffle_rewards:
        return list(spec.reward_funcs)
    (verdict,) = spec.reward_funcs
    rng = random.Random(args.seed)

    def shuffled(**given: Any) -> list[float | None]:
        made = verdict(**given)
        rng.shuffle(made)
        return made

    return [shuffled]


def make_trainer(
    args: Args, model: Any, tokenizer: Any, spec: Spec, run: Run, clock: Clock, **more: Any
) -> Any:
    """Return TRL's trainer.

    Args:
        args: The recipe's options.
        model: The model.
        tokenizer: Its tokeniser.
        spec: The environment.
        run: The run, whose folder takes the checkpoints.
        clock: Counts the seconds of playing, and those of them that are generation.
        more: Further arguments of the trainer, such as callbacks.
    """
    import trl

    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
    if args.beta and args.model == "tiny":  # TRL loads the reference model from where it came from
        first = run.path / "first_model"
        model.save_pretrained(first)
        model.config._name_or_path = str(first)
    vllm: dict[str, Any] = {}
    if args.vllm:
        vllm = {"use_vllm": True, "vllm_mode": args.vllm}
        vllm["vllm_gpu_memory_utilization"] = args.vllm_memory
        vllm["vllm_server_base_url"] = args.vllm_url or None
    config = trl.GRPOConfig(
        **trainer_options(args, run.path / "checkpoints", model.device.type),
        num_generations=args.group,
        max_completion_length=args.max_completion,
        temperature=args.temperature,
        beta=args.beta,
        epsilon=args.clip,
        loss_type=args.loss,
        lr_scheduler_type="constant",
        **vllm,
    )

    class Trainer(trl.GRPOTrainer):  # type: ignore[misc]
        def _generate(self, *given: Any, **named: Any) -> Any:
            with clock.part("rollout"):
                return super()._generate(*given, **named)

        def _generate_single_turn(self, *given: Any, **named: Any) -> Any:
            with clock.part("generation"):
                return super()._generate_single_turn(*given, **named)

    trainer = Trainer(
        model,
        args=config,
        processing_class=spec.prepare(tokenizer),
        peft_config=lora.configuration(args.lora),
        **spec.trainer_arguments() | {"reward_funcs": rewards(args, spec)} | more,
    )
    return quiet(trainer)


def train(args: Args) -> Run:
    """Do a run, or the rest of one.

    Raises:
        SCAError: If an option is wrong or something is missing, before anything is played.
    """
    args.check()
    needed = ["peft"] * bool(args.lora) + ["vllm"] * (args.vllm == "colocate")
    require("trl", "datasets", "tensorboard", *needed)
    run = Run(args)
    world = make_world(args)
    spec = make_spec(args, world)
    device = find_device(args)
    model, tokenizer = first_model(args, device)
    spoken = tokenizer.chat_template
    check_template(args, tokenizer)
    if is_main():
        run.open(0 if run.checkpoint is None else int(run.checkpoint.name))

    def evaluate_now(now: Any, step: int) -> dict[str, float]:
        return measure(args, now, tokenizer, world, run, step)

    with Stop().listening() as stop:
        clock = Clock()
        callback = recorder(args, run, stop, evaluate_now, clock)
        trainer = make_trainer(args, model, tokenizer, spec, run, clock, callbacks=[callback])
        run_trainer(trainer, callback, args, run)
    if is_main():
        tokenizer.chat_template = spoken  # TRL may have been shown another one
        save_model(trainer.accelerator.unwrap_model(trainer.model), tokenizer, run.path / "model")
        run.close()
    return run


if __name__ == "__main__":
    command(Args, train, __doc__)
