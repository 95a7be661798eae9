"""Forgeries of episodes: rewards, observations, states, ends, errors, turns, trials, costs."""

from __future__ import annotations

import copy
import json
from typing import Any

from tests.bench.forging import Case, Forgery, break_off, say, win

BAD, GOOD = "runs/0, task test-1, trial 0", "runs/0, task test-0, trial 0"
DNA_BAD = "runs/0, task dna_sequencer/test-1, trial 0"
NAN, INF = float("nan"), float("inf")


def bad(c: Case) -> dict[str, Any]:
    """Return an episode that failed."""
    return c.get(1)


def good(c: Case) -> dict[str, Any]:
    """Return an episode that succeeded."""
    return c.get(0)


def _changing(c: Case) -> dict[str, Any]:
    turns: list[dict[str, Any]] = [t for e in c.all for t in e["turns"] if t.get("changes")]
    return turns[0]


def _swap(c: Case, *keys: str, other: tuple[int, int] = (2, 0)) -> None:
    one, two = c.get(1), c.get(*other)
    for key in keys:
        one[key], two[key] = two.get(key, 0), one.get(key, 0)


def _replace(c: Case, new: dict[str, Any]) -> None:
    c.runs[0] = [new if one is c.get(1) else one for one in c.all]


def _more_trials(c: Case) -> None:
    c.runs[0] += [{**copy.deepcopy(one), "trial": one.get("trial", 0) + 2} for one in c.all]
    c.trials(4)


def _best_only(c: Case) -> None:
    best: dict[str, Any] = {}
    for one in c.all:
        if one["task_id"] not in best or one["reward"] > best[one["task_id"]]["reward"]:
            best[one["task_id"]] = one
    c.runs[0] = [{k: v for k, v in one.items() if k != "trial"} for one in best.values()]
    c.trials(1)


def _beyond(c: Case) -> None:
    one = c.get(1)
    one["turns"] += copy.deepcopy(c.get(1, 1)["turns"])
    win(one)


def _other_task(c: Case, digest: str | None) -> None:
    win(bad(c))
    bad(c)["task_digest"] = digest


REWARDS = [
    Forgery("reward: naive", lambda c: bad(c).update(reward=1.0), BAD, recompute=False),
    Forgery("reward: with its components and turn", lambda c: win(bad(c)), BAD),
    Forgery("reward: of an episode at its limit", lambda c: win(bad(c)), DNA_BAD, "dna"),
    *(
        Forgery(f"reward: {value!r:.12}", lambda c, v=value: bad(c).update(reward=v), BAD[8:])
        for value in (2.0, -1.0, True, "1.0", None, NAN, INF, 10**400, [1.0])
    ),
    Forgery("reward: nearly the same", lambda c: good(c).update(reward=1 + 1e-7), GOOD),
    Forgery(
        "reward: of a turn", lambda c: bad(c)["turns"][0].update(reward=0.5), f"{BAD}: turn 0"[:26]
    ),
    *(
        Forgery(
            f"components: {value}", lambda c, v=value: good(c).update(reward_components=v), GOOD[8:]
        )
        for value in (
            {},
            {"database": 1.0},
            {"database": 1.0, "outputs": 1.0, "bonus": 1.0},
            {"database": NAN, "outputs": 1.0},
            {"database": True, "outputs": 1.0},
            {"database": "1", "outputs": 1.0},
            [1.0],
        )
    ),
]

