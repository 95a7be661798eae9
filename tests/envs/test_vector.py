"""The native vector environment, held against Gymnasium's `SyncVectorEnv`."""

from __future__ import annotations

import json
import pickle
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from hypothesis import given, settings
from hypothesis import strategies as st

import sca_envs
from sca_envs.core.conversation import UserTurn
from sca_envs.envs.registration import environment_ids
from sca_envs.envs.tool_use import ToolUseEnv
from sca_envs.envs.vector import ToolUseVectorEnv
from tests.envs.arrays import plain

ENV_ID = "sca/TauRetail-v0"
MODES = list(AutoresetMode)
RUN_CODE = [name for name in environment_ids() if "Challenger" in name or "CodeAsTask" in name]


def _native(env_id: str = ENV_ID, num_envs: int = 3, **options: Any) -> ToolUseVectorEnv:
    envs = gym.make_vec(env_id, num_envs, "vector_entry_point", **options)
    assert isinstance(envs, ToolUseVectorEnv)
    return envs


def _sync(env_id: str, num_envs: int, mode: AutoresetMode, **options: Any) -> SyncVectorEnv:
    envs = gym.make_vec(env_id, num_envs, "sync", vector_kwargs={"autoreset_mode": mode}, **options)
    assert isinstance(envs, SyncVectorEnv)
    return envs


def _single(envs: SyncVectorEnv) -> list[ToolUseEnv]:
    return [env.unwrapped for env in envs.envs]  # type: ignore[misc]


def _turn(env: ToolUseEnv, kind: int, rng: np.random.Generator) -> str:
    """Return a turn of one of four kinds: a step of the solution, any call, words, nonsense."""
    task, number = env.episode.task, env.episode.turn
    if kind == 0 and number < len(task.actions):
        return env.render_action(task.actions[number].to_call())
    if kind == 0 and task.expected is not None:
        return env.render_action(sca_envs.Answer(task.expected.text))
    if kind == 1:
        name, arguments = env.domain.sample_call(rng)
        return env.render_action(sca_envs.ToolCall(name, arguments))
    words = " ".join(["Everything has been done.", *task.outputs])
    return words if kind < 3 else '{"name": 3'


KINDS = st.lists(st.lists(st.sampled_from([0, 0, 0, 1, 2, 3]), min_size=3, max_size=3), max_size=14)


def _check_equality(
    env_id: str, mode: AutoresetMode, seed: int, kinds: list[list[int]], **options: Any
) -> None:
    native = _native(env_id, autoreset_mode=mode, **options)
    sync = _sync(env_id, 3, mode, **options)
    rng = np.random.default_rng(seed)
    assert plain(native.reset(seed=seed)) == plain(sync.reset(seed=seed))
    for row in kinds:
        actions = tuple(_turn(*pair, rng) for pair in zip(_single(sync), row, strict=True))
        step = native.step(actions)
        assert plain(step) == plain(sync.step(actions))
        over = step[2] | step[3]
        if mode is AutoresetMode.DISABLED and over.any():
            ended = native.reset(options={"reset_mask": over})
            assert plain(ended) == plain(sync.reset(options={"reset_mask": over}))
        transcripts = [env.episode.transcript for env in _single(sync)]
        assert [episode.transcript for episode in native.episodes] == transcripts


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize("env_id", [name for name in environment_ids() if name not in RUN_CODE])
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**31), kinds=KINDS, max_turns=st.sampled_from([2, 5, 30]))
def test_equals_sync(
    env_id: str, mode: AutoresetMode, seed: int, kinds: list[list[int]], max_turns: int
) -> None:
    _check_equality(env_id, mode, seed, kinds, max_turns=max_turns)


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize("env_id", RUN_CODE)
def test_equals_sync_where_verdicts_run_code(env_id: str, mode: AutoresetMode) -> None:
    # A task on the fly must pass the gates before it is used, so few are drawn.
    options: dict[str, Any] = {"num_tasks": 1} if env_id == "sca/CodeAsTask-v0" else {}
    kinds = [[0, 1, 3], [1, 2, 1], [1, 0, 1], [3, 1, 2]]
    _check_equality(env_id, mode, 7, kinds, max_turns=3, **options)


