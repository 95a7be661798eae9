"""A world small enough that a language model of 0.8 M parameters learns in it within minutes.

The tasks are questions of one sentence for the trade calculator (`sca/M3TradeCalculator-v0`): which
of three tools, and with which two numbers? An episode is two turns, the call and the answer. A
tokeniser is trained on transcripts here, a model made from a configuration, and imitation of
demonstrations of which only some are right gives it the form of an episode and a weak idea of what
is right. The rest is for reinforcement learning to find.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from typing import Any

from sca_envs import ExpectedAnswer, Task, TaskSet, domain
from sca_envs.agents import Encoding, HFAgent, Message, TranscriptEncoder, import_transformers

ENV_ID = "sca/M3TradeCalculator-v0"
"""The environment; `tasks` gives it the tasks."""
ENV_OPTIONS: dict[str, Any] = {"max_turns": 2, "user": "none"}
"""Its options: the call, the answer, and no second try."""
TEMPLATE = "compact"
"""The chat template, of those in ``sca_envs/agents/templates``."""

_DOMAIN, _DATA = "trade_calculator", "generated:0"
_NUMBERS = range(1, 8)
_TEST_SHARE = 0.25
_KINDS = {
    "convert_currency": ("Convert a price of {} at a rate of {}.", "base_price", "conversion_rate"),
    "calculate_tariff": (
        "What is the tariff on a price of {}00 at {} percent?",
        "price",
        "tariff_rate",
    ),
    "estimate_final_value": ("What is a price of {} worth with a tariff of {}?", "price", "tariff"),
}
_NEXT = dict(zip(_KINDS, [*_KINDS][1:] + [*_KINDS][:1], strict=True))
_SPECIAL = ["<pad>", "<end>"]


def tiny_tasks(split: str) -> TaskSet:
    """Return the 110 tasks of ``train`` or the 37 of ``test``; they have no task in common.

    A task is a tool and two numbers from 1 to 7. Which of the 147 are for the test is drawn once
    and for all.
    """
    everything = [(tool, a, b) for tool in _KINDS for a in _NUMBERS for b in _NUMBERS]
    random.Random("tiny").shuffle(everything)
    test = round(len(everything) * _TEST_SHARE)
    chosen = everything[:test] if split == "test" else everything[test:]
    return TaskSet((_task(split, *one) for one in chosen), f"tiny/{split}")


def _task(split: str, tool: str, first: int, second: int) -> Task:
    asked = _KINDS[tool][0].format(first, second)
    call = _call(tool, first, second)
    return Task(
        id=f"{tool}-{first}-{second}",
        domain=_DOMAIN,
        data=_DATA,
        split=split,
        instruction=asked,
        actions=({"name": tool, "arguments": call},),
        expected=ExpectedAnswer.of(json.loads(_result(tool, call))),
        difficulty=1,
    )


def _call(tool: str, first: int, second: int) -> dict[str, int]:
    text, one, other = _KINDS[tool]
    return {one: first * 100 if "00" in text else first, other: second}


def _result(tool: str, arguments: dict[str, int]) -> str:
    world = domain(_DOMAIN, data=_DATA)
    return world.call(world.database(), tool, arguments)


def _right(task: Task, answer: str) -> bool:
    assert task.expected is not None
    return abs(float(answer) - float(task.expected.text)) < 0.01


class BareAgent(HFAgent):
    """An agent that reads the task alone, without policy, tools and format.

    A model of this size has no use for them: it learns what they say by imitation.
    """

    def opening(self, observation: str, info: dict[str, Any]) -> tuple[list[Message], None]:
        """Return the user's message."""
        return [{"role": "user", "content": observation}], None


def demonstrate(number: int, right: float, seed: int) -> list[list[str]]:
    """Return demonstrations on tasks of ``train``: opening, call, result, answer.

    A wrong one always makes the same mistake: it takes the next tool in `_KINDS`, and answers with
    what comes out. So who imitates them and is right less than half of the time does the wrong
    thing where it takes what is most probable, too. (Where the next tool gives the same number,
    another first number makes it wrong.)

    Args:
        number: How many.
        right: Share of right ones.
        seed: Fixes them.
    """
    rng = random.Random(f"demonstrations {seed}")
    tasks = tiny_tasks("train")
    made = []
    for index in range(number):
        task = tasks[rng.randrange(len(tasks))]
        tool, *numbers = task.id.split("-")
        first, second = map(int, numbers)
        if index >= round(number * right):
            tool = _NEXT[tool]
        arguments = _call(tool, first, second)
        while index >= round(number * right) and _right(task, _result(tool, arguments)):
            arguments = _call(tool, rng.choice(_NUMBERS), second)
        text = _result(tool, arguments)
        made.append(
            [
                task.instruction,
                json.dumps({"name": tool, "arguments": arguments}),
                f"Result of {tool}:\n{text}",
                json.dumps({"name": "answer", "arguments": {"content": text}}),
            ]
        )
    return made


