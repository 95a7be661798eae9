"""Proximal policy optimisation of a language model's tokens, over episodes of several turns.

An iteration plays a batch of episodes with the model, gives every token that the model wrote an
advantage, and takes a few clipped steps. See ``docs/baselines/ppo.md`` for the details that matter.

    python -m baselines.ppo --out runs/ppo                      # a tiny model, minutes on a CPU
    python -m baselines.ppo --out runs/ppo --resume             # go on after Ctrl-C
    python -m baselines.ppo --out runs/retail --model FOLDER --env-id sca/TauRetail-v0
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import gymnasium as gym
import numpy as np

from baselines.generation import Samplers
from baselines.packing import Episode, chunks
from baselines.policy import Outputs, Policy, Reference, State, make_state
from baselines.run import Clock, Run, Stop, progress_bar
from baselines.setup import make_world
from baselines.training import (
    Basics,
    at_least,
    autocast,
    check,
    command,
    find_device,
    measure,
    one_process,
    require,
)
from sca_envs import SCAError
from sca_envs.agents import TokenAgent, import_transformers

import_transformers()  # raises, with the name of the extra, if it or torch is missing
import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402


@dataclass
class Args(Basics):
    """Options of a run; they are also its record, ``config.json``. More are in `Basics`."""

    warm_start_steps: int = 500
    """Steps in which the tiny model imitates demonstrations, 30 % of them right."""
    iterations: int = 30
    """Batches of episodes in all."""
    episodes: int = 128
    """Episodes in a batch."""
    temperature: float = 1.0
    """Of sampling, and of the policy that is trained."""
    vllm: Literal["", "colocate"] = ""
    """Generate with vLLM in this process; by default with transformers."""
    vllm_memory: float = 0.3
    """Share of a GPU's memory for vLLM."""
    sampler_cap: float = 2.0
    """Most weight of a token that vLLM found less probable than the trained model does."""

    learning_rate: float = 2e-4
    """Of Adam."""
    anneal: bool = True
    """Let the learning rate fall to 0 over the run."""
    epochs: int = 2
    """Passes over a batch."""
    minibatches: int = 2
    """Steps of the optimiser in a pass."""
    pack_tokens: int = 128
    """Width of a row in which episodes are packed; a longer episode makes its rows wider."""
    rows: int = 16
    """Rows that are computed at once; gradients add up over a minibatch. Less needs less memory."""
    gamma: float = 1.0
    """Discount, once a turn or once a token; see `discount`."""
    discount: Literal["turn", "token"] = "turn"
    """What a step of the discount is."""
    gae_lambda: float = 1.0
    """Of generalised advantage estimation, once a token; 1 trusts the rewards, not the values."""
    whiten: bool = True
    """Give a batch's advantages mean 0 and standard deviation 1."""
    clip: float = 0.2
    """How far a token's probability ratio may leave 1."""
    value_clip: float = 0.2
    """How far a value may leave the one of before the update; 0 for no limit."""
    value_coef: float = 0.1
    """Weight of the value loss."""
    entropy_coef: float = 0.0
    """Weight of the entropy bonus."""
    kl_coef: float = 0.05
    """Weight of the divergence from the frozen first model."""
    kl_in: Literal["loss", "reward"] = "loss"
    """Where that divergence counts: as a term of the loss, or taken off every token's reward."""
    target_kl: float = 0.0
    """End an update when approx_kl of a minibatch is above; 0 for never."""
    max_grad_norm: float = 1.0
    """Longest gradient."""
    shuffle_rewards: bool = False
    """Control: permute the rewards among a batch's episodes, so that there is nothing to learn."""

    eval_every: int = 20
    """Iterations between evaluations on held-out tasks; 0 for none but the first and the last."""

    def check(self) -> None:
        """Raise an `OptionError` for the first value that is not allowed."""
        super().check()
        at_least(1, self, "episodes epochs minibatches rows pack_tokens")
        at_least(0, self, "value_clip value_coef entropy_coef kl_coef target_kl")
        for name in ("temperature", "clip", "max_grad_norm", "sampler_cap"):
            check(name, getattr(self, name), getattr(self, name) > 0, "above 0")
        for name in ("gamma", "gae_lambda"):
            check(name, getattr(self, name), 0 <= getattr(self, name) <= 1, "from 0 to 1")
        check("vllm_memory", self.vllm_memory, 0 < self.vllm_memory < 1, "above 0 and below 1")
        limit = f"at most the number of episodes, {self.episodes}"
        check("minibatches", self.minibatches, self.minibatches <= self.episodes, limit)


# Episodes