def test_a_thousand_episodes_equal_single_ones() -> None:
    native = _native(num_envs=1000, num_tasks=50)
    single = sca_envs.domain("tau_retail").tasks("train")
    observations, infos = native.reset(seed=5)
    env = gym.make(ENV_ID, num_tasks=50)
    for i in (0, 1, 500, 999):
        assert env.reset(seed=5 + i)[0] == observations[i]
    assert len(set(infos["task_id"])) == 50
    assert infos["task_id"][7] == single.find(infos["task_id"][7]).id


class TestReset:
    def test_default_mode_of_make_vec_is_native(self) -> None:
        envs = gym.make_vec(ENV_ID, num_envs=2, split="test", user="none")
        assert isinstance(envs, ToolUseVectorEnv)
        assert envs.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
        assert envs.reset(seed=3)[1]["task_id"][0].startswith("test-")

    @pytest.mark.parametrize("seed", [7, [3, 1, 2], [None, 4, None], np.int64(7)])
    def test_seeds(self, seed: Any) -> None:
        native, env = _native(), gym.make(ENV_ID)
        observations, _ = native.reset(seed=seed)
        seeds = [7, 8, 9] if not isinstance(seed, list) else seed
        for one, observation in zip(seeds, observations, strict=True):
            if one is not None:
                assert env.reset(seed=one)[0] == observation
        assert [s for s in native.np_random_seed if s in seeds] == [s for s in seeds if s]
        assert len(native.np_random) == 3

    def test_task_option(self) -> None:
        native = _native()
        _, infos = native.reset(options={"task": "train-5"})
        assert list(infos["task_id"]) == ["train-5"] * 3

    def test_mask_begins_some(self) -> None:
        native = _native()
        native.reset(seed=0)
        native.step(("Hello.", "Hello.", "Hello."))
        before = native.episodes
        options = {"reset_mask": np.array([False, True, False]), "task": 9}
        observations, infos = native.reset(options=options)
        assert "reset_mask" in options
        assert native.episodes[0] is before[0]
        assert native.episodes[2] is before[2]
        assert native.episodes[1].task.id == "train-9"
        assert observations == tuple(episode.observation for episode in native.episodes)
        assert list(infos["_task_id"]) == [False, True, False]
        assert list(infos["task_id"]) == [None, "train-9", None]
        assert list(infos["turn"]) == [0, 0, 0]

    @pytest.mark.parametrize(
        ("mask", "match"),
        [
            ([True, False, True], "NumPy array of bool"),
            (np.array([1, 0, 1]), r"int64 \(3,\)"),
            (np.array([True]), r"bool \(1,\)"),
            (np.zeros(3, dtype=bool), "true somewhere"),
        ],
    )
    def test_wrong_mask(self, mask: Any, match: str) -> None:
        native = _native()
        native.reset(seed=0)
        with pytest.raises(sca_envs.OptionError, match=match):
            native.reset(options={"reset_mask": mask})

    @pytest.mark.parametrize(
        ("wrong", "error"),
        [
            ({"seed": [1, 2]}, sca_envs.OptionError),
            ({"options": {"tsk": 1}}, sca_envs.OptionError),
            ({"options": {"task": "train-x"}}, sca_envs.UnknownTaskError),
        ],
    )
    def test_a_wrong_reset_leaves_the_episodes(
        self, wrong: dict[str, Any], error: type[Exception]
    ) -> None:
        native = _native()
        native.reset(seed=0)
        before = native.episodes
        with pytest.raises(error):
            native.reset(**wrong)
        assert native.episodes == before

    def test_is_needed_first(self) -> None:
        native = _native()
        for use in (
            lambda: native.step(("a", "b", "c")),
            lambda: native.episodes,
            native.snapshot,
            lambda: native.reset(options={"reset_mask": np.ones(3, dtype=bool)}),
        ):
            with pytest.raises(ResetNeeded):
                use()