OBSERVATIONS = [
    Forgery("observation: of a tool", lambda c: say(good(c), 0, "margot_novak_9999"), GOOD),
    Forgery("observation: of the user", lambda c: say(bad(c), -1, "Thank you!"), BAD),
    Forgery("observation: a space", lambda c: say(good(c), 0, "x "), GOOD),
    Forgery("observation: a surrogate", lambda c: say(good(c), 0, "\ud800"), GOOD),
    Forgery("observation: huge", lambda c: say(good(c), 0, "x" * (17 << 20)), "runs/0, line 1"),
    Forgery("opening: a hint", lambda c: good(c).update(opening="The id is 3."), GOOD),
    Forgery("info: instruction", lambda c: good(c).update(instruction="Sleep."), GOOD),
    Forgery("info: source", lambda c: good(c)["turns"][0].update(source="user"), GOOD),
    Forgery("info: domain", lambda c: good(c).update(domain="tau_airline"), GOOD),
    Forgery("info: digest", lambda c: good(c).update(data_digest="0" * 64), GOOD),
    Forgery("info: digest of the task", lambda c: good(c).update(task_digest="0" * 64), GOOD),
    Forgery("info: no digest of the task", lambda c: _other_task(c, None), BAD),
    Forgery("info: another task, won", lambda c: _other_task(c, "0" * 64), BAD),
    Forgery("messages: policy", lambda c: good(c)["messages"][0].update(content="Be kind."), GOOD),
    Forgery("messages: none", lambda c: good(c).update(messages=[]), GOOD),
    Forgery("messages: exchanged", lambda c: _swap(c, "messages"), BAD),
    Forgery("messages: a key", lambda c: good(c)["messages"][1].update(html="<b>"), GOOD),
    Forgery(
        "messages: a hint",
        lambda c: good(c)["messages"].insert(1, {"role": "system", "content": "Hint."}),
        GOOD,
    ),
    Forgery(
        "user of one's own: a tool's words",
        lambda c: say(c.get(0), 0, "forged"),
        "task test-0, trial 0",
        "user",
    ),
    Forgery(
        "user of one's own: a tool's words as the user's",
        lambda c: (say(c.get(0), 0, "forged"), c.get(0)["turns"][0].update(source="user")),
        "task test-0, trial 0",
        "user",
    ),
    Forgery(
        "action: not that of the messages",
        lambda c: bad(c)["turns"][0].update(action="I am so sorry."),
        BAD,
    ),
    Forgery(
        "action: another one",
        lambda c: good(c)["turns"][0].update(action='{"name": "list_all_product_types"}'),
        GOOD,
    ),
    Forgery("action: no text", lambda c: good(c)["turns"][0].update(action=None), GOOD[8:]),
]

STATES = [
    Forgery("state: after", lambda c: _changing(c)["changes"][0].update(after="x")),
    Forgery("state: before", lambda c: _changing(c)["changes"][0].update(before="x")),
    Forgery("state: no changes", lambda c: _changing(c).pop("changes")),
    Forgery(
        "state: changes of another turn",
        lambda c: bad(c)["turns"][0].update(changes=_changing(c)["changes"]),
        BAD,
    ),
    Forgery("state: doubled", lambda c: _changing(c).update(changes=_changing(c)["changes"] * 2)),
]

ENDS = [
    *(
        Forgery(f"end: {value!r}", lambda c, v=value: bad(c).update(termination_reason=v), BAD[8:])
        for value in ("max_turns", "answered", "transfer", "success", "", 1, None)
    ),
    Forgery("end: truncated", lambda c: bad(c).update(truncated=True), BAD),
    Forgery("end: not truncated", lambda c: bad(c).pop("truncated"), DNA_BAD, "dna"),
    Forgery("end: truncated as text", lambda c: bad(c).update(truncated="no"), BAD[8:]),
    *(
        Forgery(f"error: failures as {kind}", lambda c, k=kind: break_off(bad(c), k), BAD)
        for kind in ("infrastructure_error", "user_error", "environment_error", "verifier_error")
    ),
    Forgery(
        "error: after the end",
        lambda c: bad(c).update(
            termination_reason="agent_error",
            error={"kind": "agent_error", "type": "X", "message": ""},
            reward_components={},
        ),
        BAD,
    ),
    Forgery(
        "error: of a success",
        lambda c: good(c).update(error={"kind": "agent_error", "type": "X", "message": ""}),
        GOOD,
    ),
    Forgery(
        "error: the reason says another",
        lambda c: bad(c).update(error={"kind": "user_error", "type": "X", "message": ""}),
        BAD,
    ),
    Forgery("error: taken away", lambda c: bad(c).pop("error"), BAD, "error"),
    Forgery("error: with a reward", lambda c: bad(c).update(reward=1.0), BAD, "error"),
    Forgery(
        "error: with components",
        lambda c: bad(c).update(reward_components={"database": 1.0}),
        BAD,
        "error",
    ),
    Forgery("error: truncated", lambda c: bad(c).update(truncated=True), BAD, "error"),
]

