"""Proximal policy optimisation of a language model's tokens, over episodes of several turns.

An iteration plays a batch of episodes with the model, gives every token that the model wrote an
advantage, and takes a few clipped steps. See ``docs/baselines/ppo.md`` for the details that matter.

    python -m baselines.ppo --out runs/ppo                      # a tiny model, minutes on a CPU
    python -m baselines.ppo --out runs/ppo --resume             # go on after Ctrl-C
    python -m baselines.ppo --out runs/retail --model FOLDER --env-id sca/TauRetail-v0
"""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import gymnasium as gym
import numpy as np

from agents.hf import HFAgent
from agents.models import load_model, load_tokenizer, transformers
from baselines import tiny
from baselines.packing import Played, Rows, attention, chunks
from baselines.run import Run, Stop, progress_bar
from baselines.setup import World, first_model, make_agent, make_world
from sca_envs import OptionError, SCAError, evaluate

transformers()  # raises, with the name of the extra, if it or torch is missing
import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402


@dataclass
class Args:
    """Options of a run; they are also its record, ``config.json``."""

    out: str
    """Folder of the run; a new one unless it is resumed."""
    resume: bool = False
    """Go on from the newest checkpoint in the folder."""
    seed: int = 1
    """Fixes the run: on a CPU, the same seed gives the same numbers."""
    device: str = "auto"
    """Such as cpu or cuda; auto takes a GPU if there is one."""
    bf16: bool = True
    """Compute in bfloat16 on a GPU; weights and optimiser stay in float32."""
    threads: int = 1
    """Threads of torch on a CPU; more than are idle make it slower."""
    wandb: str = ""
    """Project in Weights & Biases; empty for none."""

    model: str = "tiny"
    """A folder, a .gguf file, package:NAME or owner/name on the Hub; tiny makes one here."""
    template: str | None = None
    """Chat template: chatml, compact, or the text of one; by default the model's own."""
    bare: bool = False
    """Let the model read the task alone, without policy and tools, as the tiny one does."""
    warm_start_steps: int = 500
    """Steps in which the tiny model imitates demonstrations, 40 % of them right."""
    env_id: str = tiny.ENV_ID
    """Id of the environment."""
    env_options: str = "{}"
    """Keyword arguments of the environment, as a JSON object."""
    tasks: str | None = None
    """File of tasks to train on; by default the split train (the tiny model has its own)."""
    eval_tasks: str | None = None
    """File of held-out tasks; by default the split test (the tiny model has its own)."""
    eval_env_id: str = ""
    """Environment of the held-out tasks; by default the one that is trained on."""
    eval_env_options: str = "{}"
    """Keyword arguments of that environment, as a JSON object."""

    iterations: int = 60
    """Batches of episodes in all."""
    episodes: int = 128
    """Episodes in a batch."""
    generation_batch: int = 128
    """Most episodes that are generated together; less needs less memory."""
    max_new_tokens: int = 32
    """Most tokens in a turn."""
    temperature: float = 1.0
    """Of sampling, and of the policy that is trained."""

    learning_rate: float = 1e-3
    """Of Adam."""
    anneal: bool = False
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
    gae_lambda: float = 0.95
    """Of generalised advantage estimation, once a token."""
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
    kl_coef: float = 0.01
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
    eval_num_tasks: int | None = None
    """First so many held-out tasks; by default all, or 100 where there is no end."""
    eval_trials: int = 2
    """Episodes of each."""
    eval_temperature: float = 1.0
    """Of sampling in evaluations; 0 takes the most probable token."""
    checkpoint_every: int = 20
    """Iterations between checkpoints; there is one at the end and at a stop."""

    def check(self) -> None:
        """Raise an `OptionError` for the first value that is not allowed."""
        counts = "iterations episodes generation_batch max_new_tokens epochs minibatches rows"
        for name in f"{counts} pack_tokens eval_trials checkpoint_every threads".split():
            _check(name, getattr(self, name), getattr(self, name) >= 1, "at least 1")
        for name in ("learning_rate", "temperature", "clip", "max_grad_norm"):
            _check(name, getattr(self, name), getattr(self, name) > 0, "above 0")
        for name in ("value_clip", "value_coef", "entropy_coef", "kl_coef", "target_kl", "seed"):
            _check(name, getattr(self, name), getattr(self, name) >= 0, "at least 0")
        for name in ("gamma", "gae_lambda"):
            _check(name, getattr(self, name), 0 <= getattr(self, name) <= 1, "from 0 to 1")
        limit = f"at most the number of episodes, {self.episodes}"
        _check("minibatches", self.minibatches, self.minibatches <= self.episodes, limit)
        _check("eval_every", self.eval_every, self.eval_every >= 0, "at least 0")
        own = self.env_id == tiny.ENV_ID and self.tasks is None
        if self.model == "tiny" and not own:
            raise OptionError(
                f"Expected env_id={tiny.ENV_ID} and no tasks with model=tiny, which knows words of "
                f"its own tasks only; got {self.env_id} and {self.tasks}. Give --model"
            )