def rollout(
    args: Args, agent: TokenAgent, envs: Sequence[gym.Env[str, str]], iteration: int, clock: Clock
) -> list[Episode]:
    """Play an episode in each environment, all at once.

    Tasks, users and samples depend on the seed, the iteration and the place in the batch alone.
    """
    seeds = np.random.default_rng([args.seed, iteration]).integers(2**31, size=len(envs)).tolist()
    total = [0.0] * len(envs)
    seen: list[tuple[str, dict[str, Any]]] = []
    with clock.part("environment"):
        for place, (env, seed) in enumerate(zip(envs, seeds, strict=True)):
            observation, info = env.reset(seed=seed)
            own = {"episode_id": str(place), "seed": seed, "action_format": _format(env)}
            seen.append((observation, info | own))
    for one in seen:
        agent.reset(*one)
    running = list(range(len(envs)))
    while running:
        for begin in range(0, len(running), args.generation_batch):
            batch = running[begin : begin + args.generation_batch]
            with clock.part("generation"):
                actions = agent.act_batch([seen[i][0] for i in batch], [seen[i][1] for i in batch])
            with clock.part("environment"):
                for i, action in zip(batch, actions, strict=True):
                    observation, reward, terminated, truncated, info = envs[i].step(action)
                    kept = {key: seen[i][1][key] for key in ("episode_id", "seed", "action_format")}
                    seen[i] = observation, info | kept | {"done": terminated or truncated}
                    total[i] += float(reward)
        running = [i for i in running if not seen[i][1]["done"]]
    played = []
    for (observation, info), reward in zip(seen, total, strict=True):
        tokens = agent.report(observation, info).tokens
        assert tokens is not None
        success = abs(reward - 1) <= 1e-6
        logprobs = [p for p in tokens.logprobs or () if p is not None]
        played.append(Episode(tokens.ids, tokens.mask, reward, success, info["turn"], logprobs))
    return played


def _format(env: gym.Env[str, str]) -> str:
    return str(env.unwrapped.action_format)  # type: ignore[attr-defined]


# Advantages and losses


def advantages(
    rewards: Tensor, values: Tensor, turns: Sequence[int], args: Args
) -> tuple[Tensor, Tensor]:
    """Return generalised advantage estimates and returns of an episode's written tokens.

    d_t = r_t + g_t V_{t+1} - V_t and A_t = d_t + g_t lambda A_{t+1} (Schulman et al., 2016,
    equations 11 to 16), where g_t is the discount from token t to the next written one. V is 0
    after the last token, at a turn limit too: the environment scores what it cuts off with 0.

    Args:
        rewards: Reward after each token, shape (tokens,).
        values: Value before each token, shape (tokens,).
        turns: Which turn each token belongs to.
        args: For gamma, lambda and where the discount counts.
    """
    result = torch.zeros_like(rewards)
    following, next_value = 0.0, 0.0
    for t in reversed(range(len(rewards))):
        same_turn = t + 1 < len(turns) and turns[t + 1] == turns[t]
        gamma = 1.0 if args.discount == "turn" and same_turn else args.gamma
        delta = rewards[t] + gamma * next_value - values[t]
        result[t] = following = delta + gamma * args.gae_lambda * following
        next_value = values[t]
    return result, result + values


class Batch(NamedTuple):
    """What an update knows of each written token, each of shape (written tokens,)."""

    logprobs: Tensor
    """Under the policy that sampled it."""
    values: Tensor
    """Before the update."""
    reference: Tensor
    """Log-probability under the frozen first model."""
    advantages: Tensor
    returns: Tensor
    weights: Tensor
    """1, or with vLLM how probable the policy finds the token by how probable vLLM did."""


def loss_terms(new: Outputs, old: Batch, args: Args) -> dict[str, Tensor]:
    """Return the sums over tokens of what the loss is made of, and of what tells about it.

    Args:
        new: The model as it is.
        old: The same tokens before the update.
        args: Options.
    """
    log_ratio = new.logprobs - old.logprobs
    ratio = log_ratio.exp()
    clipped = ratio.clamp(1 - args.clip, 1 + args.clip)
    # Equation 7 of Schulman et al., 2017.
    policy = -torch.min(ratio * old.advantages, clipped * old.advantages) * old.weights
    value = (new.values - old.returns) ** 2
    if args.value_clip:
        near = old.values + (new.values - old.values).clamp(-args.value_clip, args.value_clip)
        value = torch.max(value, (near - old.returns) ** 2)
    to_reference = old.reference - new.logprobs
    return {
        "policy_loss": policy.sum(),
        "value_loss": 0.5 * value.sum(),
        "kl": (to_reference.exp() - 1 - to_reference).sum(),  # estimator k3, never negative
        "entropy": new.entropy.sum(),
        "approx_kl": (ratio - 1 - log_ratio).sum().detach(),
        "clipfrac": ((ratio - 1).abs() > args.clip).float().sum().detach(),
    }