def tiny_tokenizer() -> Any:
    """Return a tokeniser trained on right and wrong transcripts of the tasks in ``train``.

    Its pieces are words and whole numbers, so that an episode has about 50 tokens.
    """
    texts = ["\n".join(parts) for parts in demonstrate(2000, 0.4, 0)]
    roles = ["user:\n", "assistant:\n", "system:\n"] * 10
    return train_tokenizer([*texts, *roles], r"\d+|\n| ?[^\s\d]+| ", 1000)


def train_tokenizer(texts: Iterable[str], pieces: str, vocabulary: int) -> Any:
    """Return a tokeniser trained on texts, by byte-pair encoding.

    Args:
        texts: The texts.
        pieces: Regular expression of the pieces that no token goes beyond.
        vocabulary: Most tokens that it has.
    """
    import_transformers()  # raises, with the name of the extra, if it is missing
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pieces), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=2,
        special_tokens=_SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token=_SPECIAL[0],
        eos_token=_SPECIAL[1],
        clean_up_tokenization_spaces=False,
    )


def tiny_model(tokenizer: Any, seed: int, hidden: int = 192, layers: int = 2) -> Any:
    """Return a causal language model with random weights, of 0.8 M parameters by default."""
    import torch

    library = import_transformers()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = library.LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=hidden,
            intermediate_size=2 * hidden,
            num_hidden_layers=layers,
            num_attention_heads=4,
            max_position_embeddings=512,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
        return library.LlamaForCausalLM(config).eval()


def encode(encoder: TranscriptEncoder, demonstrations: Sequence[Sequence[str]]) -> list[Encoding]:
    """Return demonstrations as tokens, as `BareAgent` would have read and written them."""
    made = []
    for opening, call, result, answer in demonstrations:
        encoding = encoder.begin([{"role": "user", "content": opening}])
        encoder.demonstrate(encoding, call)
        encoder.observe(encoding, {"role": "user", "content": result})
        encoder.demonstrate(encoding, answer)
        made.append(encoding)
    return made


def imitate(
    model: Any, encodings: Sequence[Encoding], steps: int, seed: int, batch: int = 32
) -> list[float]:
    """Train a model to write what its side of the transcripts says; return each step's loss.

    Args:
        model: Changed in place.
        encodings: Transcripts.
        steps: Steps of Adam. The learning rate rises to 3e-3 in the first tenth of them, without
            which some models never learn to copy a number, and falls to 0 in the rest.
        seed: Fixes the order.
        batch: Transcripts in a step.
    """
    import torch

    width = max(len(one.ids) for one in encodings)
    ids = torch.tensor([one.ids + [0] * (width - len(one.ids)) for one in encodings])
    mask = torch.tensor([one.mask + [0] * (width - len(one.ids)) for one in encodings])
    labels = ids.masked_fill(mask == 0, -100)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 3e-3, total_steps=steps + 1, pct_start=0.1, anneal_strategy="linear"
    )
    order = torch.Generator().manual_seed(seed)
    losses = []
    for _ in range(steps):
        rows = torch.randint(len(encodings), (batch,), generator=order)
        loss = model(input_ids=ids[rows], labels=labels[rows]).loss  # padding is at the end
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


def warm_start(
    seed: int, *, demonstrations: int = 1000, right: float = 0.3, steps: int = 500
) -> tuple[Any, Any]:
    """Return a model that has imitated demonstrations, and its tokeniser.

    Args:
        seed: Fixes weights, demonstrations and order.
        demonstrations: How many; each is of a task of ``train``.
        right: Share of them that are right.
        steps: Steps of training.
    """
    tokenizer = tiny_tokenizer()
    model = tiny_model(tokenizer, seed)
    encoder = TranscriptEncoder(tokenizer, TEMPLATE)
    imitate(model, encode(encoder, demonstrate(demonstrations, right, seed)), steps, seed)
    return model, tokenizer
