"""`check_domain`: a healthy domain passes, each breakage is found, and ours are in order."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

import sca_envs
from sca_envs.bench.conformance import battery
from sca_envs.bench.conformance.battery import CHECKS
from sca_envs.bench.conformance.report import FAILED, NOT_APPLICABLE
from sca_envs.cli import app
from sca_envs.domains.registry import list_domains
from tests.bench import breakages, library

FOUND: dict[str, tuple[str, str]] = {
    "refused_reference": ("references", "reference action"),
    "unknown_tool": ("references", "expected a tool out of find_member, .*; got 'find_book'"),
    "sampler_of_wrong_type": ("samples", "tool reserve_book, parameter days: .*'seven'"),
    "write_before_refusal": ("refusals", "tool renew_loan: .*got a change of /loans/loan_"),
    "instruction_says_hello": ("instructions", "task 'train-3' of train, .*got 'Hello.'"),
    "user_without_identity": ("identity", "the user to tell '.*example.org'"),
    "empty_policy": ("policy", "got an empty text"),
    "tool_raises_key_error": ("results", "tool list_loans: .*KeyError"),
    "result_is_no_json": ("results", "tool get_book: .*set is not JSON"),
    "result_is_nan": ("results", "tool get_book: .*ValueError"),
    "silent_refusal": ("refusals", "tool list_loans: .*an error without a text"),
    "write_to_the_base": ("tables", "tool renew_loan: .*`db.edit`"),
    "error_text_after_a_write": ("refusals", "tool reserve_book: .*change of /books/"),
    "state_outside_the_database": ("processes", "result of get_book .*the same again here"),
    "order_of_a_set": ("processes", "result of get_book .*in another process"),
    "clock": ("processes", "result of get_book"),
    "no_description": ("descriptions", "tool get_book: expected a description"),
    "no_parameter_description": ("descriptions", "tool get_book, parameter title"),
    "unfinished_description": ("descriptions", "tool get_book: .*'TODO' in it"),
    "another_key": ("descriptions", "tool look_up: .*a tool that is called 'call_colleague'"),
    "reserved_name": ("descriptions", "tool answer: .*rename it"),
    "other_parameters": ("schemas", r"tool call_colleague: .*\(summary\) .*got reason"),
    "required_in_one_only": ("schemas", "tool call_colleague, parameter summary"),
    "default_of_another_type": ("schemas", "tool call_colleague, parameter summary: .*got None"),
    "unknown_terminal_tool": ("schemas", "terminal_tools: .*got 'transfer'"),
    "unknown_transient_table": ("schemas", "view_tables: .*got 'browser'"),
    "no_tools": ("descriptions", "at least one tool; got none"),
    "sampler_of_numpy": ("samples", "parameter days: .*np.int64|parameter days: .*integer"),
    "sampler_without_a_case": ("samples", "parameter summary: .*KeyError"),
    "sampler_of_global_random": ("samples", "parameter days: .*`rng` only"),
    "sampler_of_global_numpy": ("samples", "parameter days: .*`rng` only"),
    "table_is_no_json": ("tables", "table books: .*set is not JSON"),
    "keys_are_numbers": ("tables", "table shelves: .*text keys"),
    "no_splits": ("splits", "at least one split; got none"),
    "empty_split": ("splits", "split 'dev': expected tasks; got an empty split"),
    "split_raises": ("splits", "split 'dev': .*/nowhere/tasks.jsonl"),
    "split_is_no_source": ("splits", "split 'dev': .*another TaskSource; got list"),
    "task_raises": ("splits", "split 'train', index 7: .*ZeroDivisionError"),
    "same_splits": ("splits", "splits 'train' and 'test': expected no task in common"),
    "wrong_domain": ("splits", "task 'train-0' of train: expected domain 'library'"),
    "wrong_data": ("splits", "got 'library', 'generated' and 'train'"),
    "wrong_split": ("splits", "task 'test-0' of train: .*split 'test'"),
    "same_ids": ("splits", "split 'train', index 1: .*'train-0'"),
    "same_instructions": ("instructions", "which task 'train-0' has, too"),
    "unfilled_slot": ("instructions", "task 'train-0' of train, instruction: .*'{town}' in it"),
    "misspelled_argument": ("references", "invalid arguments for get_book: .*'name' is not a"),
    "output_in_the_instruction": ("outputs", "a text that the instruction has already"),
    "output_that_no_tool_shows": ("outputs", "output 'third floor': .*none of their results"),
    "output_with_a_comma": ("outputs", "output '1,200': .*without commas"),
    "empty_output": ("outputs", "output '': "),
    "too_long": ("references", "within 30 turns; got .*max_turns"),
    "nothing_to_do": ("shortcuts", "doing nothing to solve at most 5%; got 100%"),
    "questions_with_the_answer_in_the_policy": ("shortcuts", "saying all that is known"),
    "terminal_tool_solves_it": ("shortcuts", "ending the episode with a tool at once"),
    "verifier_that_ignores_the_state": ("shortcuts", "no reward without r"),
    "verifier_that_ignores_outputs": ("shortcuts", "output '[A-H][0-9]+': expected no reward"),
    "verifier_that_breaks": ("references", "ended by verifier_error"),
    "fact_without_cues": ("facts", "request 2, fact 'title': .*its cues are none"),
    "fact_with_cues_in_capitals": ("facts", "fact 'title': .*its cues are 'TITLE'"),
    "empty_greeting": ("facts", "task 'train-0' of train, greeting: .*an empty text"),
    "user_waits_for_nothing": ("facts", "outputs: expected those that the user waits for"),
    "identity_of_somebody_else": ("identity", "the user to tell '.*example.org'"),
    "another_origin": ("processes", "origin: .*got Domain\\('another'"),
    "origin_gives_nothing": ("processes", "origin: .*got None"),
    "origin_cannot_be_sent": ("processes", "origin: expected a domain that can be sent"),
    "tasks_depend_on_hashes": ("processes", "in another process"),
}
"""Breakage -> the check that finds it, and what it says."""


@pytest.fixture(scope="module")
def healthy() -> sca_envs.DomainReport:
    return sca_envs.check_domain(library.load(), num_tasks=30)


def test_a_healthy_domain_passes(healthy: sca_envs.DomainReport) -> None:
    assert healthy.passed, str(healthy)
    healthy.raise_if_failed()
    assert {row.check for row in healthy.rows if row.outcome != "passed"} == {
        "wishes"
    }  # it has none
    assert [row.check for row in healthy.rows] == list(CHECKS)
    assert healthy.num_tasks == {"train": 30, "test": 30}
    assert healthy.num_calls > 500


def test_every_breakage_has_an_expectation() -> None:
    assert breakages
    assert set(FOUND) == set(library.BREAKAGES)


@pytest.mark.parametrize("name", list(FOUND))
def test_breakages_are_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check, words = FOUND[name]
    if check != "processes":  # it starts two processes, and its own breakages try it
        others = {key: value for key, value in CHECKS.items() if key != "processes"}
        monkeypatch.setattr(battery, "CHECKS", others)
    report = sca_envs.check_domain(library.load(name), num_tasks=20)
    with pytest.raises(AssertionError, match=words):
        report.raise_if_failed()
    (row,) = (row for row in report.rows if row.check == check)
    assert row.outcome == FAILED
    assert all(len(str(finding)) < 1000 for finding in row.findings)


@pytest.mark.parametrize("name", list_domains())
def test_our_domains_pass(name: str) -> None:
    sca_envs.check_domain(name, num_tasks=100).raise_if_failed()


def test_what_a_domain_does_not_have_is_not_applicable() -> None:
    report = sca_envs.check_domain("sca/M3MessageDecoder-v0", num_tasks=2)
    absent = {row.check for row in report.rows if row.outcome == NOT_APPLICABLE}
    assert absent == {"outputs", "facts", "identity", "wishes"}
    assert all(row.reason for row in report.rows if row.check in absent)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nope",), "'nope'"),
        (("sca/Nope-v0",), "sca/Nope-v0"),
        (("sca/M3Calculation-v0",), "an environment of one domain"),
        (("sca/CodeAsTask-v0",), "an environment of one domain"),
        ((7,), "its name or the id of an environment.*got int"),
    ],
)
def test_mistakes_are_explained(arguments: tuple[Any, ...], words: str) -> None:
    with pytest.raises(sca_envs.OptionError, match=words):
        sca_envs.check_domain(*arguments)
    for number in (0, True, 2.5):
        with pytest.raises(sca_envs.OptionError, match="num_tasks"):
            sca_envs.check_domain("dna_sequencer", num_tasks=number)  # type: ignore[arg-type]


def test_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {"COLUMNS": "200"}
    arguments = ["check", "sca/M3DnaSequencer-v0", "--tasks", "3"]
    done = CliRunner().invoke(app, arguments, env=environ)
    assert done.exit_code == 0, done.output
    assert "3 of train, 3 of test tasks" in done.output
    assert "not applicable" in done.output
    monkeypatch.setattr(sca_envs.domain("dna_sequencer"), "policy", "")
    done = CliRunner().invoke(app, arguments, env=environ)
    assert done.exit_code == 1
    assert "write down what the agent may do" in done.output