def total_loss(terms: dict[str, Tensor], tokens: int, args: Args) -> Tensor:
    """Return the loss of some of a minibatch's tokens, such that the parts' losses add up.

    Args:
        terms: Sums over the part; see `loss_terms`.
        tokens: Written tokens in the whole minibatch: each counts the same, however it is packed.
        args: Options.
    """
    loss = terms["policy_loss"] + args.value_coef * terms["value_loss"]
    loss = loss - args.entropy_coef * terms["entropy"]
    if args.kl_in == "loss":
        loss = loss + args.kl_coef * terms["kl"]
    return loss / tokens


@torch.no_grad()  # type: ignore[untyped-decorator]
def compute_old_outputs(
    policy: Policy, reference: Reference, batch: Sequence[Episode], args: Args, device: str
) -> list[Batch]:
    """Return what the update has to know of each episode's tokens, the advantages not yet white."""
    outputs: dict[int, Batch] = {}
    for rows, order in chunks(batch, args.pack_tokens, args.rows, device):
        old, first = policy(rows, args.temperature), reference(rows, args.temperature)
        columns = old.logprobs, old.values, first.logprobs
        sizes = [batch[i].written for i in order]
        parts = zip(*(column.split(sizes) for column in columns), strict=True)
        for i, (logprobs, values, frozen) in zip(order, parts, strict=True):
            rewards = torch.zeros(len(values))
            if args.kl_in == "reward":
                rewards -= args.kl_coef * (logprobs - frozen).cpu()
            rewards[-1] += batch[i].reward
            made = advantages(rewards, values.float().cpu(), batch[i].turn_of_token(), args)
            weights = torch.ones_like(logprobs)
            if args.vllm:  # which samples from a policy that is not quite the same
                sampled = torch.tensor(batch[i].logprobs, device=device)
                weights = (logprobs - sampled).exp().clamp(max=args.sampler_cap)
            advantage, target = (t.to(device) for t in made)
            outputs[i] = Batch(logprobs, values, frozen, advantage, target, weights)
    return [outputs[i] for i in range(len(batch))]


def normalize_advantages(old: list[Batch]) -> list[Batch]:
    """Return the same with advantages of mean 0 and standard deviation 1 over all tokens."""
    flat = torch.cat([one.advantages for one in old])
    mean, deviation = flat.mean(), flat.std(correction=0)
    return [one._replace(advantages=(one.advantages - mean) / (deviation + 1e-8)) for one in old]


def add_gradients(
    policy: Policy, batch: Sequence[Episode], old: Sequence[Batch], args: Args, device: str
) -> dict[str, float]:
    """Add the gradient of a minibatch's loss, some rows at a time; return means over its tokens."""
    tokens = sum(one.written for one in batch)
    sums: dict[str, float] = {}
    for rows, order in chunks(batch, args.pack_tokens, args.rows, device):
        mine = Batch(*(torch.cat(parts) for parts in zip(*(old[i] for i in order), strict=True)))
        with autocast(args, device):
            new = policy(rows, args.temperature)
        terms = loss_terms(new, mine, args)
        total_loss(terms, tokens, args).backward()
        for name, value in terms.items():
            sums[name] = sums.get(name, 0.0) + value.item() / tokens
    return sums


def update(
    policy: Policy,
    reference: Reference,
    optimizer: torch.optim.Optimizer,
    batch: Sequence[Episode],
    args: Args,
    iteration: int,
) -> dict[str, float]:
    """Take the steps of an iteration; return the means of its minibatches' numbers."""
    device = str(policy.lm.device)
    rng = np.random.default_rng([args.seed, iteration, 1])
    batch = [one for one in batch if one.written]
    if not batch:
        raise SCAError(
            "Expected room for the model's first turn in its context, but no episode had any. Take "
            "a model with a longer one, or tasks with a shorter policy"
        )
    if args.shuffle_rewards:
        rewards = rng.permutation([one.reward for one in batch]).tolist()
        batch = [replace(one, reward=r) for one, r in zip(batch, rewards, strict=True)]
    with autocast(args, device):
        old = compute_old_outputs(policy, reference, batch, args, device)
    returns = torch.cat([one.returns for one in old])
    errors = returns - torch.cat([one.values for one in old])
    explained = 1 - (errors.var() / returns.var().clamp_min(1e-8)).item()
    sampled = torch.tensor([p for one in batch for p in one.logprobs], device=device)
    gap = (torch.cat([one.logprobs for one in old]) - sampled).abs().mean().item()
    if args.whiten:
        old = normalize_advantages(old)
    numbers: list[dict[str, float]] = []
    for _ in range(args.epochs):
        order = rng.permutation(len(batch))
        for part in np.array_split(order, min(args.minibatches, len(batch))):
            chosen = [batch[i] for i in part], [old[i] for i in part]
            optimizer.zero_grad()
            numbers.append(add_gradients(policy, *chosen, args, device))
            norm = nn.utils.clip_grad_norm_(policy.parameters(), args.max_grad_norm)
            numbers[-1]["grad_norm"] = norm.item()
            if args.target_kl and numbers[-1]["approx_kl"] > args.target_kl:
                break  # before the step that would go further
            optimizer.step()
        else:
            continue
        break
    means = {f"losses/{n}": float(np.mean([one[n] for one in numbers])) for n in numbers[0]}
    return means | {"losses/explained_variance": explained, "losses/sampler_gap": gap}


