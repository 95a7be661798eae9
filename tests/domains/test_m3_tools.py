"""The tools of M3ToolEval's families, called by name and by position, and the calculator."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sca_envs
from sca_envs.core.database import Base, Database
from sca_envs.core.tools import Tool
from sca_envs.domains.m3.calculator import calculate
from sca_envs.domains.m3.values import MAX_SHOWN, product, show

FAILED = "Failed to execute tool"


def _call(name: str, tool: str, *values: Any) -> str:
    domain = sca_envs.domain(name)
    return domain.call_positional(domain.database(), tool, values)


def _call_by_name(name: str, tool: str, **arguments: Any) -> str:
    domain = sca_envs.domain(name)
    return domain.call(domain.database(), tool, arguments)


@pytest.mark.parametrize(
    ("tool", "values", "result"),
    [
        ("convert_hex_to_ascii", ("6869",), "hi"),
        ("convert_hex_to_ascii", (6869,), "hi"),
        ("convert_hex_to_ascii", ("68 69\n",), "hi"),
        ("convert_hex_to_ascii", ("686",), None),
        ("convert_hex_to_ascii", ("ff",), None),
        ("reverse_string", ("abc",), "cba"),
        ("reverse_string", (["a", "b"],), "['b', 'a']"),
        ("reverse_string", (12,), None),
        ("caesar_decode", ("Fdw! 9", 3), "Cat! 9"),
        ("caesar_decode", ("abc", "3"), "xyz"),
        ("caesar_decode", ("d", 3.7), "a"),
        ("caesar_decode", ("é", -3), "j"),
        ("caesar_decode", ("abc", "x"), None),
        ("caesar_decode", ("abc",), None),
        ("string_length", ("abcd",), "4"),
        ("string_length", (5,), None),
        ("minimum_value", (3, 1.5), "1.5"),
        ("maximum_value", ([1, 2],), "[1, 2]"),
        ("minimum_value", (), None),
        ("maximum_value", ("a", 1), None),
    ],
)
def test_message_decoder(tool: str, values: tuple[Any, ...], result: str | None) -> None:
    expected = (
        f"{FAILED} {tool} with args {values!r}. Did you try to invoke more than one tool at a time?"
        if result is None
        else result
    )
    assert _call("message_decoder", tool, *values) == expected


@pytest.mark.parametrize(
    ("tool", "values", "result"),
    [
        ("count_nucleotides", ("GATTACA",), "{'G': 1, 'A': 3, 'T': 2, 'C': 1}"),
        ("transcribe_dna_to_mrna", ("ACGTx",), "UGCAx"),
        ("reverse_transcribe_mrna_to_dna", ("UCAGx",), "AGTCx"),
        (
            "translate_mrna_to_amino_acid",
            ("AUGUUUUUCAU",),
            "Methionine-Phenylalanine-Phenylalanine-X",
        ),
        ("translate_mrna_to_amino_acid", ("",), ""),
        ("find_max_nucleotide", ("A", 2, "C", 3, "G", 3), "('C', 3)"),
        ("find_max_nucleotide", ("A", 2, "C"), "('A', 2)"),
        ("is_valid_dna_sequence", ("ACGT",), "True"),
        ("is_valid_dna_sequence", ("",), "True"),
        ("is_valid_dna_sequence", ("ACGU",), "False"),
    ],
)
def test_dna_sequencer(tool: str, values: tuple[Any, ...], result: str) -> None:
    assert _call("dna_sequencer", tool, *values) == result


def test_dna_sequencer_failures() -> None:
    for tool, values in (("find_max_nucleotide", ("A",)), ("transcribe_dna_to_mrna", (["A"],))):
        assert _call("dna_sequencer", tool, *values).startswith(f"{FAILED} {tool} with args")


@pytest.mark.parametrize(
    ("tool", "values", "result"),
    [
        ("convert_currency", (50, 1.5), "75.0"),
        ("convert_currency", ("$100", 2), "$100$100"),
        ("calculate_tariff", (161.3, 7), "11.291000000000002"),
        ("estimate_final_value", (1, 0.1), "1.1"),
        ("find_minimum", (3, 1, 2), "1"),
        ("find_maximum", (3, 1, 2.5), "3"),
        ("calculator", ("2 + (3 * 4)",), "14"),
        ("calculator", ("calculate_tariff(200, 5) + find_maximum(1, 2)",), "12.0"),
        ("calculator", (5,), "Failed to evaluate expression: 5"),
    ],
)
def test_trade_calculator(tool: str, values: tuple[Any, ...], result: str) -> None:
    assert _call("trade_calculator", tool, *values) == result


def test_travel_planning() -> None:
    domain = sca_envs.domain("travel_planning")
    flight = next(iter(domain.base.tables["flights"].values()))
    start, goal, day = flight["from_location"], flight["to_location"], flight["date"]
    found = _call("travel_planning", "find_flights", start, goal, day)
    assert str(flight) in found
    assert found == _call("travel_planning", "find_flights", start.strip('"'), goal.strip('"'), day)
    assert _call("travel_planning", "find_flights", start, goal, 5) == "[]"
    assert _call("travel_planning", "book_hotel", goal, ["wifi"]) == "[]"
    for values in (("X", goal, day), (start, "X", day), (start, goal), (1, goal, day)):
        assert _call("travel_planning", "find_flights", *values).startswith(FAILED)
    error = _call_by_name("travel_planning", "book_hotel", location="X", preferences=[])
    assert error.startswith("Error: Location [X] is not supported. Supported locations: ['\"")
    assert _call("travel_planning", "budget_calculator", 100, 20.5, 2) == "141.0"
    assert _call("travel_planning", "max", 5).startswith(FAILED)
    assert _call("travel_planning", "min", [3, 1]) == "1"
    assert _call("travel_planning", "sum", 0.1, 0.2, 0.3) == "0.6000000000000001"
    assert _call("travel_planning", "sum") == "0"


def test_web_browsing() -> None:
    lines = [f"line {number}" for number in range(12)]
    pages = {"/": {"content": "\n".join(lines)}, "/x": {"content": "short"}}
    domain = sca_envs.domain("web_browsing")
    browser = {"state": {"page": "/", "scroll": 0, "history": []}}
    database = Database(Base({"pages": pages, "browser": browser}))

    def see(tool: str, *values: Any) -> str:
        return domain.call_positional(database, tool, values)

    rule = "-" * 10
    top = f"{rule}\n[Web Page Name: /]\n[Viewing page 1 of 3]\n\n" + "\n".join(lines[:5])
    assert see("view") == f"{top}\n{rule}"
    assert see("go_to_previous_page") == "[No previous page.]"
    assert see("scroll_up") == "[Reached the top of the page.]\n"
    assert "[Viewing page 2 of 3]\n\nline 5\n" in see("scroll_down")
    assert see("scroll_down").endswith("\n\nline 10\nline 11\n----------")
    assert see("scroll_down") == "[Reached the bottom of the page.]\n"
    snapshot = database.snapshot()
    short = f"{rule}\n[Web Page Name: /x]\n[Viewing page 1 of 1]\n\nshort\n{rule}"
    assert see("click_url", "'/x'") == f"[Opened page: /x]\n{short}"
    assert see("click_url", '"/x"') == "[URL not found.]"
    assert see("click_url", "/x") == f"[Opened page: /x]\n{short}"
    assert see("go_to_previous_page") == f"[Opened page: /x]\n{short}"
    assert see("go_to_previous_page") == f"[Opened page: /]\n{top}\n{rule}"
    assert see("click_url", 5).startswith(FAILED)
    database.restore(snapshot)
    assert "[Viewing page 3 of 3]" in see("view")


def test_calls_by_name() -> None:
    assert _call_by_name("message_decoder", "minimum_value", values=[3, 2, 7]) == "2"
    assert _call_by_name("message_decoder", "minimum_value").startswith("Error: ")
    assert (
        _call_by_name("dna_sequencer", "count_nucleotides", dna_sequence="AAC")
        == "{'A': 2, 'C': 1}"
    )
    assert _call_by_name("dna_sequencer", "find_max_nucleotide", counts=["A", 1]) == "('A', 1)"
    assert _call_by_name("travel_planning", "sum", values=[1, 2.5]) == "3.5"
    wrong = _call_by_name("message_decoder", "caesar_decode", message="a", shift="3")
    assert wrong.startswith("Error: invalid arguments for caesar_decode: 'shift'")
    domain = sca_envs.domain("message_decoder")
    schema = domain.tools["maximum_value"].schema["function"]["parameters"]
    assert schema["properties"]["values"]["type"] == "array"
    assert domain.tools["caesar_decode"].order({"shift": 3, "message": "a"}) == ("a", 3)
    assert domain.tools["caesar_decode"].order({"shift": 3}) == ()
    assert _call("message_decoder", "no_such_tool") == "Cound not find tool with name no_such_tool"


def test_variadic_and_renamed_tools() -> None:
    def join(db: Database, first: str, *others: str) -> list[str]:
        """Join texts.

        Args:
            first: The first text.
            others: Further texts.
        """
        return [first, *others]

    tool = Tool.from_function(join, name="list", show=repr)
    assert (tool.name, tool.variadic) == ("list", "others")
    assert tool.parameters["required"] == ["first"]
    database = Database(Base({}))
    assert tool.call(database, {"others": ["b", "c"], "first": "a"}) == "['a', 'b', 'c']"
    assert tool.call(database, {"first": "a"}) == "['a']"
    assert tool.call(database, {"first": "a", "others": [1]}).startswith("Error: ")
    assert tool.call_positional(database, ("a", 1)) == "['a', 1]"


@pytest.mark.parametrize("tool", ["convert_currency", "calculate_tariff"])
@pytest.mark.parametrize("values", [("ab", 10**12), ([1], 10**12), (10**12, "x")])
def test_repetition_is_bounded(tool: str, values: tuple[Any, ...]) -> None:
    assert len(_call("trade_calculator", tool, *values)) < MAX_SHOWN + 200


@given(st.text(max_size=5) | st.lists(st.integers(), max_size=4), st.integers(-2, 3000))
def test_bounded_repetition_shows_the_same(sequence: Any, count: int) -> None:
    assert show(product(sequence, count)) == show(sequence * count)
    assert show(product(count, sequence)) == show(count * sequence)


@pytest.mark.parametrize(
    "expression",
    [
        "2 + (3 * 4)",
        "10/4",
        "-7 // 2 % 3",
        "2 ** 0.5",
        "1 / 3 * 3 == 1",
        "1 < 2 < 3 and not False",
        "5 if 2 > 1 else 6",
        "max(3, 4) + min([1, 2]) - abs(-3)",
        "round(2.675, 2)",
        "round(2.5)",
        "sum([1, 2, 3]) / len([1, 2, 3])",
        "sum((0.1, 0.2), start=1)",
        "sorted([3, 1, 2], reverse=True)",
        "'2 + 3'",
        "'ab' + 'c' * 2",
        "[1, 2, 3][-1]",
        "{'a': 1}['a']",
        "int('12') + float('0.5')",
        "divmod(17, 5)",
        "pow(2, 10, 1000)",
        "0x10 | 1 << 3",
        "1e400",
        "(1, 2) + (3,)",
        "  1 + 1  # comment",
        "3 in [1, 2, 3]",
        "max(*[4, 5], 3)",
        "2j * 2j",
    ],
)
def test_calculator_gives_what_python_gives(expression: str) -> None:
    assert str(calculate(expression, {})) == str(eval(expression.strip()))


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "1/0",
        "2 **",
        "x + 1",
        "__import__('os')",
        "().__class__",
        "'a'.upper()",
        "(lambda: 1)()",
        "[i for i in (1, 2)]",
        "open('f')",
        "max",
        "9 ** 99999",
        "9 ** 9 ** 9 ** 9",
        "1 << 10 ** 9",
        "'a' * 10 ** 9",
        "[[0] * 9999] * 9999",
        "'%9999999d' % 1",
        "round(1, -10 ** 10)",
        "pow(3, 10 ** 4000, 10 ** 4000 + 1)",
        "(" * 300 + ")" * 300,
        "-" * 999 + "1" + "+1" * 10,
        "1 +" * 5000 + "1",
        "f'{1}'",
        "{1, 2}",
        "1 +\x00 1",
    ],
)
def test_calculator_refuses(expression: str) -> None:
    begin = time.perf_counter()
    assert calculate(expression, {}) == f"Failed to evaluate expression: {expression}"
    assert time.perf_counter() - begin < 20


@pytest.mark.parametrize("expression", [5, None, ["1"], {"a": 1}, 2.5])
def test_calculator_takes_text_only(expression: Any) -> None:
    assert calculate(expression, {}) == f"Failed to evaluate expression: {expression}"


@given(st.text("0123456789+-*/().,<>=[]'aemx% ", max_size=40))
def test_calculator_never_raises(expression: str) -> None:
    str(calculate(expression, {}))
