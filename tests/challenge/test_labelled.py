"""The labelled set itself: big enough, of every kind, and without a hint at the labels."""

from __future__ import annotations

import ast
import re
from collections import Counter

import pytest

from sca_envs.core.domain import Domain
from sca_envs.domains import domain
from tests.challenge.labelled import (
    FLAWS,
    FOLDER,
    LABELLED_DOMAINS,
    Labelled,
    labelled,
    labelled_of,
)

STATELESS = {"message_decoder", "dna_sequencer", "trade_calculator", "travel_planning"}
PROVEN = {"always_true", "ignores_amount", "answer_only", "writes_state"}


def sources(example: Labelled) -> list[str]:
    return [example.task.verify, example.task.solution, *example.task.failures]


def calls(source: str) -> Counter[str]:
    """Return the names of the functions that code calls."""
    nodes = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return Counter(node.func.id for node in nodes if isinstance(node.func, ast.Name))


def test_it_is_big_and_balanced() -> None:
    labels = Counter(example.label for example in labelled())
    assert set(labels) == {"good", "bad"}
    assert labels.total() >= 160
    assert 0.4 <= labels["good"] / labels.total() <= 0.6


def test_every_file_is_of_a_domain() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(LABELLED_DOMAINS)


@pytest.mark.parametrize("name", LABELLED_DOMAINS)
def test_every_domain_has_both_labels(name: str) -> None:
    labels = Counter(example.label for example in labelled_of(name))
    assert min(labels["good"], labels["bad"]) >= 10
    assert all(example.task.data.name == "generated:0" for example in labelled_of(name))


def test_every_flaw_occurs_in_several_domains() -> None:
    bad = [example for example in labelled() if not example.good]
    assert {example.kind for example in bad} == set(FLAWS)
    for flaw in FLAWS:
        domains = Counter(example.task.domain for example in bad if example.kind == flaw)
        assert domains.total() >= 6, flaw
        # Only a domain with a state can have a task about it.
        assert len(domains) >= (3 if flaw in ("answer_only", "writes_state") else 6), flaw


def test_ids_and_contents_are_unique() -> None:
    for values in (
        [example.task.id for example in labelled()],
        [example.task.content_digest for example in labelled()],
        [example.task.instruction for example in labelled()],
    ):
        assert len(set(values)) == len(values)


def test_no_id_or_code_tells_the_label() -> None:
    words = re.compile(r"\b(good|bad|flaw\w*|mutant\w*|gate\w*|labell?ed)\b", re.IGNORECASE)
    for example in labelled():
        assert re.fullmatch(r"[a-z]+-\d\d", example.task.id)
        for text in (example.task.instruction, *sources(example)):
            assert not words.search(text), example.task.id


def test_labels_are_not_in_blocks() -> None:
    for name in LABELLED_DOMAINS:
        labels = "".join(example.label[0] for example in labelled_of(name))
        assert not re.search(r"g{4}|b{7}", labels), (name, labels)


@pytest.mark.parametrize("name", LABELLED_DOMAINS)
def test_form_is_that_of_the_label(name: str) -> None:
    for example in labelled_of(name):
        task_id = example.task.id
        assert example.why, task_id
        assert example.task.instruction.strip(), task_id
        assert (example.kind in FLAWS) != example.good, task_id
        assert (len(example.task.failures) >= 3) != (example.kind == "too_few_failures"), task_id
        assert (example.wrong is None) or not example.good, task_id
        assert example.wrong is not None or example.kind not in PROVEN, task_id
        if example.kind != "malformed":
            assert "def verify(answer):" in example.task.verify, task_id
            for source in (example.task.solution, *example.task.failures):
                assert calls(source)["answer"] >= 1, task_id


@pytest.mark.parametrize("name", LABELLED_DOMAINS)
def test_a_near_copy_comes_after_a_good_one(name: str) -> None:
    earlier: list[str] = []
    for example in labelled_of(name):
        if example.kind == "near_copy":
            assert any(task_id in example.why for task_id in earlier), example.task.id
        if example.good:
            earlier.append(example.task.id)


@pytest.mark.parametrize("name", LABELLED_DOMAINS)
def test_good_solutions_call_tools_and_vary(name: str) -> None:
    world: Domain = domain(name)
    used: set[str] = set()
    for example in labelled_of(name):
        if example.good:
            found = calls(example.task.solution).keys() & world.tools.keys()
            assert found, example.task.id
            used |= found
    assert len(used) >= 3, used


def test_stateless_domains_have_no_task_about_the_state() -> None:
    for name in STATELESS:
        kinds = {example.kind for example in labelled_of(name)}
        assert not kinds & {"answer_only", "writes_state"}
