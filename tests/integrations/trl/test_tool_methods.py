"""The generated classes, played as TRL plays them, without TRL and without torch."""

from __future__ import annotations

import inspect
import sys
import typing
from typing import Any

import pytest

import sca_envs
from sca_envs import OptionError, SCAError
from sca_envs.core.task import Task
from sca_envs.integrations.trl import Spec, join, verdict

RETAIL = "sca/TauRetail-v0"
TRADE = "sca/M3TradeCalculator-v0"


def _tools(rollout: Any) -> dict[str, Any]:
    """Return what TRL takes for tools, found as it finds them."""
    members = inspect.getmembers(type(rollout), inspect.isfunction)
    public = (name for name, _ in members if not name.startswith("_"))
    return {name: getattr(rollout, name) for name in public if name not in ("reset", "get_reward")}


def _begin(spec: Spec, index: int = 0) -> tuple[Any, dict[str, Any], str]:
    row = spec.rows(False)[index]
    factory: Any = spec.environment_factory
    rollout = factory()
    return rollout, _tools(rollout), rollout.reset(**row)


def _score(rollout: Any, text: str = "") -> tuple[list[float | None], dict[str, float]]:
    logged: dict[str, float] = {}
    said = [{"role": "assistant", "content": text}]
    rewards = verdict(
        completions=[said],
        environments=[rollout],
        log_metric=logged.__setitem__,
        log_extra=lambda name, values: None,
        prompts=[],
    )
    return rewards, logged


def _task(spec: Spec, index: int = 0) -> Task:
    return spec._tasks[index]


@pytest.mark.parametrize("env_id", [RETAIL, "sca/TauAirline-v0", TRADE, "sca/M3WebBrowsing-v0"])
def test_each_tool_is_a_documented_method(env_id: str) -> None:
    spec = Spec(env_id, num_tasks=2)
    rollout, tools, _ = _begin(spec)
    domain = rollout._episode.domain
    said = {"answer"} if env_id.startswith("sca/M3") else {"respond"}
    assert set(tools) == set(domain.tools) | said
    for name, method in tools.items():
        hints = typing.get_type_hints(method)
        parameters = inspect.signature(method).parameters
        assert hints.keys() - {"return"} == parameters.keys()
        assert method.__doc__.strip()
        for parameter in parameters:
            assert f"\n    {parameter}: " in method.__doc__
        if name in domain.tools:
            required = domain.tools[name].parameters["required"]
            empty = inspect.Parameter.empty
            assert [p.name for p in parameters.values() if p.default is empty] == required


@pytest.mark.parametrize("env_id", [RETAIL, "sca/TauAirline-v0", TRADE, "sca/M3TravelPlanning-v0"])
def test_schemas_survive_the_way_through_functions(env_id: str) -> None:
    utils = pytest.importorskip("transformers.utils", reason="needs transformers")
    rollout, tools, _ = _begin(Spec(env_id, num_tasks=1))
    for tool in rollout._episode.domain.tools.values():
        ours, theirs = tool.schema["function"], utils.get_json_schema(tools[tool.name])["function"]
        assert theirs["name"] == ours["name"]
        assert theirs["description"] == ours["description"]
        properties = theirs["parameters"]["properties"]
        assert properties.keys() == ours["parameters"]["properties"].keys()
        assert theirs["parameters"].get("required", []) == ours["parameters"]["required"]
        for name, schema in ours["parameters"]["properties"].items():
            assert properties[name]["description"].startswith(schema["description"].rstrip("."))
            assert properties[name].get("enum") == schema.get("enum")
            if "type" in schema:
                assert properties[name]["type"] == schema["type"]
            if nested := schema.get("items", {}).get("properties"):
                assert all(field in properties[name]["description"] for field in nested)


def test_reference_solution_scores_one() -> None:
    spec = Spec(TRADE, num_tasks=3)
    for index in range(3):
        rollout, tools, opening = _begin(spec, index)
        task = _task(spec, index)
        assert opening == task.instruction
        for action in task.actions:
            assert not tools[action.name](**action.arguments).startswith("Error")
        assert task.expected
        assert "over (answered)" in tools["answer"](content=task.expected.text)
        rewards, logged = _score(rollout)
        assert rewards == [1.0]
        assert logged["sca/success"] == 1
        assert logged["sca/turns"] == len(task.actions) + 1
        assert logged["sca/malformed"] == logged["sca/refused_calls"] == 0


def test_talking_is_a_method_and_ends_the_episode() -> None:
    spec = Spec(RETAIL, num_tasks=1)
    rollout, tools, opening = _begin(spec)
    assert opening == rollout._episode.opening
    for action in _task(spec).actions:
        tools[action.name](**action.arguments)
    said = ""
    for _ in range(8):  # a request after the other is reported done
        said = tools["respond"](content=" ".join(["It has been done.", *_task(spec).outputs]))
        if "The episode is over (user_stop)" in said:
            break
    else:
        pytest.fail(said)
    rewards, logged = _score(rollout)
    assert rewards == [1.0]
    assert {name for name in logged if name.startswith("sca/components/")}


def test_last_plain_words_are_a_reply() -> None:
    spec = Spec(RETAIL, num_tasks=1, user="none")
    rollout, tools, _ = _begin(spec)
    task = _task(spec)
    for action in task.actions:
        tools[action.name](**action.arguments)
    rewards, logged = _score(rollout, " ".join(["Done.", *task.outputs]))
    assert rewards == [1.0]
    assert logged["sca/unfinished"] == 0


