"""The original M3ToolEval: recorded episodes, and a solution of every task."""

from __future__ import annotations

import ast
import json
import re
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest

import sca_envs
from sca_envs.core.formats import action_format
from sca_envs.envs.tool_use import ToolUseEnv

ENVIRONMENTS = {
    "message_decoder": "sca/M3MessageDecoder-v0",
    "cryptobotanists_plant_dna_sequencer": "sca/M3DnaSequencer-v0",
    "trade_calculator": "sca/M3TradeCalculator-v0",
    "travel_itinerary_planning": "sca/M3TravelPlanning-v0",
    "web_browsing": "sca/M3WebBrowsing-v0",
}


def _env(family: str, **options: Any) -> ToolUseEnv:
    env = gym.make(ENVIRONMENTS[family], data="m3tooleval", **options).unwrapped
    assert isinstance(env, ToolUseEnv)
    return env


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _golden(folder: Path) -> list[dict[str, Any]]:
    path = folder / "golden" / "episodes.jsonl"
    if not path.is_file():
        pytest.skip("needs the recorded episodes of M3ToolEval")
    return _lines(path)


def test_recorded_turns(m3tooleval: Path) -> None:
    envs = {
        (family, mode): _env(family, action_format=f"m3-{mode}", max_turns=100)
        for family in ENVIRONMENTS
        for mode in ("text", "json")
    }
    turns = 0
    for recorded in _golden(m3tooleval):
        env = envs[recorded["task"].partition("/")[0], recorded["mode"]]
        _, info = env.reset(options={"task": recorded["task"]})
        assert info["task_id"] == recorded["task"]
        for generation, expected in recorded["turns"]:
            observation, reward, terminated, *_ = env.step(generation)
            assert observation == expected, (recorded["task"], generation)
            assert (reward, terminated) == (0, False)
            turns += 1
    assert turns == 1654


def test_recorded_answers(m3tooleval: Path) -> None:
    domains = {f: _env(f).domain for f in ENVIRONMENTS}
    answers = 0
    for recorded in _golden(m3tooleval):
        domain = domains[recorded["task"].partition("/")[0]]
        task = domain.tasks("test").find(recorded["task"])
        for answer, accepted in recorded["answers"]:
            # As it was given to the original's check, that is, before the format strips blanks.
            outcome = sca_envs.Episode(domain, task).step(sca_envs.Answer(answer))
            assert (outcome.terminated, outcome.reward) == (accepted, float(accepted)), answer
            answers += 1
    assert answers == 1968


def test_expected_answers_are_frozen(m3tooleval: Path) -> None:
    rows = _lines(m3tooleval / "tasks.jsonl")
    assert len(rows) == 82
    for row in rows:
        task = _env(row["family"]).tasks.find(f"{row['family']}/{row['name']}")
        assert task.expected is not None
        assert (task.expected.literal, task.expected.type) == (
            row["expected_repr"],
            row["expected_type"],
        )
        assert type(task.expected.value).__name__ == row["expected_type"]
        assert task.instruction == row["instruction"]


def test_the_four_families_together(m3tooleval: Path) -> None:
    env = gym.make("sca/M3Calculation-v0", data="m3tooleval").unwrapped
    assert isinstance(env, ToolUseEnv)
    assert env.tasks.size == 48
    ids = {env.tasks[i].id for i in range(48)}
    assert len(ids) == 48
    with pytest.raises(IndexError):
        env.tasks[48]
    with pytest.raises(sca_envs.UnknownTaskError):
        env.reset(options={"task": "web_browsing/people_in_sales"})
    with pytest.raises(sca_envs.UnknownTaskError):
        env.reset(options={"task": 48})
    _, info = env.reset(options={"task": "travel_itinerary_planning/plan_trip_to_0"})
    names = [tool["function"]["name"] for tool in info["tools"]]
    assert names == ["find_flights", "book_hotel", "budget_calculator", "max", "min", "sum"]


# A solution of every task. Solvers read the task's own text, and see what an agent sees.


