"""The generated airline and its tasks."""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from sca_envs.core.actions import Reply, ToolCall
from sca_envs.core.domain import Domain
from sca_envs.core.episode import Episode
from sca_envs.core.task import Task
from sca_envs.core.users import ScriptedUser, User
from sca_envs.domains import domain
from sca_envs.domains.tau_airline import world

TRAIN, TEST = 2000, 500
CHANGES = {
    "book_reservation",
    "cancel_reservation",
    "send_certificate",
    "update_reservation_baggages",
    "update_reservation_flights",
    "update_reservation_passengers",
}
"""The tools that write."""


@pytest.fixture(scope="module")
def airline() -> Domain:
    return domain("tau_airline")


@pytest.fixture(scope="module")
def tasks(airline: Domain) -> list[Task]:
    train, test = airline.tasks("train"), airline.tasks("test")
    return [train[i] for i in range(TRAIN)] + [test[i] for i in range(TEST)]


def _play(found: Domain, task: Task, user: User) -> Episode:
    """Replay the reference and report it until the user stops."""
    episode = Episode(found, task, user)
    for action in task.actions:
        observation = episode.step(action.to_call()).observation
        assert not observation.startswith("Error"), (task.id, action, observation)
    while not episode.done:
        episode.step(Reply(f"Everything has been done. {' '.join(task.outputs)}"))
    return episode


def _worth(episode: Episode) -> float:
    return episode.verifier.verify(episode).reward


class TestWorld:
    @pytest.mark.parametrize("seed", [0, 1])
    def test_size_and_counts(self, seed: int) -> None:
        flights, reservations, users = world.build(seed).values()
        assert [len(flights), len(reservations), len(users)] == [300, 2000, 500]
        days = [day for flight in flights.values() for day in flight["dates"].values()]
        statuses = Counter(day["status"] for day in days)
        assert len(days) == 9000
        assert statuses["available"] == 4500
        assert 300 < statuses["cancelled"] < 450
        assert min(statuses[kind] for kind in ("on time", "flying", "delayed")) > 20
        assert (
            len({(flight["origin"], flight["destination"]) for flight in flights.values()}) == 108
        )
        members = Counter(user["membership"] for user in users.values())
        assert min(members.values()) > 100
        sources = Counter(
            m["source"] for u in users.values() for m in u["payment_methods"].values()
        )
        assert min(sources.values()) > 400

    @pytest.mark.parametrize("seed", [0, 1])
    def test_reservations_are_consistent(self, seed: int) -> None:
        _, reservations, users = world.build(seed).values()
        assert sorted(r for user in users.values() for r in user["reservations"]) == sorted(
            reservations
        )
        for key, reservation in reservations.items():
            user = users[reservation["user_id"]]
            assert key in user["reservations"]
            (payment,) = reservation["payment_history"]
            assert user["payment_methods"][payment["payment_id"]]["source"] != "certificate"
            travelers = len(reservation["passengers"])
            total = sum(flight["price"] for flight in reservation["flights"]) * travelers
            total += 30 * travelers * (reservation["insurance"] == "yes")
            assert payment["amount"] == total
            assert reservation["created_at"] < min(
                "2024-05-15T15:00:00", reservation["flights"][0]["date"]
            )

    @pytest.mark.parametrize("seed", [0, 1])
    def test_trips_lead_where_they_say(self, seed: int) -> None:
        tables = world.build(seed)
        flights = tables["flights"]
        for reservation in tables["reservations"].values():
            legs = reservation["flights"]
            for leg in legs:
                flight = flights[leg["flight_number"]]
                assert (leg["origin"], leg["destination"]) == (
                    flight["origin"],
                    flight["destination"],
                )
                assert leg["date"] in flight["dates"]
            for before, after in pairwise(legs):
                assert before["destination"] == after["origin"]
                assert _moments(flights, before)[1] <= _moments(flights, after)[0]
            ends = legs[0]["origin"], legs[-1]["destination"]
            round_trip = reservation["flight_type"] == "round_trip"
            home = reservation["origin"] if round_trip else reservation["destination"]
            assert ends == (reservation["origin"], home)

    def test_key_order_is_the_originals(self, tau_bench: object) -> None:
        """The order of keys shows in observations."""
        ours = domain("tau_airline").base.tables
        theirs = domain("tau_airline", "tau-bench").base.tables
        assert list(ours) == list(theirs)
        for shape in (_record_keys, _status_keys, _method_keys):
            assert shape(ours) == shape(theirs)

    def test_nothing_is_the_originals(self, tau_bench: object) -> None:
        ours = domain("tau_airline").base.tables
        theirs = domain("tau_airline", "tau-bench").base.tables
        for table in theirs:
            assert not set(ours[table]) & set(theirs[table])

    @pytest.mark.parametrize(
        ("seed", "digest"),
        [
            (0, "9a9fc2c62a5e3ed3e98cee171327aba157fa27046e42d54cb36aaf10e4db3b5b"),
            (3, "e305869ad4ca2e89e393f8db9f7296277a4266313b0a4699f387a334b511dab7"),
        ],
    )
    def test_stays_byte_for_byte(self, seed: int, digest: str) -> None:
        """Task files made on a generated world must run on it later, too."""
        text = json.dumps(world.build(seed))
        assert hashlib.sha256(text.encode()).hexdigest() == digest

    def test_seeds_differ_and_repeat(self) -> None:
        assert world.build(3) == world.build(3)
        assert world.build(3) != world.build(4)