def test_silence_is_not_finished() -> None:
    rollout, _, _ = _begin(Spec(RETAIL, num_tasks=1))
    rewards, logged = _score(rollout, "")
    assert rewards == [0.0]
    assert logged["sca/unfinished"] == 1
    assert logged["sca/turns"] == 0


def test_wrong_calls_are_answered_and_counted() -> None:
    rollout, tools, _ = _begin(Spec(RETAIL, num_tasks=1))
    assert "'order_id' is missing" in tools["get_order_details"](order="#W1")
    assert "got 7" in tools["get_order_details"](order_id=7)
    assert "expected one, 'content'" in tools["respond"](text="Hello")
    assert "Expected JSON" in tools["calculate"](_malformed=["{", "Expected JSON"])
    assert "unknown tool 'fly'" in tools["respond"](_unknown=["fly", {"to": "Rome"}])
    _, logged = _score(rollout)
    assert logged["sca/turns"] == 5
    assert logged["sca/malformed"] == 2
    assert logged["sca/refused_calls"] == 3


def test_after_the_end_it_says_so_and_nothing_happens() -> None:
    rollout, tools, _ = _begin(Spec(RETAIL, num_tasks=1, max_turns=2))
    tools["list_all_product_types"]()
    assert "The episode is over (max_turns)" in tools["list_all_product_types"]()
    for _ in range(3):
        assert tools["list_all_product_types"]().startswith("Error: The episode is over")
    rewards, logged = _score(rollout, "Goodbye")
    assert rewards == [0.0]
    assert logged["sca/turns"] == 2
    assert logged["sca/calls_after_end"] == 3
    assert logged["sca/truncated"] == 1


def test_members_of_a_group_have_one_task() -> None:
    spec = Spec(RETAIL, num_tasks=4, seed=5)
    factory: Any = spec.environment_factory
    for row in spec.rows(False):
        group = [factory() for _ in range(3)]
        assert len({member.reset(**row) for member in group}) == 1
        assert {member._episode.task.id for member in group} == {row["task_id"]}
        databases = {id(member._episode.database) for member in group}
        assert len(databases) == 3
    assert len({row["task_id"] for row in spec.rows(False)}) == 4


def test_equals_the_gymnasium_environment() -> None:
    import gymnasium as gym

    spec = Spec(RETAIL, num_tasks=3, seed=5)
    env = gym.make(RETAIL, split="train")
    for index, row in enumerate(spec.rows(False)):
        _, _, opening = _begin(spec, index)
        assert opening == env.reset(seed=row["seed"], options={"task": row["task_id"]})[0]


def test_failing_user_is_not_the_models_fault() -> None:
    class Broken:
        def reset(self, task: Task, seed: int) -> str:
            if seed % 2:
                raise sca_envs.UserError("no line")
            return "Hello"

        def respond(self, message: str) -> sca_envs.UserTurn:
            raise sca_envs.UserError("no line")

    factory: Any = Spec(RETAIL, num_tasks=1, user=Broken).environment_factory
    for seed in (0, 1):
        rollout = factory()
        rollout.reset(seed=seed)
        _tools(rollout)["respond"](content="Hello")
        rewards, logged = _score(rollout)
        assert rewards == [None]
        assert logged["sca/excluded"] == 1


def test_an_environment_of_several_domains_has_a_class_for_each() -> None:
    spec = Spec("sca/M3Calculation-v0", num_tasks=8)
    factories = spec.environment_factory
    assert isinstance(factories, dict)
    labels = {row["environment"] for row in spec.rows(True)}
    assert labels == factories.keys()
    assert "sca/M3Calculation-v0:dna_sequencer" in labels
    for row in spec.rows(True):
        rollout = factories[row["environment"]]()
        rollout.reset(**row)
        assert set(_tools(rollout)) == {*rollout._episode.domain.tools, "answer"}


def test_join() -> None:
    joined = join(Spec(RETAIL, num_tasks=2), Spec(TRADE, num_tasks=3))
    assert joined.environment_factory.keys() == {RETAIL, TRADE}
    rollouts: list[Any] = [factory() for factory in joined.environment_factory.values()]
    for rollout in rollouts:
        rollout.reset()
    logged: dict[str, float] = {}
    verdict(completions=[[], []], environments=rollouts, log_metric=logged.__setitem__)
    assert {f"sca/success/{RETAIL}", f"sca/success/{TRADE}"} <= logged.keys()


def test_join_refuses() -> None:
    with pytest.raises(OptionError, match="of different environments"):
        join(Spec(TRADE, num_tasks=1), Spec(TRADE, num_tasks=1))
    with pytest.raises(OptionError, match="none"):
        join()


def test_code_as_tasks_have_an_answer() -> None:
    spec = Spec("sca/CodeAsTask-v0", domain="trade_calculator", num_tasks=1)
    rollout, tools, _ = _begin(spec)
    assert "answer" in tools
    assert "respond" not in tools
    tools["answer"](content="no idea")
    assert _score(rollout)[0] == [0.0]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"env_id": "sca/Nope-v0"}, "Expected an environment's id"),
        ({"env_id": "sca/TauRetailChallenger-v0"}, "with tasks to solve"),
        ({"mode": "chat"}, "Expected mode to be tools or dialogue; got 'chat'"),
        ({"mode": "dialogue"}, "Expected an agent in mode 'dialogue'"),
        ({"num_tasks": 0}, "Expected num_tasks to be an integer from 1; got 0"),
        ({"split": "dev"}, "Expected split to be one of train, test"),
    ],
)
def test_wrong_options(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(OptionError, match=problem):
        Spec(**{"env_id": RETAIL} | options)


def test_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(SCAError, match=r"pip install 'sca-envs\[trl\]'"):
        _ = Spec(TRADE, num_tasks=1).train_dataset
