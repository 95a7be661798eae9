"""Options of the self-challenging loop, each with what it means below it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from baselines import tiny
from baselines.training import RunOptions, at_least, check

TINY_SCALE = 0.05
"""Of a run in the tiny world, which has 110 questions to train on."""
TINY_JUDGE = "baselines.tiny_challenger:TinyJudge"
"""What judges in the tiny world, whose model cannot read a transcript."""


@dataclass
class Args(RunOptions):
    """Options of a run; they are also its record, ``config.json``. More are in `RunOptions`."""

    model: str = "tiny"
    """The challenger's and the executor's weights: a folder, a .gguf file, package:NAME or
    owner/name on the Hub; tiny makes one here, for the tiny world."""
    executor: str = ""
    """Other weights to train, usually of a smaller model (distillation)."""
    template: str | None = None
    """Chat template: chatml, compact, or the text of one; by default the model's own."""
    warm_start_steps: int = 500
    """Steps in which the tiny executor imitates demonstrations, 30 % of them right."""
    env_id: str = tiny.ENV_ID
    """Environment of one domain: tasks are made for it, and its held-out tasks are the test."""
    env_options: str = "{}"
    """Keyword arguments of the environment, as a JSON object."""
    eval_tasks: str | None = None
    """File of held-out tasks; by default the split test (the tiny world has its own)."""

    challenger: str = "procedural"
    """procedural, self (the model itself), learned (a tiny model, in the tiny world), or
    module:Class of your own with a method propose(seed)."""
    challenger_options: str = "{}"
    """Keyword arguments of the challenger, as a JSON object."""
    candidates: int = 50
    """Most candidates for each task wanted."""
    workers: int = 1
    """Processes that examine candidates; 1 does it in this one, as always if a model makes them."""
    verifier: Literal["code", "judge"] = "code"
    """What rewards an episode: the task's verification function, or a model's judgement of an
    instruction alone, as in PAE (arXiv:2412.13194)."""
    judge: str = "self"
    """self, or module:Class of a chat model, such as agents.endpoint:Endpoint."""
    judge_options: str = "{}"
    """Keyword arguments of the judge, as a JSON object."""
    no_failures: bool = False
    """Ablation: ask for no failure cases."""
    no_solution: bool = False
    """Ablation: do not try the example solution (and so no near misses of it)."""
    no_strength: bool = False
    """Ablation: do not try near misses of the solution."""

    scale: float | None = None
    """Multiplies tasks and rollouts; by default 1, the paper's size, and 0.05 in the tiny world."""
    tasks: int = 800
    """Tasks to accept, in all rounds together, at scale 1."""
    rollouts: int = 12_000
    """Episodes to learn from, in all rounds together, at scale 1."""
    rounds: int = 1
    """How often tasks are made and learned from."""
    recipe: Literal["rft", "dpo", "grpo", "ppo"] = "rft"
    """What trains the executor."""
    recipe_options: str = "{}"
    """Further options of the recipe, as a JSON object, such as {"learning_rate": 1e-5}."""
    temperature: float = 1.0
    """Of sampling, by challenger and executor."""
    max_new_tokens: int = 0
    """Most tokens in a turn; by default 512, and 32 in the tiny world."""
    generation_batch: int = 64
    """Most episodes that are generated together; less needs less memory."""

    trials: int = 4
    """Episodes of each held-out task, for pass@1 and pass@k."""
    eval_num_tasks: int | None = None
    """First so many held-out tasks; by default all, or 100 where there is no end."""
    eval_temperature: float = 1.0
    """Of sampling in the test."""

    def __post_init__(self) -> None:
        small = self.model == "tiny"
        self.scale = (TINY_SCALE if small else 1.0) if self.scale is None else self.scale
        self.max_new_tokens = self.max_new_tokens or (32 if small else 512)

    def check(self) -> None:
        """Raise an `OptionError` for the first value that is not allowed."""
        assert self.scale is not None
        check("scale", self.scale, self.scale > 0, "above 0")
        names = "tasks rollouts rounds candidates max_new_tokens generation_batch trials threads"
        at_least(1, self, names)
        at_least(0, self, "seed workers warm_start_steps eval_temperature")
        check("temperature", self.temperature, self.temperature > 0, "above 0")
        check("device", self.device, self.device in ("auto", "cpu", "cuda"), "auto, cpu or cuda")
        check("recipe", self.recipe, self.recipe in ("rft", "dpo", "grpo", "ppo"), "a recipe")
        check("verifier", self.verifier, self.verifier in ("code", "judge"), "code or judge")
        check("model", self.model, bool(self.model), "tiny, a folder, a file or a name")
        if self.model == "tiny":
            expected = "another one where another environment is used"
            check("model", self.model, self.env_id == tiny.ENV_ID, expected)
            expected = "procedural, learned or module:Class with model=tiny, which writes no tasks"
            check("challenger", self.challenger, self.challenger != "self", expected)
        else:
            expected = "procedural, self or module:Class; learned is for model=tiny"
            check("challenger", self.challenger, self.challenger != "learned", expected)
        if self.verifier == "judge":
            fits = self.recipe in ("rft", "dpo")
            check("recipe", self.recipe, fits, "rft or dpo with verifier=judge, which judges after")
            own = self.judge != "self" or self.model != "tiny"
            check("judge", self.judge, own, f"{TINY_JUDGE} or another with model=tiny")

    def per_round(self, number: int) -> int:
        """Return a round's share of a number at scale 1."""
        assert self.scale is not None
        return max(1, round(number * self.scale / self.rounds))
