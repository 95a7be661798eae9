"""Ways to break the library, which `check_domain` must find; `library.load` knows them by name."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import Any

import numpy as np

from sca_envs.core.database import Base, Database
from sca_envs.core.errors import ToolError
from sca_envs.core.task import Fact, TaskSet
from sca_envs.core.task_files import load_tasks
from sca_envs.core.verifiers import FinalState, RequiredOutputs, Verdict
from tests.bench import library
from tests.bench.library import Parts, breakage, described, swapped, tasks, tool, with_script

# The seven of which a checker of environments knows nothing


@breakage
def refused_reference(made: Parts) -> None:
    tasks(made, lambda task: swapped(task, -1, arguments={"title": "No Such Book"}))


@breakage
def unknown_tool(made: Parts) -> None:
    tasks(made, lambda task: swapped(task, -1, name="find_book"))


@breakage
def sampler_of_wrong_type(made: Parts) -> None:
    wrap(made, "days", lambda rng: "seven")


@breakage
def write_before_refusal(made: Parts) -> None:
    def renew_loan(db: Database, loan_id: str) -> Any:
        library._get(db, "loans", loan_id)
        loan = db.edit("loans", loan_id)
        loan["renewals"] += 1
        if loan["renewals"] > library.MAX_RENEWALS:
            raise ToolError("too often")
        loan["due_day"] += 14
        return loan

    tool(made, renew_loan, "renew_loan")


@breakage
def instruction_says_hello(made: Parts) -> None:
    tasks(made, lambda task: {"instruction": "Hello."} if task.id == "train-3" else {})


@breakage
def user_without_identity(made: Parts) -> None:
    tasks(made, lambda task: with_script(task, facts=()))


@breakage
def empty_policy(made: Parts) -> None:
    made["policy"] = " \n"


# Tools


@breakage
def tool_raises_key_error(made: Parts) -> None:
    def list_loans(db: Database, member_id: str) -> Any:
        return [db.base.tables["members"][member_id]]

    tool(made, list_loans, "list_loans")


@breakage
def result_is_no_json(made: Parts) -> None:
    tool(made, lambda db, title: {title}, "get_book")


@breakage
def result_is_nan(made: Parts) -> None:
    tool(made, lambda db, title: {"price": float("nan")}, "get_book")


@breakage
def silent_refusal(made: Parts) -> None:
    def list_loans(db: Database, member_id: str) -> Any:
        if db.get("members", member_id) is None:
            raise ToolError
        return []

    tool(made, list_loans, "list_loans")


@breakage
def write_to_the_base(made: Parts) -> None:
    def renew_loan(db: Database, loan_id: str) -> Any:
        loan = library._get(db, "loans", loan_id)
        loan["renewals"] += 1
        return "renewed"

    tool(made, renew_loan, "renew_loan")


@breakage
def error_text_after_a_write(made: Parts) -> None:
    def reserve_book(db: Database, member_id: str, title: str, days: int = 7) -> Any:
        book = db.edit("books", library._book(db, title)["book_id"])
        taken = book["reserved_by"] is not None
        book["reserved_by"] = f"{member_id} for {days} days"
        return "Error: reserved already" if taken else book

    tool(made, reserve_book, "reserve_book")


@breakage
def state_outside_the_database(made: Parts) -> None:
    seen: list[str] = []

    def get_book(db: Database, title: str) -> Any:
        seen.append(title)
        return {**library._book(db, title), "number": len(seen)}

    tool(made, get_book, "get_book")


@breakage
def order_of_a_set(made: Parts) -> None:
    def get_book(db: Database, title: str) -> Any:
        book = library._book(db, title)
        return [list({*book["title"].split(), "a", "b", "c", "d"}), book]

    tool(made, get_book, "get_book")


@breakage
def clock(made: Parts) -> None:
    tool(made, lambda db, title: [time.time_ns(), library._book(db, title)], "get_book")


@breakage
def no_description(made: Parts) -> None:
    made["tools"]["get_book"] = replace(made["tools"]["get_book"], description="")


@breakage
def no_parameter_description(made: Parts) -> None:
    made["tools"]["get_book"] = described(made["tools"]["get_book"], "title", "")


@breakage
def unfinished_description(made: Parts) -> None:
    made["tools"]["get_book"] = replace(made["tools"]["get_book"], description="TODO: describe.")


@breakage
def another_key(made: Parts) -> None:
    made["tools"]["look_up"] = made["tools"]["call_colleague"]


@breakage
def reserved_name(made: Parts) -> None:
    made["tools"]["answer"] = replace(made["tools"]["get_book"], name="answer")


@breakage
def other_parameters(made: Parts) -> None:
    def call_colleague(db: Database, reason: str) -> str:
        return reason

    tool(made, call_colleague, "call_colleague")


@breakage
def required_in_one_only(made: Parts) -> None:
    def call_colleague(db: Database, summary: str = "") -> str:
        return summary

    tool(made, call_colleague, "call_colleague")


@breakage
def default_of_another_type(made: Parts) -> None:
    def call_colleague(db: Database, summary: str = None) -> str:  # type: ignore[assignment]  # noqa: RUF013
        """Hand over to a colleague.

        Args:
            summary: What the member wants.
        """
        return "A colleague takes over."

    made["tools"] |= library.toolset(call_colleague)


@breakage
def unknown_terminal_tool(made: Parts) -> None:
    made["terminal_tools"] = frozenset({"transfer"})


@breakage
def unknown_transient_table(made: Parts) -> None:
    made["view_tables"] = frozenset({"browser"})


@breakage
def no_tools(made: Parts) -> None:
    made["tools"] = {}


# Samples and tables


def wrap(made: Parts, parameter: str, draw: Any) -> None:
    """Draw the value of one parameter otherwise."""

    def sample_argument(rng: np.random.Generator, base: Base, name: str) -> Any:
        return draw(rng) if name == parameter else library.sample_argument(rng, base, name)

    made["sample_argument"] = sample_argument


@breakage
def sampler_of_numpy(made: Parts) -> None:
    wrap(made, "days", lambda rng: rng.integers(1, 15))


@breakage
def sampler_without_a_case(made: Parts) -> None:
    wrap(made, "summary", lambda rng: {}["summary"])


@breakage
def sampler_of_global_random(made: Parts) -> None:
    wrap(made, "days", lambda rng: random.randint(1, 14))


@breakage
def sampler_of_global_numpy(made: Parts) -> None:
    wrap(made, "days", lambda rng: int(np.random.randint(1, 15)))


@breakage
def table_is_no_json(made: Parts) -> None:
    made["base"].tables["books"]["book_0"]["tags"] = {"new"}


@breakage
def keys_are_numbers(made: Parts) -> None:
    made["base"].tables["shelves"] = {1: {"floor": 1}}


# Tasks


@breakage
def no_splits(made: Parts) -> None:
    made["splits"] = {}


@breakage
def empty_split(made: Parts) -> None:
    made["splits"]["dev"] = lambda: TaskSet([])


@breakage
def split_raises(made: Parts) -> None:
    made["splits"]["dev"] = lambda: load_tasks("/nowhere/tasks.jsonl")


@breakage
def split_is_no_source(made: Parts) -> None:
    made["splits"]["dev"] = list


@breakage
def task_raises(made: Parts) -> None:
    tasks(made, lambda task: {"outputs": 1 / 0} if task.id == "train-7" else {})


@breakage
def same_splits(made: Parts) -> None:
    made["splits"]["test"] = made["splits"]["train"]
    tasks(made, lambda task: {"split": "test"}, "test")


@breakage
def wrong_domain(made: Parts) -> None:
    tasks(made, lambda task: {"domain": "libary"})


@breakage
def wrong_data(made: Parts) -> None:
    tasks(made, lambda task: {"data": "generated"})


@breakage
def wrong_split(made: Parts) -> None:
    tasks(made, lambda task: {"split": "train"}, "test")


@breakage
def same_ids(made: Parts) -> None:
    tasks(made, lambda task: {"id": "train-0"}, "train")


@breakage
def same_instructions(made: Parts) -> None:
    text = "I am harbor@example.org, and I need the usual, as always, please."
    tasks(made, lambda task: {"instruction": text})


@breakage
def unfilled_slot(made: Parts) -> None:
    tasks(made, lambda task: {"instruction": f"{task.instruction} My town is {{town}}."})


@breakage
def misspelled_argument(made: Parts) -> None:
    tasks(made, lambda task: swapped(task, -1, arguments={"name": "Harbor Lantern"}))


@breakage
def output_in_the_instruction(made: Parts) -> None:
    tasks(made, lambda task: {"instruction": f"{task.instruction} Is it {task.outputs[0]}?"})


@breakage
def output_that_no_tool_shows(made: Parts) -> None:
    tasks(made, lambda task: {"outputs": ("third floor",)})


@breakage
def output_with_a_comma(made: Parts) -> None:
    tasks(made, lambda task: {"outputs": ("1,200",)})


@breakage
def empty_output(made: Parts) -> None:
    tasks(made, lambda task: {"outputs": ("",)})


@breakage
def too_long(made: Parts) -> None:
    tasks(made, lambda task: {"actions": (*task.actions[:1] * 40, *task.actions)})


@breakage
def nothing_to_do(made: Parts) -> None:
    tasks(made, lambda task: {"actions": task.actions[:1], "outputs": ()})


@breakage
def questions_with_the_answer_in_the_policy(made: Parts) -> None:
    made["policy"] += " Members of good standing get a silver card."
    tasks(made, lambda task: {"actions": task.actions[:1], "outputs": ("silver card",)})


@breakage
def terminal_tool_solves_it(made: Parts) -> None:
    class Lenient:
        def verify(self, episode: Any) -> Verdict:
            over = episode.termination_reason == "transfer"
            return Verdict(float(over or len(episode.transcript) > 3), {"lenient": 1.0})

    made["verifier"] = Lenient()


@breakage
def verifier_that_ignores_the_state(made: Parts) -> None:
    made["verifier"] = RequiredOutputs()


@breakage
def verifier_that_ignores_outputs(made: Parts) -> None:
    made["verifier"] = FinalState()


@breakage
def verifier_that_breaks(made: Parts) -> None:
    class Broken:
        def verify(self, episode: Any) -> Any:
            raise ZeroDivisionError

    made["verifier"] = Broken()


# Users


@breakage
def fact_without_cues(made: Parts) -> None:
    tasks(made, lambda task: other_facts(task, cues=()))


@breakage
def fact_with_cues_in_capitals(made: Parts) -> None:
    tasks(made, lambda task: other_facts(task, cues=("TITLE",)))


def other_facts(task: Any, **changes: Any) -> dict[str, Any]:
    """Return a change of the facts of a task's last request."""
    *others, last = task.script.requests
    facts: list[Fact] = [fact.model_copy(update=changes) for fact in last.facts]
    return with_script(task, requests=(*others, last.model_copy(update={"facts": tuple(facts)})))


@breakage
def empty_greeting(made: Parts) -> None:
    tasks(made, lambda task: with_script(task, greeting=""))


@breakage
def user_waits_for_nothing(made: Parts) -> None:
    tasks(
        made,
        lambda task: with_script(
            task,
            requests=tuple(r.model_copy(update={"outputs": ()}) for r in task.script.requests),
        ),
    )


@breakage
def identity_of_somebody_else(made: Parts) -> None:
    fact = Fact(key="email", cues=("e-?mail",), text="My e-mail address is nobody@example.org.")
    tasks(made, lambda task: with_script(task, facts=(fact,)))


# Processes


@breakage
def another_origin(made: Parts) -> None:
    made["origin"] = (renamed, ())


def renamed() -> Any:
    """Return the domain under another name."""
    domain = library.load()
    domain.name = "another"
    return domain


@breakage
def origin_gives_nothing(made: Parts) -> None:
    made["origin"] = (print, ())


@breakage
def origin_cannot_be_sent(made: Parts) -> None:
    made["origin"] = (lambda: None, ())


@breakage
def tasks_depend_on_hashes(made: Parts) -> None:
    tasks(made, lambda task: {"difficulty": hash(task.id) % 1000})
