"""The generated store and its tasks."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from sca_envs.core.actions import Reply, ToolCall
from sca_envs.core.domain import Domain
from sca_envs.core.episode import Episode
from sca_envs.core.task import Task
from sca_envs.core.users import ScriptedUser, User
from sca_envs.domains import domain
from sca_envs.domains.tau_retail import world


@pytest.fixture(scope="module")
def tasks(retail: Domain) -> list[Task]:
    train, test = retail.tasks("train"), retail.tasks("test")
    return [train[i] for i in range(2000)] + [test[i] for i in range(500)]


def _play(found: Domain, task: Task, user: User, replies: Sequence[str]) -> Episode:
    """Replay the reference, then say the replies, the last one until the user stops."""
    episode = Episode(found, task, user)
    for action in task.actions:
        observation = episode.step(action.to_call()).observation
        assert not observation.startswith("Error"), (task.id, action, observation)
    said = iter(replies)
    while not episode.done:
        episode.step(Reply(next(said, replies[-1])))
    return episode


def _worth(episode: Episode) -> float:
    return episode.verifier.verify(episode).reward


class TestWorld:
    @pytest.mark.parametrize("seed", [0, 1])
    def test_schema_size_and_consistency(self, seed: int) -> None:
        tables = world.build(seed)
        users, products, orders = tables["users"], tables["products"], tables["orders"]
        assert [len(users), len(products), len(orders)] == [500, 50, 1000]
        variants = {
            item_id: (product, variant)
            for product in products.values()
            for item_id, variant in product["variants"].items()
        }
        assert len(variants) == sum(len(product["variants"]) for product in products.values())
        for order_id, order in orders.items():
            user = users[order["user_id"]]
            assert order_id in user["orders"]
            assert order["payment_history"][0]["payment_method_id"] in user["payment_methods"]
            total = round(sum(item["price"] for item in order["items"]), 2)
            assert order["payment_history"][0]["amount"] == total
            for item in order["items"]:
                product, variant = variants[item["item_id"]]
                assert item["product_id"] == product["product_id"]
                assert (item["price"], item["options"]) == (variant["price"], variant["options"])
            assert bool(order["fulfillments"]) == (order["status"] != "pending")
            assert (len(order["payment_history"]) == 2) == (order["status"] == "cancelled")
        assert sorted(o for user in users.values() for o in user["orders"]) == sorted(orders)
        assert len({user["email"] for user in users.values()}) == 500
        statuses = Counter(order["status"] for order in orders.values())
        assert statuses["pending"] > 350 < 30 + statuses["delivered"]
        assert min(statuses["processed"], statuses["cancelled"]) > 60

    def test_key_order_is_the_originals(self, tau_bench: object) -> None:
        """The order of keys shows in observations."""
        ours, theirs = (
            domain("tau_retail").base.tables,
            domain("tau_retail", "tau-bench").base.tables,
        )
        for table in theirs:
            mine, other = (next(iter(tables[table].values())) for tables in (ours, theirs))
            assert list(mine) == list(other)
        mine, other = (next(iter(tables["users"].values())) for tables in (ours, theirs))
        assert list(mine["address"]) == list(other["address"])

    def test_seeds_differ_and_repeat(self) -> None:
        assert world.build(3) == world.build(3)
        assert world.build(3) != world.build(4)

    def test_nothing_is_the_originals(self, tau_bench: object) -> None:
        ours, theirs = domain("tau_retail"), domain("tau_retail", "tau-bench")
        names = {
            found.data: {product["name"] for product in found.base.tables["products"].values()}
            for found in (ours, theirs)
        }
        assert not names[ours.data] & names[theirs.data]
        assert not set(ours.base.tables["users"]) & set(theirs.base.tables["users"])


class TestTasks:
    def test_reference_scores_1_through_the_scripted_user(
        self, retail: Domain, tasks: list[Task]
    ) -> None:
        for task in tasks:
            done = f"Everything has been done. {' '.join(task.outputs)}"
            assert _worth(_play(retail, task, ScriptedUser(), [done])) == 1, task.id

    def test_random_policy_scores_under_2_percent(self, retail: Domain, tasks: list[Task]) -> None:
        rng, solved = np.random.default_rng(0), 0
        for task in tasks[:1000]:
            episode = Episode(retail, task, ScriptedUser())
            while not episode.done:
                reward = episode.step(ToolCall(*retail.sample_call(rng))).reward
            solved += reward == 1
        assert solved < 0.02 * 1000

    def test_no_two_are_equal(self, tasks: list[Task]) -> None:
        assert len({task.instruction for task in tasks}) == len(tasks)
        solutions = Counter(
            json.dumps([task.model_dump()["actions"], task.outputs]) for task in tasks
        )
        # A short question of the same customer may come again in other words, but rarely.
        assert len(solutions) > 0.98 * len(tasks)

    def test_splits_have_no_customer_in_common(self, tasks: list[Task]) -> None:
        customers: dict[str, set[str]] = {"train": set(), "test": set()}
        for task in tasks:
            customers[task.split].add(task.actions[1].arguments["user_id"])
        assert not customers["train"] & customers["test"]

    def test_every_kind_of_tool_and_difficulty_occurs(self, tasks: list[Task]) -> None:
        assert {action.name for task in tasks for action in task.actions} >= {
            "cancel_pending_order",
            "modify_pending_order_items",
            "modify_pending_order_address",
            "modify_pending_order_payment",
            "modify_user_address",
            "return_delivered_order_items",
            "exchange_delivered_order_items",
            "calculate",
            "find_user_id_by_name_zip",
        }
        requests = Counter(len(task.script.requests) for task in tasks if task.script)
        assert set(requests) == {1, 2, 3, 4}
        assert len({task.difficulty for task in tasks}) >= 8
        assert sum(bool(task.outputs) for task in tasks) > 0.3 * len(tasks)

    def test_index_is_the_same_in_any_order(self, retail: Domain, tasks: list[Task]) -> None:
        fresh = domain("tau_retail").tasks("train").__reduce__()
        source = fresh[0](*fresh[1])  # type: ignore[index]
        for index in random.Random(0).sample(range(2000), 50):
            assert source[index] == tasks[index]