def _check(name: str, value: Any, right: bool, expected: str) -> None:
    if not right:
        raise OptionError(f"Expected {name} to be {expected}; got {value!r}")


# Policy


class Policy(nn.Module):  # type: ignore[misc]
    """A language model with a value head on the same trunk.

    Args:
        lm: A causal language model of transformers.
    """

    def __init__(self, lm: Any) -> None:
        super().__init__()
        self.lm = lm
        lm.set_attn_implementation("sdpa")  # takes the mask of packed episodes as it is
        self.value_head = nn.Linear(lm.config.hidden_size, 1, device=lm.device)
        nn.init.zeros_(self.value_head.weight)  # so the first advantages are the rewards
        nn.init.zeros_(self.value_head.bias)

    def forward(self, rows: Rows, temperature: float) -> Outputs:
        """Return what the model thinks of each token that it wrote, shape (written tokens,)."""
        hidden = self.lm.base_model(
            input_ids=rows.ids,
            position_ids=rows.positions,
            attention_mask=attention(rows.segments),
            use_cache=False,
        ).last_hidden_state
        row, column = rows.written.nonzero(as_tuple=True)
        before = hidden[row, column - 1]  # the state in which the token was chosen
        logits = self.lm.get_output_embeddings()(before)
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        logprobs = (logits / temperature).log_softmax(-1)
        chosen = logprobs.gather(-1, rows.ids[row, column, None])[:, 0]
        entropy = -(logprobs.exp() * logprobs).sum(-1)
        # No matrix product, which on a GPU would be one in bfloat16.
        weight, bias = self.value_head.weight[0], self.value_head.bias
        values = (before.to(weight.dtype) * weight).sum(-1) + bias
        return Outputs(chosen, values, entropy)


class Outputs(NamedTuple):
    """A model's view of tokens, each of shape (written tokens,)."""

    logprobs: Tensor
    """Log-probability of the token, in nats."""
    values: Tensor
    """Expected return before the token."""
    entropy: Tensor
    """Entropy of the choice, in nats."""


# Episodes


def rollout(
    args: Args, agent: HFAgent, envs: Sequence[gym.Env[str, str]], iteration: int
) -> list[Played]:
    """Play an episode in each environment, all at once.

    Tasks, users and samples depend on the seed, the iteration and the place in the batch alone.
    """
    seeds = np.random.default_rng([args.seed, iteration]).integers(2**31, size=len(envs)).tolist()
    total = [0.0] * len(envs)
    seen: list[tuple[str, dict[str, Any]]] = []
    for place, (env, seed) in enumerate(zip(envs, seeds, strict=True)):
        observation, info = env.reset(seed=seed)
        own = {"episode_id": str(place), "seed": seed, "action_format": _format(env)}
        seen.append((observation, info | own))
        agent.reset(*seen[place])
    running = list(range(len(envs)))
    while running:
        for begin in range(0, len(running), args.generation_batch):
            batch = running[begin : begin + args.generation_batch]
            actions = agent.act_batch([seen[i][0] for i in batch], [seen[i][1] for i in batch])
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
        played.append(Played(tokens.ids, tokens.mask, reward, success, info["turn"]))
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
    policy = -torch.min(ratio * old.advantages, clipped * old.advantages)
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
def look_back(
    policy: Policy, reference: Policy, batch: Sequence[Played], args: Args, device: str
) -> list[Batch]:
    """Return what the update has to know of each episode's tokens, the advantages not yet white."""
    looked: list[Batch | None] = [None] * len(batch)
    for rows, order in chunks(batch, args.pack_tokens, args.rows, device):
        old, first = (model(rows, args.temperature) for model in (policy, reference))
        sizes = [batch[i].written for i in order]
        parts = zip(
            *(t.split(sizes) for t in (old.logprobs, old.values, first.logprobs)), strict=True
        )
        for i, (logprobs, values, frozen) in zip(order, parts, strict=True):
            rewards = torch.zeros(len(values))
            if args.kl_in == "reward":
                rewards -= args.kl_coef * (logprobs - frozen).cpu()
            if len(rewards):
                rewards[-1] += batch[i].reward
            made = advantages(rewards, values.float().cpu(), batch[i].turn_of_token(), args)
            looked[i] = Batch(logprobs, values, frozen, *(t.to(device) for t in made))
    return [one for one in looked if one is not None]


