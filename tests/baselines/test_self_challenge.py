"""The self-challenging loop in the tiny world, and what can be wrong with its options."""

from __future__ import annotations

import copy
import json
import re
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl", reason="needs pip install 'sca-envs[baselines]'")
pytest.importorskip("matplotlib", reason="needs pip install 'sca-envs[plots]'")

from baselines import self_challenge as loop
from baselines import self_challenge_parts as parts
from baselines import tiny, tiny_challenger
from baselines.self_challenge_args import TINY_JUDGE, Args
from sca_envs import (
    CodeAsTask,
    Domain,
    Novel,
    OptionError,
    Pipeline,
    SCAError,
    domain,
    load_code_tasks,
    read_trajectories,
    standard_gates,
)

pytestmark = pytest.mark.filterwarnings("default")  # those of torch and TRL are not ours

Start = Callable[..., Args]


@pytest.fixture
def start(warm: Any, tokenizer: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Start:
    """Return a function that makes options of a small run, which begins with the warm model."""
    monkeypatch.setattr(tiny, "warm_start", lambda seed, **_: (copy.deepcopy(warm), tokenizer))

    def make(name: str = "run", **options: Any) -> Args:
        small = {"scale": 1.0, "tasks": 5, "rollouts": 20, "eval_num_tasks": 4, "trials": 2}
        small |= {"recipe_options": '{"iterations": 2}'}
        return Args(**{"out": str(tmp_path / name), **small, **options})

    return make


@pytest.fixture(scope="module")
def calculator() -> Domain:
    return domain("trade_calculator", data="generated:0")


def _read(path: Path) -> Any:
    """Return what a file of a stage says, less what the clock says."""

    def timeless(value: Any) -> Any:
        if isinstance(value, list):
            return [timeless(one) for one in value]
        if not isinstance(value, dict):
            return value
        return {key: timeless(one) for key, one in value.items() if key != "seconds"}

    return timeless(json.loads(path.read_text("utf-8")))


RETAIL = {"env_id": "sca/TauRetail-v0"}


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"scale": -1.0}, "Expected scale to be above 0; got -1.0"),
        ({"rounds": 0}, "Expected rounds to be at least 1; got 0"),
        ({"challenger": "nobody"}, "Expected challenger as module:name"),
        ({"challenger": "baselines.tiny:Nobody"}, "which has no such name"),
        ({"challenger": "self"}, "procedural, learned or module:Class with model=tiny"),
        ({"challenger_options": '{"flow_rate": 1}'}, "flow_rate"),
        ({"challenger_options": "0.5"}, "Expected challenger_options to be a JSON object"),
        ({"challenger": "learned", "challenger_options": '{"turns": 1}'}, "turns"),
        ({"model": "/nowhere", **RETAIL}, "there is nothing at '/nowhere'"),
        ({"model": "", **RETAIL}, "Expected model to be tiny, a folder"),
        ({"executor": "/nowhere"}, "there is nothing at '/nowhere'"),
        (RETAIL, "Expected model to be another one where another environment is used"),
        ({"model": "o/n", "env_id": "sca/CodeAsTask-v0"}, "Expected an environment of one domain"),
        ({"model": "o/n", "env_id": "sca/M3Calculation-v0"}, "an environment of one domain"),
        ({"model": "o/n", "env_id": "sca/TauRetailChallenger-v0"}, "environment of one domain"),
        ({"model": "o/n", "env_id": "sca/Nope-v0"}, "Nope"),
        ({"env_options": '{"colour": 1}'}, "Expected env_options that"),
        ({"recipe_options": '{"learning_speed": 1}'}, "learning_speed"),
        ({"recipe_options": '{"learning_rate": 0}'}, "Expected learning_rate to be above 0"),
        ({"recipe": "grpo", "rollouts": 100}, "at least 128 a round, which are a step of grpo"),
        (
            {"verifier": "judge"},
            "baselines.tiny_challenger:TinyJudge or another",
        ),
        ({"verifier": "judge", "recipe": "ppo", "judge": "a:B"}, "rft or dpo with verifier=judge"),
        ({"verifier": "judge", "judge": "nowhere:B"}, "nowhere"),
        ({"eval_num_tasks": 38}, "Expected eval_num_tasks to be at most 37; got 38"),
        ({"eval_tasks": "nowhere.jsonl"}, "nowhere.jsonl"),
    ],
)
def test_wrong_options(options: dict[str, Any], problem: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    given = {"scale": 1.0, **options}
    with pytest.raises(SCAError, match=re.escape(problem)):
        loop.train(Args(out=str(out), **given))
    assert not out.exists()


def test_a_folder_that_exists_is_kept(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OptionError, match="Expected a new folder for the run"):
        loop.train(Args(out=str(tmp_path)))
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


def test_sizes() -> None:
    paper = Args(out="", model="o/n")
    assert (paper.per_round(paper.tasks), paper.per_round(paper.rollouts)) == (800, 12000)
    assert paper.trials == 4
    small = Args(out="")
    assert (small.per_round(small.tasks), small.per_round(small.rollouts)) == (40, 600)
    rounds = Args(out="", rounds=3, scale=0.1)
    assert (rounds.per_round(rounds.tasks), rounds.per_round(rounds.rollouts)) == (27, 400)


@pytest.mark.parametrize(
    ("options", "left_out"),
    [
        ({}, set()),
        ({"no_failures": True}, {"failures"}),
        ({"no_solution": True}, {"solution", "repeatable", "strong"}),
        ({"no_strength": True}, {"strong"}),
        (
            {"verifier": "judge"},
            {"safe", "no leak", "unsatisfied", "solution", "failures", "repeatable", "strong"},
        ),
    ],
)
def test_ablations_leave_gates_out(options: dict[str, Any], left_out: set[str]) -> None:
    everything = [gate.name for gate in standard_gates()]
    gates = parts.make_gates(Args(out="", **options), [])
    assert [gate.name for gate in gates] == [
        *(name for name in everything if name not in left_out),
        "held out",
    ]


# The tiny challengers


def test_flaws_fail_at_their_gates(calculator: Domain) -> None:
    task = tiny.tiny_tasks("train")[0]
    base = tiny_challenger.TinyChallenger(calculator, 0.0).propose(0).model_dump(exclude={"id"})
    plain = tiny_challenger.write(task, calculator)
    made = [CodeAsTask.model_validate({**base, "id": "good", **plain})]
    for name, flaw in tiny_challenger.FLAWS.items():
        fields = {**base, "id": name, **plain, **flaw(plain, task)}
        made.append(CodeAsTask.model_validate(fields))
    made.append(made[0].model_copy(update={"id": "copy"}))
    found = list(Pipeline(standard_gates(), novel=Novel()).examine(made))
    said = [one.task.provenance.verdicts[-1] for one in found if one.task]
    assert [one.accepted for one in found] == [True] + [False] * 8
    assert [verdict.gate for verdict in said[1:]] == [
        "complete",
        "safe",
        "no leak",
        "unsatisfied",
        "solution",
        "failures",
        "strong",
        "novel",
    ]


def test_challengers_know_questions_to_train_on_only(calculator: Domain) -> None:
    known = {task.instruction for task in tiny.tiny_tasks("train")}
    challenger = tiny_challenger.TinyChallenger(calculator, 0.5)
    said = {challenger.propose(seed).instruction.partition(" Use ")[0] for seed in range(200)}
    assert said <= known
    assert len(said) > 50
    assert challenger.propose(7) == challenger.propose(7)


class _Counting:
    """Proposes its numbers, and counts how many were asked for."""

    def __init__(self, calculator: Domain) -> None:
        self.made = tiny_challenger.TinyChallenger(calculator, 0.0)
        self.asked: list[int] = []

    def propose_batch(self, seeds: Any) -> list[CodeAsTask]:
        self.asked += seeds
        return [self.made.propose(seed) for seed in seeds]


def test_batches_do_not_depend_on_where_they_begin(calculator: Domain) -> None:
    args = Args(out="", challenger="learned", generation_batch=4)

    def batches() -> tuple[parts.Batches, _Counting]:
        made = parts.Batches(args, calculator, standard_gates(), lambda: _Counting, 3)
        counting = _Counting(calculator)
        made._challenger = counting  # type: ignore[assignment]
        return made, counting

    whole, counting = batches()
    tasks = [whole(number) for number in range(8)]
    assert len(counting.asked) == len(set(counting.asked)) == 8
    later, counting = batches()
    assert [later(number) for number in range(5, 8)] == tasks[5:]
    assert len(counting.asked) == 4
    assert len({task.id for task in tasks if task}) == 8


# Runs


class _Patience:
    """Whether to stop: as soon as there is a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    @property
    def asked(self) -> bool:
        return self.file.exists()

    def listening(self) -> Any:
        return self

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *error: Any) -> None:
        pass


def _outcome(path: Path) -> dict[str, Any]:
    """Return what a run left that has to be the same again."""
    files = [*path.glob("*.json"), *path.glob("round-*/*.json"), *path.glob("evaluations/*.json")]
    left: dict[str, Any] = {
        str(file.relative_to(path)): _read(file) for file in files if file.name != "config.json"
    }
    for file in (*path.glob("round-*/tasks.jsonl"), *path.rglob("results.json")):
        left[str(file.relative_to(path))] = file.read_bytes()
    left["metrics"] = (path / "metrics.csv").read_bytes()
    left["model"] = (path / "round-2/train/model/model.safetensors").read_bytes()
    return left


def test_a_stop_is_heard_around_a_recipe() -> None:
    with loop.Stop().listening() as outer:
        with loop.Stop().listening() as inner:
            signal.raise_signal(signal.SIGTERM)
            assert inner.asked
        assert outer.asked
        with loop.Stop().listening() as later:
            assert not later.asked


@pytest.mark.slow
def test_a_stopped_run_goes_on(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"rounds": 2, "tasks": 4, "rollouts": 16, "trials": 1}
    whole = loop.train(start("whole", **small))
    args = start("parts", **small)
    out = Path(args.out)
    for begun in ("round-1/tasks.journal.jsonl", "round-1/rollouts.json", "nothing"):
        assert not (out / "evaluations" / "02.json").exists()
        with monkeypatch.context() as patch:
            patch.setattr(loop, "Stop", partial(_Patience, out / begun))
            loop.train(args)
        args.resume = True
        assert (out / "report.md").exists()
        if "tasks" in begun:
            assert not (out / "round-1/challenge.json").exists()
    again, once = _outcome(out), _outcome(whole.path)
    assert [name for name in once if again[name] != once[name]] == []
    first, second = (load_code_tasks(whole.path / f"round-{r}/tasks.jsonl") for r in (1, 2))
    assert len(first) == len(second) == 2
    assert not {task.instruction for task in first} & {task.instruction for task in second}
    with pytest.raises(OptionError, match="which has tasks=4; got 6"):
        loop.train(start("parts", **small | {"tasks": 6}, resume=True))


@pytest.mark.slow
def test_it_learns_from_procedural_tasks(start: Start) -> None:
    run = loop.train(
        start(tasks=40, rollouts=400, eval_num_tasks=37, trials=4, recipe_options="{}")
    )
    before, after = (_read(run.path / f"evaluations/0{i}.json")["pass_at"] for i in (0, 1))
    assert after["1"]["mean"] > before["1"]["mean"] + 0.2
    assert after["4"]["mean"] >= after["1"]["mean"]
    assert len(load_code_tasks(run.path / "round-1/tasks.jsonl")) == 40
    assert len(list(read_trajectories(run.path / "round-1/rollouts"))) == 400
    held_out = {task.instruction for task in tiny.tiny_tasks("test")}
    assert not held_out & {
        task.instruction for task in load_code_tasks(run.path / "round-1/tasks.jsonl")
    }
    report = (run.path / "report.md").read_text("utf-8")
    assert f"{before['1']['mean']:.3f}" in report
    assert f"{after['4']['mean']:.3f}" in report
    for picture in re.findall(r"\]\((\S+\.png)\)", report):
        assert (run.path / picture).stat().st_size > 1000


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["dpo", "grpo", "ppo"])
def test_other_recipes(start: Start, recipe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")
    options = {
        "dpo": {"iterations": 2, "batch": 4},
        "grpo": {"batch": 16, "group": 4},
        "ppo": {"episodes": 16},
    }[recipe]
    given = start(recipe=recipe, rollouts=32, recipe_options=json.dumps(options))
    run = loop.train(given)
    trained = _read(run.path / "round-1/train.json")
    assert (run.path / trained["model"] / "model.safetensors").is_file()
    if recipe != "dpo":
        assert trained["rollouts"] == 32
    assert _read(run.path / "evaluations/01.json")["episodes"] == 8


@pytest.mark.slow
def test_a_learned_challenger(start: Start) -> None:
    run = loop.train(start(challenger="learned", tasks=4, candidates=32))
    made = _read(run.path / "round-1/challenge.json")
    failed = {stage["gate"] for stage in made["stages"] if stage["passed"] < stage["entered"]}
    assert 1 <= made["accepted"] <= 4 < made["candidates"]
    assert len(failed) >= 3, made
    tasks = load_code_tasks(run.path / "round-1/tasks.jsonl")
    assert {task.provenance.challenger for task in tasks} == {"llm"}


@pytest.mark.slow
def test_the_report_says_why_no_task_was_accepted(start: Start) -> None:
    given = start(tasks=1, candidates=4, challenger_options='{"flaw_rate": 1.0}', trials=1)
    with pytest.raises(SCAError, match="tasks that pass the gates; none of 4 candidates did"):
        loop.train(given)
    report = (Path(given.out) / "report.md").read_text("utf-8")
    assert "0 of 4 candidates accepted (0.0%)" in report
    assert (Path(given.out) / "round-1/funnel.png").exists()
    assert not (Path(given.out) / "round-1/challenge.json").exists()


@pytest.mark.slow
def test_a_judge_in_place_of_code(start: Start) -> None:
    given = start(verifier="judge", judge=TINY_JUDGE)
    run = loop.train(given)
    folder = run.path / "round-1"
    played = list(read_trajectories(folder / "rollouts"))
    judged = list(read_trajectories(folder / "judged.jsonl"))
    found = _read(folder / "judged.json")
    assert {one.reward for one in played} == {0.0}  # nothing but the judge has a say
    assert found["judged"] == len(played) == len(judged) == 20
    assert found["successes"] == sum(one.success for one in judged) > 0
    assert _read(folder / "challenge.json")["stages"][0]["gate"] == "complete"
