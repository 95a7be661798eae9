"""The whole loop of "Self-Challenging Language Model Agents" (arXiv:2506.01716) in one command.

Each round a challenger writes tasks as code, gates keep the good ones, an executor plays them, one
of the recipes trains it, and tasks that the challenger never saw measure it. Every stage leaves a
file when it is done; what is done is never done again. See ``docs/baselines/self_challenge.md``.

    python -m baselines.self_challenge --out runs/loop             # a tiny world, minutes on a CPU
    python -m baselines.self_challenge --out runs/loop --resume    # goes on after Ctrl-C
    python -m baselines.self_challenge --out runs/retail --model FOLDER --challenger self \
        --env-id sca/TauRetail-v0 --env-options '{"user": "none"}'
"""

from __future__ import annotations

import gc
import importlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from baselines import self_challenge_parts as parts
from baselines import self_challenge_report as report
from baselines import tiny, tiny_challenger
from baselines.judge import ChatJudge, LocalJudge, relabel, verdicts
from baselines.run import Run, Stop, write_whole
from baselines.self_challenge_args import Args
from baselines.setup import CODE_AS_TASK, make_agent
from baselines.training import (
    command,
    find_device,
    played_before,
    require,
    save_model,
)
from sca_envs import (
    Campaign,
    Novel,
    Pipeline,
    SCAError,
    StopRun,
    TaskSet,
    evaluate,
    load_code_tasks,
    save_tasks,
    write_trajectories,
)
from sca_envs.agents import import_transformers, load_model, load_tokenizer, model_folder

_APART = 1_000
"""How far the seeds of two runs are apart, so that their rounds have different ones."""
_BROKEN, _HOPELESS = "the challenger failed", 10
"""If so many candidates, the first of a round, all end by this error, the run stops."""
_NEVER = "def verify(answer):\n    return False\n"
"""What stands for a verification function where a model judges."""


class Stopped(Exception):  # noqa: N818 (it is no error)
    """The run was asked to stop while a stage was not done."""