TURNS = [
    Forgery("turns: last removed", lambda c: good(c)["turns"].pop(), GOOD),
    Forgery("turns: first removed", lambda c: good(c)["turns"].pop(0), GOOD),
    Forgery(
        "turns: doubled", lambda c: good(c)["turns"].insert(0, dict(good(c)["turns"][0])), GOOD
    ),
    Forgery("turns: reversed", lambda c: good(c)["turns"].reverse(), GOOD),
    Forgery("turns: none", lambda c: good(c).update(turns=[]), GOOD),
    Forgery(
        "turns: after the end",
        lambda c: good(c)["turns"].append({"action": "Bye", "observation": "", "source": "user"}),
        GOOD,
    ),
    Forgery("turns: beyond max_turns", _beyond, DNA_BAD, "dna"),
    Forgery(
        "turns: a hundred thousand",
        lambda c: good(c)["turns"].extend(
            [{"action": "x", "observation": "", "source": "x"}] * 100_000
        ),
        "task test-0, trial 0",
        "random",
    ),
    *(
        Forgery(f"turns: {json.dumps(value)}", lambda c, v=value: good(c).update(turns=v), GOOD[8:])
        for value in ({}, "none", None, [None], [[]])
    ),
    *(
        Forgery(f"tokens: {value}", lambda c, v=value: good(c)["turns"][0].update(v), GOOD[8:])
        for value in (
            {"token_ids": [-1]},
            {"token_ids": [1.5]},
            {"token_ids": [True]},
            {"token_ids": [5], "logprobs": [3.0]},
            {"token_ids": [5], "logprobs": [-1.0, -2.0]},
        )
    ),
    *(
        Forgery(f"tokens: {value}", lambda c, v=value: good(c).update(tokens=v), GOOD[8:])
        for value in (
            {"ids": [1, 2], "mask": [1]},
            {"ids": [1, 2], "mask": [1, 7]},
            {"ids": [-1], "mask": [1]},
        )
    ),
]

TRIALS = [
    Forgery("trials: one missing", lambda c: c.keep(lambda e: e is not c.get(1)), BAD),
    Forgery("trials: failures missing", lambda c: c.keep(lambda e: e["reward"] == 1), BAD),
    Forgery("trials: doubled", lambda c: c.all.append(dict(good(c))), GOOD),
    Forgery("trials: a success for a failure", lambda c: _replace(c, dict(c.get(1, 1))), BAD),
    Forgery("trials: renumbered", lambda c: _replace(c, {**c.get(1, 1), "trial": 0}), BAD),
    Forgery("trials: numbers swapped", lambda c: _swap(c, "trial", other=(1, 1)), BAD),
    Forgery("trials: of two tasks swapped", lambda c: _swap(c, "task_id", "instruction", "seed")),
    Forgery("trials: ids swapped", lambda c: _swap(c, "task_id")),
    Forgery("trials: claimed", lambda c: c.trials(4), "trial 3"),
    Forgery("trials: copied", _more_trials, "trial 3"),
    Forgery("trials: best as the only one", _best_only),
    Forgery(
        "trials: of no task", lambda c: c.all.append({**good(c), "task_id": "test-9"}), "test-9"
    ),
    *(
        Forgery(f"trials: {value!r}", lambda c, v=value: good(c).update(trial=v))
        for value in ("0", 0.5, -1, True, 10**30, None)
    ),
    *(
        Forgery(f"seed: {value!r}", lambda c, v=value: good(c).update(seed=v))
        for value in (0, -1, "x", 0.5, None, 2**100, True)
    ),
]

COSTS = [
    *(
        Forgery(f"cost: {value!r:.12}", lambda c, v=value: bad(c)["usage"].update(cost=v), BAD[8:])
        for value in (-1.0, -1e-9, NAN, INF, -INF, 1e308, 10**400, "0.01", True, [0.01])
    ),
    *(
        Forgery(f"usage: {value}", lambda c, v=value: bad(c)["usage"].update(v), BAD[8:])
        for value in (
            {"prompt_tokens": -1},
            {"completion_tokens": 1.5},
            {"completion_tokens": 10**25},
            {"requests": True},
            {"errors": -1},
            {"seconds": -1.5},
            {"seconds": "fast"},
            {"carbon": 0},
        )
    ),
    Forgery(
        "usage: of the scripted user", lambda c: good(c).update(user_usage={"cost": 5.0}), GOOD
    ),
    Forgery("usage: of noop", lambda c: good(c).update(usage={"cost": 5.0}), GOOD, "noop"),
    Forgery(
        "agent: of noop",
        lambda c: good(c)["turns"][0].update(action="I can help."),
        "task test-0, trial 0, turn 0",
        "noop",
    ),
    *(
        Forgery(
            f"label: one episode's {key}", lambda c, k=key, v=value: good(c).update({k: v}), GOOD
        )
        for key, value in (
            ("agent", "gpt:Agent"),
            ("agent_options", {"help": True}),
            ("user_options", {"help": True}),
            ("env_id", "sca/TauAirline-v0"),
            ("data", "tau-bench"),
            ("split", "train"),
            ("unsafe_sandbox", True),
        )
    ),
    *(
        Forgery(
            f"option: one episode's {key}", lambda c, k=key: good(c)["env_options"].update({k: 99})
        )
        for key in ("max_turns", "user", "invented")
    ),
]

EPISODES = [*REWARDS, *OBSERVATIONS, *STATES, *ENDS, *TURNS, *TRIALS, *COSTS]