# The run


def playing(args: Args, device: str) -> Any:
    """Return a context for playing: vLLM sees to its own numbers."""
    return contextlib.nullcontext() if args.vllm else autocast(args, device)


def iterate(
    args: Args, state: State, agent: TokenAgent, envs: Sequence[gym.Env[str, str]]
) -> dict[str, float]:
    """Do one iteration: play, learn, and return its numbers."""
    state.iteration += 1
    clock = Clock()
    share = 1 - (state.iteration - 1) / args.iterations if args.anneal else 1.0
    for group in state.optimizer.param_groups:
        group["lr"] = args.learning_rate * share
    with playing(args, str(state.policy.lm.device)):
        batch = rollout(args, agent, envs, state.iteration, clock)
    with clock.part("training"):
        losses = update(
            state.policy, state.reference, state.optimizer, batch, args, state.iteration
        )
    seconds = clock.read()
    turns, written = sum(one.turns for one in batch), sum(one.written for one in batch)
    return {
        "charts/episodic_return": float(np.mean([one.reward for one in batch])),
        "charts/success": float(np.mean([one.success for one in batch])),
        "charts/episodic_length": turns / len(batch),
        "charts/tokens_per_turn": written / max(1, turns),
        "charts/learning_rate": args.learning_rate * share,
        **losses,
        "charts/SPS": turns / seconds["iteration"],
        "charts/tokens_per_second": written / seconds["iteration"],
        **{f"time/{part}": value for part, value in seconds.items()},
    }


def train(args: Args) -> Run:
    """Do a run, or the rest of one.

    Raises:
        SCAError: If an option is wrong or something is missing, before anything is played.
    """
    args.check()
    one_process("PPO runs on one GPU; baselines.grpo on several")
    require("tensorboard", *["peft"] * bool(args.lora), *["vllm"] * bool(args.vllm))
    run = Run(args)
    world = make_world(args)
    device = find_device(args)
    import_transformers().utils.logging.disable_progress_bar()  # ours is enough
    state = make_state(args, run, device)
    run.open(state.iteration)
    if run.checkpoint is None:
        run.save(0, state.save)
    players = Samplers(args, state.policy.lm, state.tokenizer, run.path / "checkpoints" / "00000")
    agent = players.agent(args.temperature)
    envs = [world.make() for _ in range(args.episodes)]

    def evaluate_now() -> dict[str, float]:
        lm, tokenizer, now = state.policy.lm, state.tokenizer, state.iteration
        player = players.agent(args.eval_temperature)
        with playing(args, device):
            return measure(args, lm, tokenizer, world, run, now, player)

    with Stop().listening() as stop, progress_bar() as bar:
        shown = bar.add_task("PPO", total=args.iterations, ret=0.0, success=0.0, rate=0.0)
        bar.update(shown, completed=state.iteration)
        if not run.metrics():
            run.log(0, evaluate_now())
        while state.iteration < args.iterations and not stop.asked:
            numbers = iterate(args, state, agent, envs)
            if args.vllm:
                numbers["time/synchronisation"] = players.synchronise()
            last = state.iteration == args.iterations
            if last or (args.eval_every and state.iteration % args.eval_every == 0):
                numbers |= evaluate_now()
            run.log(state.iteration, numbers)
            bar.update(
                shown,
                advance=1,
                ret=numbers["charts/episodic_return"],
                success=numbers["charts/success"],
                rate=numbers["charts/tokens_per_second"],
            )
            if last or stop.asked or state.iteration % args.checkpoint_every == 0:
                run.save(state.iteration, state.save)
        if state.iteration == args.iterations:
            state.save_model(run.path / "model")
        else:
            bar.console.print(f"Stopped after iteration {state.iteration}; --resume goes on.")
    run.close()
    return run


LESS_MEMORY = (
    "Lower --rows (training) or --generation-batch (playing), then --pack-tokens; --lora 16 needs "
    "less, too"
)


if __name__ == "__main__":
    command(Args, train, __doc__, LESS_MEMORY)