class Loop:
    """A run: its folder and its stages.

    Args:
        args: The options.
        stop: Whether to stop.

    Raises:
        SCAError: If an option is wrong or something is missing.
    """

    def __init__(self, args: Args, stop: Stop) -> None:
        args.check()
        require("tensorboard", "matplotlib", *(["trl", "datasets"] * (args.recipe != "ppo")))
        self.args, self.stop = args, stop
        self.run = Run(args)
        self.path = self.run.path
        self.device = find_device(args)
        self.recipe = importlib.import_module(f"baselines.{args.recipe}")
        self.world = parts.make_world(args)
        self.domain = parts.find_domain(self.world)
        self.tested = parts.tested_tasks(args, self.world, self.domain)
        self.gates = parts.make_gates(args, self.tested)
        parts.check_challenger(args, self.domain)
        parts.check_models(args)
        self._recipe_args(0, "start").check()

    def run_rounds(self) -> None:
        """Do the run, or the rest of it."""
        begun = 0 if self.run.checkpoint is None else int(self.run.checkpoint.name)
        self.run.open(begun)
        if self.run.checkpoint is None:
            self.run.save(0, partial(_point, model=""))
        import_transformers().utils.logging.disable_progress_bar()  # ours is enough
        if self.world.test is not None:
            save_tasks(self.world.test, self.path / "test.jsonl")
        model = self.args.executor or self.args.model
        if model == "tiny":
            self._stage("start", self._make_tiny)
            model = str(self.path / "start")
        tested = self._stage("evaluations/00", partial(self._test, 0, model))
        self._log(0, tested, {}, "")
        for round_ in range(1, self.args.rounds + 1):
            model = self._round(round_, model)
        self.run.close()

    def _round(self, round_: int, model: str) -> str:
        """Do a round with the executor's weights of before; return those of after."""
        place = f"round-{round_}"
        made = self._stage(f"{place}/challenge", partial(self._challenge, round_, model))
        if self.args.recipe in ("rft", "dpo"):
            self._stage(f"{place}/rollouts", partial(self._play, round_, model))
            if self.args.verifier == "judge":
                self._stage(f"{place}/judged", partial(self._judge, round_))
        trained = self._stage(f"{place}/train", partial(self._train, round_, model))
        after = str(self.path / trained["model"])
        tested = self._stage(f"evaluations/{round_:02d}", partial(self._test, round_, after))
        self._log(round_, tested, made, trained["model"])
        return after

    def _stage(self, name: str, do: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Do a stage unless its file says that it is done; return what the file holds."""
        done = self.path / f"{name}.json"
        if not done.exists():
            if self.stop.asked:
                raise Stopped(name)
            began = time.monotonic()
            try:
                found = do()
            except StopRun:
                raise Stopped(name) from None
            finally:
                free()
            done.parent.mkdir(parents=True, exist_ok=True)
            found |= {"seconds": round(time.monotonic() - began, 1)}
            write_whole(done, json.dumps(found, indent=1) + "\n")
            report.write(self.path, asdict(self.args))
        value: dict[str, Any] = json.loads(done.read_text("utf-8"))
        return value

    def _log(self, round_: int, tested: dict[str, Any], made: dict[str, Any], model: str) -> None:
        """Write a round's numbers, and where its weights are, unless that was done before."""
        if round_ < len(self.run.metrics()):
            return
        numbers = {f"eval/pass_at_{k}": value["mean"] for k, value in tested["pass_at"].items()}
        numbers |= {f"challenge/{n}": made[n] for n in ("accepted", "candidates") if n in made}
        self.run.log(round_, {name: float(value) for name, value in numbers.items()})
        self.run.save(round_, partial(_point, model=model))

    # Stages

    def _make_tiny(self) -> dict[str, Any]:
        model, tokenizer = tiny.warm_start(self.args.seed, steps=self.args.warm_start_steps)
        save_model(model, tokenizer, self.path / "start")
        return {}

    def _make_author(self) -> dict[str, Any]:
        made = tiny_challenger.train_author(self.domain, self.args.seed)
        save_model(*made, self.path / "challenger")
        return {}

    def _challenge(self, round_: int, model: str) -> dict[str, Any]:
        """Make tasks until enough passed the gates."""
        args, folder = self.args, self.path / f"round-{round_}"
        wanted = args.per_round(args.tasks)
        record = {"round": round_, "challenger": args.challenger, "domain": self.domain.name}
        record |= {"digest": self.domain.base.digest(), "gates": [gate.name for gate in self.gates]}
        most = args.candidates * wanted
        campaign = Campaign(folder / "tasks.jsonl", record, wanted, most=most, resume=True)
        workers = 1 if args.challenger in ("self", "learned") else args.workers  # one model
        pipeline = Pipeline(self.gates, novel=Novel(), workers=workers)
        if args.verifier == "code" and not args.no_solution:
            for earlier in range(1, round_):
                pipeline.know(load_code_tasks(self.path / f"round-{earlier}" / "tasks.jsonl"))
        with self._bar(f"round {round_}: tasks", wanted) as show:
            for step in campaign.run(self._challenger(round_, model), pipeline):
                show(step.accepted)
                errors = pipeline.funnel.errors
                broken = sum(n for why, n in errors.items() if why.startswith(_BROKEN))
                if step.candidates == broken == _HOPELESS:
                    raise SCAError(f"Expected candidates, got only errors: {', '.join(errors)}")
                if self.stop.asked:
                    raise StopRun
        made = pipeline.funnel.report()
        pipeline.funnel.draw(folder / "funnel.png")
        if not campaign.accepted:
            write_whole(folder / "funnel.json", json.dumps(made, indent=1) + "\n")
            report.write(self.path, asdict(self.args))
            raise SCAError(
                f"Expected tasks that pass the gates; none of {pipeline.funnel.candidates} "
                f"candidates did: {pipeline.funnel.reasons()}"
            )
        return made

    def _challenger(self, round_: int, model: str) -> Any:
        """Return what makes the candidates of a round, by number."""
        args = self.args
        seed = args.seed * _APART + round_
        if args.challenger == "learned":
            self._stage("challenger", self._make_author)
            agent: Any = tiny_challenger.Author(
                str(self.path / "challenger"),
                template=tiny.TEMPLATE,
                max_new_tokens=64,
                temperature=args.temperature,
                seed=seed,
            )
        elif args.challenger == "self":
            agent = self._agent(args.model if args.executor else model, args.temperature, seed)
        else:
            return parts.make_proposer(args, self.domain, seed)
        return parts.Batches(args, self.domain, self.gates, agent, seed)

    def _play(self, round_: int, model: str) -> dict[str, Any]:
        """Play the tasks that were made; the episodes are what the recipe learns from."""
        args, folder = self.args, self.path / f"round-{round_}"
        budget = args.per_round(args.rollouts)
        tasks = [one.to_task() for one in load_code_tasks(folder / "tasks.jsonl")][:budget]
        if args.verifier == "judge":
            tasks = [task.model_copy(update={"verify": _NEVER}) for task in tasks]
        done = self._evaluate(
            f"round {round_}: rollouts",
            self._agent(model, args.temperature, args.seed),
            env_id=CODE_AS_TASK,
            tasks=TaskSet(tasks),
            trials=budget // len(tasks),
            seed=args.seed * _APART + round_,
            out=folder / "rollouts",
            **parts.played(self.world),
        )
        found: dict[str, Any] = {"rollouts": done.results.episodes}
        success = done.results.success
        return found | ({"success": success.mean} if success and args.verifier == "code" else {})

    def _judge(self, round_: int) -> dict[str, Any]:
        """Let a model say which episodes were successes."""
        args, folder = self.args, self.path / f"round-{round_}"
        episodes = played_before(folder / "rollouts")
        told = folder / "verdicts.jsonl"  # a line an episode, to go on from
        lines = told.read_text("utf-8").split("\n")[:-1] if told.exists() else []
        if args.judge == "self":
            judge: Any = LocalJudge(self._agent(args.model, 0.0, args.seed))
        else:
            judge = ChatJudge(parts.make_judge(args).make())
        with self._bar(f"round {round_}: judgements", len(episodes)) as show:
            while len(lines) < len(episodes):
                if self.stop.asked:
                    raise StopRun
                some = episodes[len(lines) : len(lines) + args.generation_batch]
                lines += [json.dumps(verdict) for verdict in verdicts(judge, some)]
                write_whole(told, "".join(f"{line}\n" for line in lines))
                show(len(lines))
        found = [json.loads(line) for line in lines]
        write_trajectories(list(map(relabel, episodes, found)), folder / "judged.jsonl")
        return {
            "judged": len(found),
            "successes": found.count(True),
            "no_verdict": found.count(None),
        }

    def _train(self, round_: int, model: str) -> dict[str, Any]:
        """Train the executor by a recipe, whose own run is ``round-N/train``."""
        options = self._recipe_args(round_, model)
        last = options.rounds if self.args.recipe == "rft" else options.iterations
        folder = Path(options.out)
        options.resume = any(folder.glob("checkpoints/[0-9]*"))
        if not options.resume:
            shutil.rmtree(folder, ignore_errors=True)  # it broke off before there was anything
        self.recipe.train(options)
        checkpoint = folder / "checkpoints" / f"{last:05d}"
        if not checkpoint.is_dir():
            raise StopRun
        found: dict[str, Any] = {"model": str((folder / "model").relative_to(self.path))}
        if self.args.recipe in ("grpo", "ppo"):
            found["rollouts"] = last * parts.episodes(options)
        return found

    def _test(self, round_: int, model: str) -> dict[str, Any]:
        """Play the held-out tasks."""
        args = self.args
        done = self._evaluate(
            f"test after round {round_}",
            self._agent(model, args.eval_temperature, args.seed),
            num_tasks=args.eval_num_tasks,
            trials=args.trials,
            seed=args.seed,
            out=self.path / "evaluations" / f"{round_:02d}",
            **self.world.held_out(),
        )
        pass_at = done.results.pass_at
        measured = {str(k): pass_at[k].model_dump() for k in sorted({1, args.trials})}
        return {"episodes": done.results.episodes, "pass_at": measured}

    # What stages need

    def _recipe_args(self, round_: int, model: str) -> Any:
        return parts.recipe_args(
            self.args, self.recipe, self.world, len(self.tested), self.path, round_, model
        )

    def _agent(self, model: str, temperature: float, seed: int) -> Any:
        """Return an agent that plays with weights."""
        folder = model_folder(model)
        kind = "bfloat16" if self.device == "cuda" and self.args.bf16 else "float32"
        lm = load_model(folder, self.device, kind)
        return make_agent(
            lm, load_tokenizer(folder), self._recipe_args(0, model), temperature, seed
        )

    def _evaluate(self, title: str, agent: Any, **options: Any) -> Any:
        """Play episodes with a bar; whoever asks to stop need not wait for the last one."""
        with self._bar(title, None) as show:

            def on_progress(progress: Any) -> None:
                show(progress.done, progress.total)
                if self.stop.asked and progress.done < progress.total:
                    raise StopRun

            return evaluate(agent=agent, resume=True, on_progress=on_progress, **options)

    @contextmanager
    def _bar(self, title: str, total: int | None) -> Iterator[Callable[..., None]]:
        """Show a bar; what it gives is called with how much is done, and of how much."""
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
        with Progress(*columns, TimeRemainingColumn()) as bar:
            shown = bar.add_task(title, total=total)

            def show(done: int, of: int | None = None) -> None:
                bar.update(shown, completed=done, total=of or total)

            yield show


def _point(folder: Path, model: str) -> None:
    """Write where a round's weights are."""
    (folder / "model.json").write_text(json.dumps({"model": model}) + "\n", "utf-8")


def free() -> None:
    """Give back the memory of models that nobody holds any more."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def train(args: Args) -> Run:
    """Do a run, or the rest of one.

    Raises:
        SCAError: If an option is wrong or something is missing, before anything is made; or if no
            task passes the gates, or nothing can be learned from the episodes.
    """
    with Stop().listening() as stop:
        loop = Loop(args, stop)
        try:
            loop.run_rounds()
        except Stopped as stage:
            loop.run.close()
            print(f"Stopped in {stage}; --resume goes on.")
    print(report.summary(loop.path))
    return loop.run


if __name__ == "__main__":
    command(Args, train, __doc__)