def whiten(looked: list[Batch]) -> list[Batch]:
    """Return the same with advantages of mean 0 and standard deviation 1 over all tokens."""
    flat = torch.cat([one.advantages for one in looked])
    mean, deviation = flat.mean(), flat.std(correction=0)
    return [one._replace(advantages=(one.advantages - mean) / (deviation + 1e-8)) for one in looked]


def add_gradients(
    policy: Policy, batch: Sequence[Played], looked: Sequence[Batch], args: Args, device: str
) -> dict[str, float]:
    """Add the gradient of a minibatch's loss, some rows at a time; return means over its tokens."""
    tokens = sum(one.written for one in batch)
    sums: dict[str, float] = {}
    for rows, order in chunks(batch, args.pack_tokens, args.rows, device):
        old = Batch(*(torch.cat(parts) for parts in zip(*(looked[i] for i in order), strict=True)))
        with autocast(args, device):
            new = policy(rows, args.temperature)
        terms = loss_terms(new, old, args)
        total_loss(terms, tokens, args).backward()
        for name, value in terms.items():
            sums[name] = sums.get(name, 0.0) + value.item() / tokens
    return sums


def update(
    policy: Policy,
    reference: Policy,
    optimizer: torch.optim.Optimizer,
    batch: Sequence[Played],
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
        batch = [
            Played(o.ids, o.mask, r, o.success, o.turns)
            for o, r in zip(batch, rewards, strict=True)
        ]
    with autocast(args, device):
        looked = look_back(policy, reference, batch, args, device)
    returns = torch.cat([one.returns for one in looked])
    errors = returns - torch.cat([one.values for one in looked])
    explained = 1 - (errors.var() / returns.var().clamp_min(1e-8)).item()
    if args.whiten:
        looked = whiten(looked)
    numbers: list[dict[str, float]] = []
    for _ in range(args.epochs):
        order = rng.permutation(len(batch))
        for part in np.array_split(order, min(args.minibatches, len(batch))):
            chosen = [batch[i] for i in part], [looked[i] for i in part]
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
    return means | {"losses/explained_variance": explained}


def autocast(args: Args, device: str) -> Any:
    """Return a context in which a GPU computes in bfloat16."""
    kind = device.partition(":")[0]
    return torch.autocast(kind, torch.bfloat16, enabled=args.bf16 and kind == "cuda")


# The run


@dataclass
class State:
    """All that changes from iteration to iteration, and the frozen first model."""

    policy: Policy
    reference: Policy
    tokenizer: Any
    optimizer: torch.optim.Optimizer
    iteration: int = 0

    def save(self, folder: Path) -> None:
        """Write a checkpoint: a model that transformers loads, and what else a run goes on from."""
        self.policy.lm.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        trainer = {
            "value_head": self.policy.value_head.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "iteration": self.iteration,
        }
        torch.save(trainer, folder / "trainer.pt")


def make_state(args: Args, run: Run, device: str) -> State:
    """Return the state of a run's beginning, or of its newest checkpoint."""
    begin = run.path / "checkpoints" / "00000"
    if run.checkpoint is None:
        lm, tokenizer = first_model(args, device)
        reference = copy.deepcopy(lm)
    else:
        lm, tokenizer = load_model(str(run.checkpoint), device), load_tokenizer(str(begin))
        reference = load_model(str(begin), device)
    policy = Policy(lm)
    optimizer = torch.optim.Adam(policy.parameters(), lr=args.learning_rate, eps=1e-5)
    state = State(policy, Policy(reference).requires_grad_(False), tokenizer, optimizer)
    if run.checkpoint is not None:
        trainer = torch.load(run.checkpoint / "trainer.pt", map_location=device, weights_only=True)
        policy.value_head.load_state_dict(trainer["value_head"])
        optimizer.load_state_dict(trainer["optimizer"])
        state.iteration = trainer["iteration"]
    return state


def measure(args: Args, state: State, world: World, run: Run) -> dict[str, float]:
    """Play held-out tasks, keep the trajectories, and return what came out."""
    with autocast(args, str(state.policy.lm.device)):
        done = evaluate(
            agent=make_agent(
                state.policy.lm, state.tokenizer, args, args.eval_temperature, args.seed
            ),
            **world.held_out(),
            num_tasks=args.eval_num_tasks,
            trials=args.eval_trials,
            seed=args.seed,
            out=run.path / "evaluations" / f"{state.iteration:05d}",
            resume=True,  # it may have been played before a stop, by the same model
        )
    success, reward = done.results.success, done.results.reward
    assert success is not None
    assert reward is not None
    return {"eval/success": success.mean, "eval/episodic_return": reward.mean}


def iterate(
    args: Args, state: State, agent: HFAgent, envs: Sequence[gym.Env[str, str]]
) -> dict[str, float]:
    """Do one iteration: play, learn, and return its numbers."""
    state.iteration += 1
    began = time.monotonic()
    share = 1 - (state.iteration - 1) / args.iterations if args.anneal else 1.0
    for group in state.optimizer.param_groups:
        group["lr"] = args.learning_rate * share
    with autocast(args, str(state.policy.lm.device)):
        batch = rollout(args, agent, envs, state.iteration)
    generated = time.monotonic()
    losses = update(state.policy, state.reference, state.optimizer, batch, args, state.iteration)
    seconds = time.monotonic() - began
    turns, written = sum(one.turns for one in batch), sum(one.written for one in batch)
    return {
        "charts/episodic_return": float(np.mean([one.reward for one in batch])),
        "charts/success": float(np.mean([one.success for one in batch])),
        "charts/episodic_length": turns / len(batch),
        "charts/tokens_per_turn": written / max(1, turns),
        "charts/learning_rate": args.learning_rate * share,
        **losses,
        "charts/SPS": turns / seconds,
        "charts/tokens_per_second": written / seconds,
        "time/iteration": seconds,
        "time/rollout": generated - began,
    }


def train(args: Args) -> Run:
    """Do a run, or the rest of one.

    Raises:
        SCAError: If an option is wrong or something is missing, before anything is played.
    """
    args.check()
    run = Run(args)
    world = make_world(args)
    device = args.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_num_threads(args.threads)
    transformers().utils.logging.disable_progress_bar()  # ours is enough
    state = make_state(args, run, device)
    run.open(state.iteration)
    agent = make_agent(state.policy.lm, state.tokenizer, args, args.temperature, args.seed)
    envs = [world.make() for _ in range(args.episodes)]
    with Stop().listening() as stop, progress_bar() as bar:
        shown = bar.add_task("PPO", total=args.iterations, ret=0.0, success=0.0, rate=0.0)
        bar.update(shown, completed=state.iteration)
        if run.checkpoint is None:
            run.save(0, state.save)
        if not run.metrics():
            run.log(0, measure(args, state, world, run))
        while state.iteration < args.iterations and not stop.asked:
            numbers = iterate(args, state, agent, envs)
            last = state.iteration == args.iterations
            if last or (args.eval_every and state.iteration % args.eval_every == 0):
                numbers |= measure(args, state, world, run)
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
        if stop.asked and state.iteration < args.iterations:
            bar.console.print(f"Stopped after iteration {state.iteration}; --resume goes on.")
    run.close()
    return run


def main() -> None:
    """Read the options and train."""
    try:
        import tyro
    except ImportError:
        sys.exit("Error: The recipes need tyro: pip install 'sca-envs[baselines]'")
    try:
        train(tyro.cli(Args, description=__doc__))
    except SCAError as error:
        sys.exit(f"Error: {error}")
    except torch.OutOfMemoryError as error:
        sys.exit(
            "Error: The GPU has too little memory. Lower --rows (training) or --generation-batch "
            f"(playing), then --pack-tokens: {error}"
        )


if __name__ == "__main__":
    main()