class Player:
    """Plays one episode, one call a turn."""

    def __init__(self, env: ToolUseEnv, task_id: str) -> None:
        self.env = env
        self.text, _ = env.reset(options={"task": task_id})
        self.name = task_id.partition("/")[2]

    def see(self, tool: str, *arguments: Any) -> str:
        text = action_format(self.env._format.name).render(sca_envs.PositionalCall(tool, arguments))
        observation, _, _, truncated, _ = self.env.step(text)
        assert not truncated
        # What code prints ends with a line break, which is no part of the value.
        return observation.rstrip("\n") if self.env._format.name == "m3-code" else observation

    def call(self, tool: str, *arguments: Any) -> Any:
        observation = self.see(tool, *arguments)
        try:
            return ast.literal_eval(observation)
        except (ValueError, SyntaxError):
            return observation

    def answer(self, value: Any) -> float:
        return float(self.env.step(f"Answer: {value}")[1])

    def numbers(self) -> list[float]:
        found = re.findall(r"\d+(?:\.\d+)?", self.text)
        return [float(text) if "." in text else int(text) for text in found]


def decode(player: Player) -> Any:
    codes = [code for code in re.findall(r"'([^' ]+)'", player.text) if len(code) > 4]
    shifts = [int(text) for text in re.findall(r"shifts? of (\d+)", player.text)]
    texts = [player.see("convert_hex_to_ascii", code) for code in codes]
    match player.name:
        case "shortest_caesar_decoded_message" | "longest_decoded_string":
            # Neither reversal nor cipher changes a length; all steps would take too many turns.
            return player.call("minimum_value", *[player.call("string_length", t) for t in texts])
        case "maximum_value_decoding":
            return player.call("maximum_value", *(int(text[::-1]) for text in texts))
        case "length_based_decoding_puzzle":
            plain = [player.see("caesar_decode", text, shifts[0]) for text in texts]
            return next(text for text in plain if len(text) == 5)
        case "hex_caesar_combined_decoding":
            return player.see("caesar_decode", texts[0], shifts[0])
    return player.see("caesar_decode", player.see("reverse_string", texts[0]), shifts[0])


def sequence(player: Player) -> Any:
    first, *others = re.findall(r"'([A-Z]{4,})'", player.text)

    def common(dna: str) -> tuple[str, int]:
        counts = player.call("count_nucleotides", dna)
        parts = [part for pair in counts.items() for part in pair]
        found: tuple[str, int] = player.call("find_max_nucleotide", *parts)
        return found

    def acids(dna: str) -> str:
        return player.see("translate_mrna_to_amino_acid", player.see("transcribe_dna_to_mrna", dna))

    match player.name:
        case "find_most_common_nucleotide_and_transcribe":
            return player.see("transcribe_dna_to_mrna", common(first)[0] * 3)
        case "validate_transcribe_translate":
            valid = player.call("is_valid_dna_sequence", first)
            return acids(first) if valid else re.findall(r"'([^']+)'", player.text)[-1]
        case "reverse_transcribe_count_max_nucleotide":
            return common(player.see("reverse_transcribe_mrna_to_dna", first))[0]
        case "transcribe_translate_amino_acid_length":
            return len(acids(first).split("-"))
        case "reverse_transcribe_palindrome_check":
            dna = player.see("reverse_transcribe_mrna_to_dna", first)
            return player.call("count_nucleotides", dna)
        case "validate_find_longest_valid_sequence":
            valid_ones = [s for s in (first, *others) if player.call("is_valid_dna_sequence", s)]
            return max(valid_ones, key=len)
        case "transcribe_translate_find_amino_acid":
            return "Methionine" in acids(first)
        case _:
            return common("".join((first, *others)))


