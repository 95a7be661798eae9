"""The retail tools and rewards against what was recorded from the originals."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from sca_envs.core.actions import Reply
from sca_envs.core.database import Change
from sca_envs.core.domain import Domain
from sca_envs.core.episode import Episode
from sca_envs.core.task import Task, TaskSet
from sca_envs.core.users import ScriptedUser, User
from sca_envs.domains import domain

DOING_NOTHING_IS_RIGHT = {
    "test": ["10", "12", "25", "50", "57", "65", "106"],
    "train": ["161", "214", "229", "288", "349"],
    "dev": ["17"],
}


@pytest.fixture
def original(tau_bench: Path) -> Domain:
    return domain("tau_retail", "tau-bench")


def _shortened(text: str, recorded: object) -> object:
    """Long observations were recorded as the beginning of their sha256."""
    if isinstance(recorded, dict):
        return {"sha256": hashlib.sha256(text.encode()).hexdigest()[:16]}
    return text


def test_golden_sequences(original: Domain, tau_bench: Path) -> None:
    lines = (tau_bench / "golden" / "retail.jsonl").read_text().splitlines()
    assert len(lines) == 120
    for line in lines:
        sequence = json.loads(line)
        db = original.database()
        for name, arguments, recorded in sequence["calls"]:
            observation = original.call(db, name, arguments)
            assert _shortened(observation, recorded) == recorded, (sequence["seq"], name, arguments)
        assert db.digest() == sequence["final_state_sha256"], sequence["seq"]


def _is_schema_valid(original: Domain, name: str, arguments: dict[str, object]) -> bool:
    if name not in original.tools:
        return False
    properties = original.tools[name].parameters["properties"]
    kinds = {"string": str, "array": list}
    return arguments.keys() == properties.keys() and all(
        isinstance(value, kinds[properties[key]["type"]]) for key, value in arguments.items()
    )


def _as_recorded(change: Change) -> list[object]:
    if change.kind == "add":
        return [change.path, "ADD", change.after]
    return [change.path, change.before, change.after]


def test_quirks(original: Domain, tau_bench: Path) -> None:
    quirks = json.loads((tau_bench / "golden" / "quirks.json").read_text())
    quirks = [quirk for quirk in quirks if quirk["domain"] == "retail"]
    assert len(quirks) > 60
    compared = 0
    for quirk in quirks:
        db = original.database()
        for (name, arguments), recorded in zip(quirk["calls"], quirk["obs"], strict=True):
            observation = original.call(db, name, arguments)
            if _is_schema_valid(original, name, arguments):
                assert observation == recorded, quirk["note"]
                compared += 1
            else:
                assert observation.startswith("Error: "), quirk["note"]
        changes = sorted(map(_as_recorded, db.diff()), key=str)
        assert changes == sorted(quirk["diff"], key=str), quirk["note"]
    assert compared > 55


def _tasks(found: Domain, split: str) -> TaskSet:
    tasks = found.tasks(split)
    assert isinstance(tasks, TaskSet)
    return tasks


def _replay(found: Domain, task: Task, user: User | None) -> float:
    episode = Episode(found, task, user)
    for action in task.actions:
        reward = episode.step(action.to_call()).reward
        if episode.done:
            return reward
    while not episode.done:
        reward = episode.step(Reply("Done: " + ", ".join(task.outputs))).reward
    return reward


@pytest.mark.parametrize(("split", "size"), [("test", 115), ("train", 500), ("dev", 20)])
def test_tau_bench_tasks(original: Domain, split: str, size: int) -> None:
    tasks = _tasks(original, split)
    assert len(tasks) == size
    assert [task.id for task in tasks] == [str(i) for i in range(size)]
    for task in tasks:
        assert _replay(original, task, None) == 1, task.id
        assert _replay(original, task, ScriptedUser()) == 1, task.id
    passive = [t.id for t in tasks if Episode(original, t).step(Reply("")).reward == 1]
    assert passive == DOING_NOTHING_IS_RIGHT[split]


def test_required_outputs_are_needed(original: Domain) -> None:
    for task in _tasks(original, "test"):
        episode = Episode(original, task)
        for action in task.actions:
            if not episode.done:
                episode.step(action.to_call())
        if task.outputs and not episode.done:
            assert episode.step(Reply("Done.")).reward == 0, task.id
            assert episode.components == {"database": 1.0, "outputs": 0.0}


def test_clean_split_leaves_out_audited_tasks(original: Domain) -> None:
    clean = _tasks(original, "test-clean")
    flagged = [task.id for task in _tasks(original, "test") if task.audit]
    assert len(clean) + len(flagged) == 115
    assert {"12", "18", "34", "95", "105"} <= set(flagged)
    assert not any(task.audit for task in clean)
    assert clean.find(11).id == "11"


def test_policy_and_texts_are_the_originals_only_with_its_data(
    original: Domain, retail: Domain
) -> None:
    assert original.policy != retail.policy
    assert set(original.tools) == set(retail.tools)
    assert len(original.tools) == 16


def test_schemas_take_the_same_arguments(original: Domain, tau_bench: Path) -> None:
    recorded = json.loads((tau_bench / "golden" / "tools_info_retail.json").read_text())
    assert [tool["function"]["name"] for tool in recorded] == list(original.tools)
    for tool in recorded:
        theirs, ours = tool["function"], original.tools[tool["function"]["name"]]
        assert theirs["description"] != ours.description
        assert theirs["parameters"]["required"] == ours.parameters["required"]
        for name, schema in theirs["parameters"]["properties"].items():
            mine = ours.parameters["properties"][name]
            assert mine.get("enum") == schema.get("enum")
            assert mine["type"] == schema["type"]


def test_tau2_tasks(tau2: Path) -> None:
    found = domain("tau_retail", "tau2")
    train, test = _tasks(found, "train"), _tasks(found, "test")
    assert (len(train), len(test)) == (74, 40)
    assert not {task.id for task in train} & {task.id for task in test}
    judged = [task.id for task in (*train, *test) if task.judge]
    assert len(judged) == 8
    for task in (*train, *test):
        assert _replay(found, task, None) == 1, task.id
        assert _replay(found, task, ScriptedUser()) == 1, task.id


def test_tau2_tools_differ_where_tau2_does(original: Domain, tau2: Path) -> None:
    """An order whose items were modified counts as pending for its address in tau2 alone."""
    v1, v2 = original, domain("tau_retail", "tau2")
    assert "think" not in v2.tools
    address = dict.fromkeys(("address1", "address2", "city", "state", "country", "zip"), "x")
    swap = {
        "order_id": "#W5918442",
        "item_ids": ["1725100896", "5312063289"],
        "new_item_ids": ["9007697085", "6843647669"],
        "payment_method_id": "credit_card_5051208",
    }
    moves, prices = {}, {}
    for found in (v1, v2):
        db = found.database()
        order = json.loads(found.call(db, "modify_pending_order_items", swap))
        prices[found.data] = [item["price"] for item in order["items"][:2]]
        moves[found.data] = found.call(
            db, "modify_pending_order_address", {"order_id": "#W5918442", **address}
        )
    assert moves["tau-bench"] == "Error: non-pending order cannot be modified"
    assert json.loads(moves["tau2"])["address"] == address
    assert prices["tau-bench"][0] != prices["tau-bench"][1]
    assert prices["tau2"] == [prices["tau-bench"][1]] * 2