class TestStep:
    @pytest.mark.parametrize(
        ("actions", "error", "match"),
        [
            (("a", "b"), sca_envs.OptionError, "Expected 3 actions, got 2"),
            (("a", "b", 3), TypeError, "got int for episode 2"),
            (("a", None, "c"), TypeError, "got NoneType for episode 1"),
            ("abc", TypeError, "got one str"),
        ],
    )
    def test_wrong_actions_leave_the_episodes(
        self, actions: Any, error: type[Exception], match: str
    ) -> None:
        native = _native()
        native.reset(seed=0)
        with pytest.raises(error, match=match):
            native.step(actions)
        assert [episode.turn for episode in native.episodes] == [0, 0, 0]

    def test_array_of_actions(self) -> None:
        native = _native()
        native.reset(seed=0)
        native.step(np.array(["Hello."] * 3, dtype=object))  # type: ignore[arg-type]
        assert [episode.turn for episode in native.episodes] == [1, 1, 1]

    def test_action_after_the_end_is_ignored(self) -> None:
        native = _native(max_turns=1)
        native.reset(seed=0)
        assert native.step(("a", "b", "c"))[3].all()
        observations, rewards, _, truncated, infos = native.step((None,) * 3)  # type: ignore[arg-type]
        assert not truncated.any()
        assert list(infos["turn"]) == list(rewards) == [0, 0, 0]
        assert observations == tuple(episode.opening for episode in native.episodes)

    def test_disabled_mode_wants_a_reset(self) -> None:
        native = _native(max_turns=1, autoreset_mode="Disabled")
        native.reset(seed=0)
        native.step(("a", "b", "c"))
        with pytest.raises(ResetNeeded, match=r"reset_mask.*0, 1, 2"):
            native.step(("a", "b", "c"))

    def test_infos_are_fresh(self) -> None:
        native = _native()
        native.reset(seed=0)
        infos = native.step(("a", "b", "c"))[4]
        with pytest.raises(TypeError, match=r"copy\.deepcopy"):
            infos["tools"][0].clear()
        for key in ("tools", "turn", "policy"):
            infos[key][:] = 9
            infos[f"_{key}"][:] = False
        infos = native.step(("a", "b", "c"))[4]
        assert [len(tools) for tools in infos["tools"]] == [16] * 3
        assert list(infos["turn"]) == [2, 2, 2]
        assert infos["_turn"].all()
        assert infos["_tools"].all()

    def test_action_space_samples_the_tools_at_hand(self) -> None:
        native = _native("sca/M3Calculation-v0", num_envs=12)
        native.reset(seed=0)
        assert len({episode.domain.name for episode in native.episodes}) == 4
        native.action_space.seed(0)
        for action, episode in zip(native.action_space.sample(), native.episodes, strict=True):
            assert json.loads(action)["name"] in episode.domain.tools


def test_code_actions_equal_sync() -> None:
    options: dict[str, Any] = {"action_format": "python", "max_turns": 3}
    native = _native(num_envs=2, **options)
    sync = _sync(ENV_ID, 2, AutoresetMode.NEXT_STEP, **options)
    assert plain(native.reset(seed=0)) == plain(sync.reset(seed=0))
    for code in ("x = 1\nprint(x)", "print(x + 1)", "print(list_all_product_types())", "", "1/0"):
        actions = (f"```python\n{code}\n```", "Hello.")
        assert plain(native.step(actions)) == plain(sync.step(actions))


class _Counting:
    def __init__(self) -> None:
        self.heard = 0

    def reset(self, task: sca_envs.Task, seed: int) -> str:
        return f"{task.id} {seed}"

    def respond(self, message: str) -> UserTurn:
        self.heard += 1
        return UserTurn(str(self.heard))