def trade(player: Player) -> Any:
    n: Any = player.numbers()

    def value(price: float, rate: float, tariff: float) -> float:
        converted = player.call("convert_currency", price, rate)
        taxed = player.call("calculate_tariff", converted, tariff)
        result: float = player.call("estimate_final_value", converted, taxed)
        return result

    def best_of(prices_and_rates: Iterable[tuple[float, float]], tariff: float) -> float:
        """Convert by the tool; work out the tariff of the best one."""
        best = max(player.call("convert_currency", p, r) for p, r in prices_and_rates)
        taxed = player.call("calculate_tariff", best, tariff)
        result: float = player.call("estimate_final_value", best, taxed)
        return result

    plans: dict[str, Callable[[], Any]] = {
        "estimate_final_value": lambda: player.call(
            "estimate_final_value", n[0], player.call("calculate_tariff", n[0], n[1])
        ),
        "interstellar_trade_transaction": lambda: value(n[0] * n[1], n[2], n[3]),
        "taxed_commodity_export": lambda: value(n[0] * n[1], n[2], n[3]),
        "best_trade_route_selection": lambda: min(value(n[0], n[i], n[i + 1]) for i in (2, 5, 8)),
        "most_profitable_conversion_rate": lambda: best_of(
            [(n[0] * n[4], r) for r in n[1:4]], n[5]
        ),
        "bulk_trade_quantity_discount": lambda: value(n[-1] * n[1] * (1 - n[3] / 100), n[4], n[5]),
        "comparative_profit_analysis": lambda: max(
            value(n[i] * n[i + 3], n[i + 1], n[i + 2]) for i in (0, 4)
        ),
        "fluctuating_conversion_rates_impact": lambda: [
            value(n[0] * n[i], n[i + 3], n[1]) for i in (2, 3, 4)
        ],
        "optimal_trade_route_multiple_commodities": lambda: max(
            value(n[i] * n[i + 1], n[i + 2], n[i + 3]) for i in (1, 6, 11)
        ),
        "seasonal_price_fluctuation_impact": lambda: [
            value(price * n[3], n[4], n[5]) for price in n[:3]
        ],
        "balancing_multiple_trade_offers": lambda: (
            value(n[1] * n[2], n[3], n[4]) - value(n[6] * n[7], n[8], n[9])
        ),
        "dynamic_pricing_strategy": lambda: [
            value(quantity * n[0] * factor, n[6], n[7])
            for quantity, factor in ((n[3], 1.1), (n[4], 1), (n[5], 0.95))
        ],
        "quantity_tariff_tradeoff": lambda: max(value(n[i] * n[6], n[7], n[i + 1]) for i in (1, 4)),
        "optimizing_bulk_purchase_discounts": lambda: best_of(
            [
                (units * p * (0.95 if units >= n[1] else 1), n[6])
                for units in n[4:6]
                for p in n[2:4]
            ],
            n[7],
        ),
        "currency_fluctuation_hedging": lambda: min(
            value(n[0] * n[1], rate, n[5]) for rate in n[2:5]
        ),
        "variable_tariff_profit_maximization": lambda: max(
            value(n[i] * n[0], n[7], n[i + 1]) for i in (1, 3, 5)
        ),
        "long_term_vs_short_term_trade_decisions": lambda: [
            value(n[0] * n[1], n[2], n[3]),
            value(n[0] * (n[1] + n[1] * n[4] / 100), round(n[2] - n[6], 9), n[3] + n[5]),
        ],
    }
    return plans[player.name]()


WISHES: dict[str, list[tuple[str, ...]]] = {
    "plan_trip_to_0": [("wifi", "pool")],
    "new_york_trip_with_specific_preferences": [("gym",)],
    "london_business_trip": [("wifi",)],
    "new_york_holiday_season": [("gym", "pool")],
    "multi_city_business_trip": [("wifi",)] * 2,
    "three_city_european_tour": [("wifi",)] * 3,
    "adventure_trip": [("pool",), (), ("gym",)],
    "cultural_exploration_tour": [("wifi",)] * 3,
    "leisure_and_business_combo": [("wifi", "gym"), ("pool",), ("wifi", "gym")],
}


def travel(player: Player) -> Any:
    places = re.findall(r'"([A-F])"', player.text)
    dates = re.findall(r"\d{4}-\d\d-\d\d", player.text)
    before = [player.text[: player.text.index(date)] for date in dates]
    goals = [re.findall(r'"([A-F])"', text)[-1] for text in before]
    nights = [int(text) for text in re.findall(r"(\d+) nights?\b", player.text)]
    budgets = []
    for i, (start, goal) in enumerate(zip([places[0], *goals], goals, strict=False)):
        flights = player.call("find_flights", start, goal, dates[i])
        hotels = player.call("book_hotel", goal, *WISHES.get(player.name, [()] * 9)[i])
        costs = (
            min(flight["price"] for flight in flights),
            _hotel(player, goal, hotels)["price_per_night"],
            nights[i],
        )
        # Four stays leave no turn for the calculator.
        mentally = len(dates) > 3
        budgets.append(
            costs[0] + costs[1] * costs[2] if mentally else player.call("budget_calculator", *costs)
        )
    return sum(budgets)