def _moments(flights: dict[str, Any], leg: dict[str, Any]) -> tuple[float, float]:
    """Return when a flight leaves and arrives, in hours of the month."""
    flight, day = flights[leg["flight_number"]], 24 * int(leg["date"][-2:])
    departure = flight["scheduled_departure_time_est"]
    arrival = flight["scheduled_arrival_time_est"]
    later = 24 * arrival.endswith("+1")
    hours = [int(time[:2]) + int(time[3:5]) / 60 for time in (departure, arrival)]
    return day + hours[0], day + hours[1] + later


def _record_keys(tables: dict[str, Any]) -> list[list[str]]:
    firsts = [next(iter(table.values())) for table in tables.values()]
    reservation, user = firsts[1], firsts[2]
    nested = [reservation["flights"][0], reservation["passengers"][0], user["address"]]
    return [list(record) for record in [*firsts, *nested]]


def _status_keys(tables: dict[str, Any]) -> dict[str, list[str]]:
    days = (day for flight in tables["flights"].values() for day in flight["dates"].values())
    return {day["status"]: list(day) for day in days}


def _method_keys(tables: dict[str, Any]) -> dict[str, list[str]]:
    methods = (m for user in tables["users"].values() for m in user["payment_methods"].values())
    return {method["source"]: list(method) for method in methods}


class TestTasks:
    def test_reference_scores_1_through_the_scripted_user(
        self, airline: Domain, tasks: list[Task]
    ) -> None:
        for task in tasks:
            episode = _play(airline, task, ScriptedUser())
            assert (_worth(episode), episode.termination_reason) == (1, "user_stop"), task.id
            assert episode.turn <= 25, task.id

    def test_random_policy_scores_under_3_percent(self, airline: Domain, tasks: list[Task]) -> None:
        rng, solved = np.random.default_rng(0), 0
        for task in tasks:
            episode = Episode(airline, task, ScriptedUser())
            while not episode.done:
                reward = episode.step(ToolCall(*airline.sample_call(rng))).reward
            solved += reward == 1
        assert solved < 0.03 * len(tasks)

    def test_no_two_are_equal(self, tasks: list[Task]) -> None:
        assert len({task.instruction for task in tasks}) == len(tasks)
        solutions = Counter(json.dumps(task.model_dump()["actions"]) for task in tasks)
        # A short question of the same customer may come again in other words, but rarely.
        assert len(solutions) > 0.98 * len(tasks)

    def test_splits_have_no_customer_in_common(self, tasks: list[Task]) -> None:
        customers: dict[str, set[str]] = {"train": set(), "test": set()}
        for task in tasks:
            customers[task.split].add(task.actions[0].arguments["user_id"])
        assert not customers["train"] & customers["test"]

    def test_every_kind_of_tool_and_difficulty_occurs(
        self, airline: Domain, tasks: list[Task]
    ) -> None:
        used = {action.name for task in tasks for action in task.actions}
        assert used == set(airline.tools) - {
            "think",
            "calculate",
            "transfer_to_human_agents",
        }
        requests = Counter(len(task.script.requests) for task in tasks if task.script)
        assert set(requests) == {1, 2, 3, 4}
        assert len({task.difficulty for task in tasks}) >= 10
        assert sum(bool(task.outputs) for task in tasks) > 0.3 * len(tasks)

    def test_index_is_the_same_in_any_order(self, airline: Domain, tasks: list[Task]) -> None:
        fresh: Any = airline.tasks("train").__reduce__()
        source = fresh[0](*fresh[1])
        for index in random.Random(0).sample(range(TRAIN), 50):
            assert source[index] == tasks[index]