class TestOptions:
    def test_every_episode_has_its_user(self) -> None:
        native, sync = _native(user=_Counting), _sync(ENV_ID, 3, MODES[0], user=_Counting)
        assert plain(native.reset(seed=1)) == plain(sync.reset(seed=1))
        assert native.step(("a", "b", "c"))[0] == ("1", "1", "1")

    def test_no_shared_user(self) -> None:
        with pytest.raises(sca_envs.OptionError, match="3 episodes cannot share a user"):
            _native(user=_Counting())
        _native(user=_Counting(), num_envs=1).reset()

    @pytest.mark.parametrize(
        ("options", "match"),
        [
            ({"num_envs": 0}, "integer from 1"),
            ({"autoreset_mode": "next"}, "'NextStep', 'SameStep', 'Disabled'"),
            ({"split": "dev"}, "one of train, test"),
            ({"render_mode": "rgb_array"}, "ansi, human or None"),
        ],
    )
    def test_wrong_option(self, options: dict[str, Any], match: str) -> None:
        with pytest.raises(sca_envs.OptionError, match=match):
            _native(**options)

    def test_spec_makes_it_again(self) -> None:
        native = _native(split="test", autoreset_mode="SameStep")
        assert native.spec is not None
        again = gym.make_vec(native.spec)
        assert isinstance(again, ToolUseVectorEnv)
        assert again.num_envs == 3
        assert again.metadata == native.metadata
        assert again.reset(seed=4)[0] == native.reset(seed=4)[0]

    def test_unknown_entry_point(self) -> None:
        with pytest.raises(AttributeError, match="sca/Nothing-v0"):
            gym.envs.registration.load_env_creator("sca_envs.envs.vector:sca/Nothing-v0")


class TestStates:
    def test_snapshot_and_fork(self) -> None:
        native = _native(max_turns=3)
        native.reset(seed=2)
        native.step(("Hello.",) * 3)
        before = native.snapshot()
        fork = native.fork()
        expected = [plain(native.step(("Go on.",) * 3)) for _ in range(5)]
        assert [plain(fork.step(("Go on.",) * 3)) for _ in range(5)] == expected
        assert fork.snapshot() == native.snapshot() != before
        native.restore(before)
        assert native.snapshot() == before
        assert [plain(native.step(("Go on.",) * 3)) for _ in range(5)] == expected

    def test_pickling(self) -> None:
        native = _native("sca/M3Calculation-v0")
        native.reset(seed=2)
        copied = pickle.loads(pickle.dumps(native))
        assert copied.snapshot() == native.snapshot()
        for _ in range(3):
            actions = native.action_space.sample()
            assert actions == copied.action_space.sample()
            assert plain(copied.step(actions)) == plain(native.step(actions))


class TestRendering:
    def test_ansi(self) -> None:
        native = _native(render_mode="ansi")
        observations, _ = native.reset(seed=0)
        pages = native.render()
        assert all(text in page for text, page in zip(observations, pages, strict=True))

    def test_human(self, capsys: pytest.CaptureFixture[str]) -> None:
        native = _native(render_mode="human", max_turns=1, autoreset_mode="SameStep")
        native.reset(seed=0)
        native.step(("Hello from me.", "a", "b"))
        assert "Hello from me." in capsys.readouterr().out
        assert native.render() == (None, None, None)


def test_vector_wrappers_of_gymnasium() -> None:
    envs: VectorEnv[Any, Any, Any] = _native(max_turns=2, autoreset_mode="SameStep")
    envs = gym.wrappers.vector.RecordEpisodeStatistics(envs)
    envs = gym.wrappers.vector.DictInfoToList(envs)
    envs.reset(seed=0)
    envs.step(("a",) * 3)
    *_, infos = envs.step(("a",) * 3)
    assert [info["final_info"]["termination_reason"] for info in infos] == ["max_turns"] * 3  # type: ignore[index]