def _hotel(player: Player, place: str, hotels: list[dict[str, Any]]) -> dict[str, Any]:
    if player.name == "plan_trip_to_0":
        return hotels[0]  # The expected answer takes the first hotel rather than the cheaper one.
    if player.name == "new_york_trip_with_specific_preferences":
        hotels = [hotel for hotel in hotels if "pool" not in hotel["preferences"]]
    rated = player.name in ("luxury_tokyo_trip", "grand_tour_vacation") or (
        player.name == "cultural_exploration_tour" and place == "D"
    )
    if rated:
        return max(hotels, key=lambda hotel: float(hotel["rating"]))
    return min(hotels, key=lambda hotel: float(hotel["price_per_night"]))


class Surfer:
    """Opens pages by way of the pages whose links lead there."""

    def __init__(self, player: Player) -> None:
        self.player = player
        pages = player.env.domain.base.tables["pages"]
        self.contents = {address: page["content"] for address, page in pages.items()}
        self.opened = {"/"}
        self.parents: dict[str, str] = {}
        queue = deque("/")
        while queue:
            page = queue.popleft()
            for link in re.findall(r"Clickable '([^']+)'", self.contents[page]):
                if link in pages and link not in self.parents and link != "/":
                    self.parents[link] = page
                    queue.append(link)

    def open(self, address: str) -> str:
        parent = self.parents.get(address, "/")
        if parent not in self.opened:
            self.open(parent)
        self.opened.add(address)
        return self.player.see("click_url", address)

    def open_about(self, title: str) -> str:
        (address,) = (a for a, text in self.contents.items() if re.match(title, text))
        return self.open(address)


def browse(player: Player) -> Any:
    surfer = Surfer(player)
    fields = {"email": "Email", "phone": "Phone", "expertise": "Expertise"}
    if found := re.search(r"\[(.+)\]", player.text):
        pages = [surfer.open_about(f"Item: {item}") for item in found[1].split(", ")]
        total = 0.0
        for page in pages:
            total += float(re.findall(r"Price: \$([\d.]+)", page)[-1])
        return total * 0.9 if "discount" in player.name else total
    if found := re.search(r"price of (.+)\.", player.text):
        page = surfer.open_about(f"Item: {found[1]}")
        return re.findall(r"Price: \$([\d.]+)", page)[-1]
    if found := re.search(r"in the (.+) Department", player.text):
        # No link leads to customer support.
        page = surfer.open(f"/team/{found[1].lower().replace(' ', '-')}")
        return len(re.findall("Clickable", page)) + len(
            re.findall("Clickable", player.see("scroll_down"))
        )
    if found := re.search(r"number is (\S+)\?", player.text):
        listed = surfer.open("/team/customer-support") + player.see("scroll_down")
        for address in re.findall(r"Clickable '([^']+)'", listed):
            page = surfer.open(address)
            if found[1] in page:
                return re.findall(r"\n\n(.+) of ", page)[0]
    found = re.search(r"the (\w+).* of (.+)\.", player.text)
    assert found is not None
    page = surfer.open_about(f"{found[2]} of ")
    if found[1] == "department":
        return re.findall(r" of (.+) Department", page)[0]
    return re.findall(rf"{fields[found[1]]}: (.+)", page)[0]


SOLVERS: dict[str, Callable[[Player], Any]] = {
    "message_decoder": decode,
    "cryptobotanists_plant_dna_sequencer": sequence,
    "trade_calculator": trade,
    "travel_itinerary_planning": travel,
    "web_browsing": browse,
}


@pytest.mark.parametrize("mode", ["text", "json", "code"])
@pytest.mark.parametrize("family", list(ENVIRONMENTS))
def test_every_task_can_be_solved_in_ten_turns(m3tooleval: Path, family: str, mode: str) -> None:
    env = _env(family, action_format=f"m3-{mode}")
    unsolved = []
    for row in _lines(m3tooleval / "tasks.jsonl"):
        if row["family"] == family:
            player = Player(env, f"{family}/{row['name']}")
            answer = SOLVERS[family](player)
            if player.answer(answer) != 1 or env.episode.turn > env.max_turns:
                unsolved.append((row["name"], answer, row["expected_repr"]))
    assert env.max_turns == 10
    assert not unsolved
