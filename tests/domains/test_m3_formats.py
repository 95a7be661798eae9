"""The action formats m3-text, m3-json and m3-code."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sca_envs.core.actions import Answer, Code, Malformed, PositionalCall, Reply, ToolCall
from sca_envs.core.formats import action_format
from sca_envs.domains.m3.values import show_output

TEXT, JSON, CODE = (action_format(f"m3-{mode}") for mode in ("text", "json", "code"))


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("Action: view End Action", "view", ()),
        ("  Thought: hm. Action:  add , 1,2.5 , x y End Action tail", "add", (1, 2.5, "x y")),
        ("Action: add, 1_000, 0031, 61e2, -5", "add", (1000, 31, 6100.0, -5)),
        ("Action: say, 'a, b' End Action", "say", ("'a", "b'")),
        ("Action: view, End Action", "view", ("",)),
        ("Action: view() End Action", "view()", ()),
        ("Action: one End Action Action: two End Action", "one", ()),
        ("Action: one Answer: 5", "one", ()),
        ("Action: one Thought: wait", "one", ()),
        ("Action: one End Action: two", "one End", ()),
        ("Action: one\nEnd Action", "one", ()),
    ],
)
def test_text_calls(text: str, name: str, values: tuple[object, ...]) -> None:
    action = TEXT.parse(text)
    assert action == PositionalCall(name, values)
    assert isinstance(action, PositionalCall)
    assert list(map(type, action.values)) == list(map(type, values))


@pytest.mark.parametrize("mode", [TEXT, JSON, CODE])
@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Answer: 42", "42"),
        ("Thought: I know. Answer:  a b \n", "a b"),
        ("Answer: 42 Thought: done", "42"),
        ("Answer: 42\nAction: view End Action", "42"),
        ("Answer: 42 End Action more", "42 End Action"),
        ("Answer:", ""),
    ],
)
def test_answers(mode: object, text: str, answer: str) -> None:
    assert mode.parse(text) == Answer(answer)  # type: ignore[attr-defined]


@pytest.mark.parametrize("mode", [TEXT, JSON, CODE])
@pytest.mark.parametrize("text", ["", "hello", "action: view", "Answer 42", "{}"])
def test_neither_action_nor_answer(mode: object, text: str) -> None:
    action = mode.parse(text)  # type: ignore[attr-defined]
    assert isinstance(action, Malformed)
    assert action.verbatim
    assert action.problem.startswith("Invalid generation.")


def test_json_calls() -> None:
    def parse(inside: str) -> object:
        return JSON.parse(f"Action: {inside} End Action")

    assert parse('{"tool": "add", "args": [1, "1", null]}') == PositionalCall("add", (1, "1", None))
    assert parse('{"tool": "add", "args": 5}') == PositionalCall("add", (5,))
    assert parse('{"tool": "add", "args": {"a": 1}, "more": 0}') == PositionalCall(
        "add", ({"a": 1},)
    )
    assert parse('{"tool": ["add"], "args": []}') == PositionalCall("['add']", ())


@pytest.mark.parametrize(
    ("inside", "error"),
    [
        ('{"tool": "view"}', "'args'"),
        ('{"args": []}', "'tool'"),
        ("```json\n{}\n```", "Expecting value: line 1 column 1 (char 0)"),
        ("[1]", "list indices must be integers or slices, not str"),
        ("5", "'int' object is not subscriptable"),
    ],
)
def test_json_errors(inside: str, error: str) -> None:
    action = JSON.parse(f"Action: {inside} End Action")
    assert isinstance(action, Malformed)
    assert action.verbatim
    assert action.problem.startswith("Invalid action.")
    assert action.problem.endswith(f"Error: {error}")


def test_json_nested_too_deeply() -> None:
    assert isinstance(JSON.parse(f"Action: {'[' * 90_000} End Action"), Malformed)


def test_code() -> None:
    code = "for i in range(3):\n    print(view())\n"
    assert CODE.parse(f"Thought: loop.\nAction:\n{code}End Action") == Code(code)
    assert CODE.render(PositionalCall("add", (1, "x"))) == "Action: print(add(1, 'x')) End Action"
    assert CODE.parse(CODE.render(Code("print(1)"))) == Code("print(1) ")


@pytest.mark.parametrize("value", ["0031", "61e2", "a,b", " a", True, None])
def test_text_cannot_say_everything(value: object) -> None:
    if value in (True, None):
        assert TEXT.render(PositionalCall("f", (value,)))  # read as a text of the same letters
        return
    with pytest.raises(ValueError, match="cannot say"):
        TEXT.render(PositionalCall("f", (value,)))


def test_no_format_has_names_or_replies() -> None:
    for mode in (TEXT, JSON, CODE):
        for action in (ToolCall("f", {"a": 1}), Reply("hello")):
            with pytest.raises(ValueError, match="cannot say"):
                mode.render(action)
        malformed = mode.parse("hello")
        assert mode.render(malformed) == "hello"
    with pytest.raises(ValueError, match="cannot render PositionalCall"):
        action_format("json").render(PositionalCall("f", ()))


def _is_no_number(text: str) -> bool:
    return text.lower() not in ("inf", "infinity", "nan")


letters = st.characters(codec="ascii", categories=["L"])
simple = st.text(letters, min_size=1).filter(_is_no_number)
values = st.lists(st.integers() | st.floats(allow_nan=False) | simple)


@given(simple, values)
def test_round_trip(name: str, arguments: list[object]) -> None:
    call = PositionalCall(name, tuple(arguments))
    assert JSON.parse(JSON.render(call)) == call
    parsed = TEXT.parse(TEXT.render(call))
    assert isinstance(parsed, PositionalCall)
    assert [str(v) for v in parsed.values] == [str(v) for v in arguments]


@given(st.text(), st.sampled_from([TEXT, JSON, CODE]))
def test_parsing_is_total(text: str, mode: object) -> None:
    for whole in (text, f"Action: {text} End Action", f"Answer: {text}"):
        action = mode.parse(whole)  # type: ignore[attr-defined]
        try:
            rendered = mode.render(action)  # type: ignore[attr-defined]
        except ValueError:
            assert not isinstance(action, Malformed)
        else:
            assert type(mode.parse(rendered)) is type(action)  # type: ignore[attr-defined]


_LONG = 100_000


@pytest.mark.parametrize("mode", [TEXT, JSON, CODE])
@pytest.mark.parametrize(
    "text",
    [
        "Action:" * _LONG,
        "Action: " + "a," * _LONG,
        "Action: a, " + "9" * _LONG,
        "Answer: " + " " * _LONG + "x",
        "Thought:" * _LONG,
        "Action: " + "End Action" * _LONG,
        "Action: " + '{"tool": ' * _LONG,
    ],
)
def test_large_texts_end_soon(mode: object, text: str) -> None:
    begin = time.thread_time()
    mode.parse(text)  # type: ignore[attr-defined]
    assert time.thread_time() - begin < 20


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("", "[Executed Successfully with No Output, Did you forget to print?]"),
        ("380.40\n", "380.4"),
        ("0x10", "16"),
        ("10,000", "(10, 0)"),
        ("'quoted'\n", "quoted"),
        ("Out[1]: 5\n", "5"),
        ("two words\n", "two words\n"),
        ("{3, 1}", "{3, 1}"),
        ("x" * 2001, "x" * 2000 + "...\n[Output Truncated]"),
    ],
)
def test_what_code_printed(printed: str, shown: str) -> None:
    assert show_output(printed) == shown
