"""Action formats: parsing is total, and what is rendered parses to the same action."""

import json
import re
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sca_envs.core.actions import Action, Answer, Code, Malformed, Reply, ToolCall
from sca_envs.core.errors import OptionError
from sca_envs.core.formats import ANSWER, FORMATS, RESPOND, action_format

CALL = '{"name": "find", "arguments": {"x": 1}}'
JSON, HERMES = FORMATS["json"], FORMATS["hermes"]

# M3ToolEval's formats, whose arguments have no names, have tests of their own.
every_format = pytest.mark.parametrize("name", ["json", "hermes"])

_fragments = st.sampled_from(
    [
        *("<tool_call>", "</tool_call>", "<think>", "</think>", "```", "```json\n", "```python\n"),
        *("{", "}", "[", "]", ",", ":", '"', '"name"', '"arguments"', '"content"', '"respond"'),
        *("NaN", "-Infinity", "1e999", "null", "true", "-0", "0.5", '"\\ud800"', "\\", "\\u0000"),
        *("\n", "\r\n", " ", "\t", "\x00", "\u2028", "\ud800", "\udfff", "\ufeff", "é", "😀"),
        *(CALL, '{"name": "f"}', '{"name": "respond", "arguments": {"content": "x"}}', "Hello"),
    ]
)
hostile_texts = st.lists(_fragments, max_size=12).map("".join)
any_texts = st.text(st.characters()) | hostile_texts
# Two surrogates side by side are no text: JSON has no way to tell them from one character.
_pair = re.compile("[\ud800-\udbff][\udc00-\udfff]")
texts = any_texts.filter(lambda text: not _pair.search(text))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
calls = st.builds(
    ToolCall,
    texts.filter(lambda name: name not in (RESPOND, ANSWER)),
    st.dictionaries(texts, values, max_size=4),
)


def same(one: Action, other: Action) -> bool:
    """Return whether two actions are equal, the kinds of their numbers included."""
    return one == other and repr(one) == repr(other)


@every_format
@given(text=any_texts)
@example(text="")
@example(text='{"name": "f", "arguments": {"x": 1e999}}')
@example(text='{"name": "f", "arguments": {"x": "<\\/tool_call>"}}')
@example(text='<tool_call>{"name": "f", "arguments": {"x": 1e999}}</tool_call>')
@example(text='<tool_call>{"name": "f", "arguments": {"x": "<\\/tool_call>"}}</tool_call>')
def test_every_text_is_an_action(name: str, text: str) -> None:
    action = FORMATS[name].parse(text)
    assert isinstance(action, Action)
    if isinstance(action, Malformed):
        assert action.text == text
        assert action.problem.startswith("Expected")
    if not _pair.search(text):
        assert same(FORMATS[name].parse(FORMATS[name].render(action)), action)


_MILLION = 1_000_000
LARGE = {
    "prose": "x" * _MILLION,
    "blanks": "\n" * _MILLION,
    "blanks before a call": "\n" * _MILLION + "{",
    "open objects": '{"a":' * 200_000,
    "open lists": '{"name": "f", "arguments": {"x": ' + "[" * _MILLION,
    "closed lists": '{"name": "f", "arguments": {"x": ' + "[" * 5_000 + "]" * 5_000 + "}}",
    "long key": json.dumps({"name": "f", "k" * _MILLION: 1}),
    "long name": json.dumps({"name": "n" * _MILLION, "arguments": {}}),
    "long argument": json.dumps({"name": "f", "arguments": {"x": "é" * 200_000}}),
    "long number": '{"name": "f", "arguments": {"x": ' + "9" * _MILLION + "}}",
    "open string": '{"name": "' + "x" * _MILLION,
    "fence": "```json\n" + "x" * _MILLION + "\n```",
    "fences": "```\n" * 250_000,
    "open calls": "<tool_call>" * 100_000,
    "calls": "<tool_call></tool_call>" * 50_000,
    "closed calls": "</tool_call>" * 100_000,
    "thoughts": "<think>" * 150_000,
    "closed thoughts": "<think></think>" * 70_000,
    # Short enough to end in a minute even if the time grows with the cube or the square.
    "fence and empty lines": "```" + "\n" * 1_000 + "x",
    "fence and blanks": "```\n" + " " * 30_000 + "x",
    "fence, blanks and a fence": "```\n" + " " * 30_000 + "x```",
}


@pytest.mark.parametrize("name", list(FORMATS))
@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
def test_large_texts_end_soon(name: str, text: str) -> None:
    begin = time.thread_time()
    action = FORMATS[name].parse(text)
    assert time.thread_time() - begin < 20
    if isinstance(action, Malformed):
        assert len(action.problem) < 1_000


@every_format
@given(action=calls | st.builds(Reply, texts) | st.builds(Answer, texts))
@example(action=Reply(CALL))
@example(action=Reply(f"<tool_call>\n{CALL}\n</tool_call>"))
@example(action=Reply("<tool_call></tool_call>"))
@example(action=Reply("<think>\nHm.</think> Hello"))
@example(action=Reply(" \n```json\n{}\n```"))
@example(action=Reply(""))
@example(action=Answer(""))
@example(action=Answer("</tool_call>"))
@example(action=ToolCall("find", {"html": "<tool_call></tool_call><think>"}))
@example(action=ToolCall("", {"": [1, 1.0, True, None, -0.0, 10**30, {"\ud800": "\udfff"}]}))
def test_what_is_rendered_parses_to_the_same(name: str, action: Action) -> None:
    text = FORMATS[name].render(action)
    assert same(FORMATS[name].parse(text), action)


@every_format
@pytest.mark.parametrize("text", ["Hello!", "It costs {5} dollars.", "a\n\n  b ", "[1, 2]"])
def test_plain_speech_is_rendered_as_it_is(name: str, text: str) -> None:
    assert FORMATS[name].render(Reply(text)) == text
    assert FORMATS[name].parse(text) == Reply(text)


@every_format
def test_code_cannot_be_rendered(name: str) -> None:
    with pytest.raises(ValueError, match=f"'{name}' cannot render Code"):
        FORMATS[name].render(Code("answer(1)"))


@pytest.mark.parametrize(
    ("text", "action"),
    [
        (CALL, ToolCall("find", {"x": 1})),
        (f"\n  {CALL}\t", ToolCall("find", {"x": 1})),
        (f"```json\n{CALL}\n```", ToolCall("find", {"x": 1})),
        (f"```\n\n{CALL}```\n", ToolCall("find", {"x": 1})),
        ('{"name": "find"}', ToolCall("find", {})),
        ('{"arguments": {}, "name": "find"}', ToolCall("find", {})),
        ('{"name": "respond", "arguments": {"content": " Hi"}}', Reply(" Hi")),
        ('{"name": "answer", "arguments": {"content": "42"}}', Answer("42")),
        ("  Hi \n", Reply("  Hi \n")),
        (f"I call {CALL}", Reply(f"I call {CALL}")),
        (f"```python\n{CALL}\n```", Reply(f"```python\n{CALL}\n```")),
        (f"```json\n{CALL}\n``` done", Reply(f"```json\n{CALL}\n``` done")),
        ("```\nnothing\n```", Reply("```\nnothing\n```")),
    ],
)
def test_json_examples(text: str, action: Action) -> None:
    assert JSON.parse(text) == action


@pytest.mark.parametrize(
    ("text", "action"),
    [
        (f"<tool_call>{CALL}</tool_call>", ToolCall("find", {"x": 1})),
        (f"Let me see.\n<tool_call>\n{CALL}\n</tool_call>\nSo.", ToolCall("find", {"x": 1})),
        (f"<tool_call>\n{CALL}", ToolCall("find", {"x": 1})),
        (f"<think>It is {CALL}?</think>\n\nHello ", Reply("Hello ")),
        (f"<think>a\nb</think><tool_call>{CALL}</tool_call>", ToolCall("find", {"x": 1})),
        ("<think><tool_call></tool_call></think>Hi", Reply("Hi")),
        ("I <think> so.</think>", Reply("I <think> so.</think>")),
        (CALL, Reply(CALL)),
        ('<tool_call>{"name": "answer", "arguments": {"content": "42"}}', Answer("42")),
    ],
)
def test_hermes_examples(text: str, action: Action) -> None:
    assert HERMES.parse(text) == action


@every_format
@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("{", "invalid JSON"),
        (CALL + " And now?", "invalid JSON: Extra data"),
        ("{'name': 'find'}", "invalid JSON"),
        ('{"name": "f", "arguments": {"x": NaN}}', "invalid JSON: NaN is not JSON"),
        ('{"name": "f", "arguments": {"x": -Infinity}}', "-Infinity is not JSON"),
        ('{"name": "f", "arguments": {"x": 1e999}}', "1e999"),
        ('{"name": "f", "arguments": {"x": ' + "[" * 100_000, "invalid JSON"),
        ("{}", 'without a string "name"'),
        ('{"name": 5}', 'without a string "name"'),
        ('{"name": null, "arguments": {}}', 'without a string "name"'),
        ('{"name": "f", "arguments": [1]}', '"arguments" of type list'),
        ('{"name": "f", "arguments": "{}"}', '"arguments" of type str'),
        ('{"name": "f", "arguments": null}', '"arguments" of type NoneType'),
        ('{"name": "f", "args": {}, "id": 1}', "further keys ['args', 'id']"),
        ('{"name": "respond", "arguments": {}}', '"content": <text>'),
        ('{"name": "respond", "arguments": {"content": 1}}', '"content": <text>'),
        ('{"name": "answer", "arguments": {"content": "", "x": 1}}', '{"name": "answer"'),
    ],
)
def test_malformed_calls(name: str, body: str, problem: str) -> None:
    text = f"<tool_call>{body}</tool_call>" if name == "hermes" else body
    action = FORMATS[name].parse(text)
    assert isinstance(action, Malformed)
    assert action.text == text
    assert action.problem.startswith('Expected {"name": ')
    assert problem in action.problem
    assert FORMATS[name].render(action) == text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("<tool_call>[1]</tool_call>", "got JSON of type list"),
        ("<tool_call></tool_call>", "invalid JSON"),
        ("<tool_call>find(x=1)</tool_call>", "invalid JSON"),
        (f"<tool_call>{CALL}</tool_call>" * 2, "at most one <tool_call> a turn, got 2"),
        (f"{CALL}</tool_call>", "Expected <tool_call> before </tool_call>"),
        ("<think>Hm.", "Expected </think> and then"),
        (f"<think>Hm. <tool_call>{CALL}</tool_call>", "Expected </think> and then"),
    ],
)
def test_malformed_hermes_turns(text: str, problem: str) -> None:
    action = HERMES.parse(text)
    assert isinstance(action, Malformed)
    assert action.text == text
    assert problem in action.problem


@every_format
def test_formats_by_name(name: str) -> None:
    assert action_format(name) is FORMATS[name]
    assert action_format(name).name == name


@pytest.mark.parametrize("name", ["yaml", "", None, ["json"], 5])
def test_unknown_format(name: Any) -> None:
    with pytest.raises(OptionError, match=r"one of json, hermes.* got "):
        action_format(name)


@given(text=any_texts)
@example(text="```python\nx\n```")
@example(text="```python\n```")
@example(text='```python\nrespond("```")\n```')
def test_python_format_is_total_and_says_every_reply(text: str) -> None:
    written = FORMATS["python"]
    assert isinstance(written.parse(text), Action)
    for action in (Reply(text), Answer(text)):
        assert same(written.parse(written.render(action)), action)


@given(source=any_texts)
def test_python_format_keeps_code(source: str) -> None:
    written = FORMATS["python"]
    try:
        parsed = written.parse(written.render(Code(source)))
    except ValueError:
        assert "```" in source
        return
    if isinstance(parsed, Code):
        assert parsed.source == f"{source}\n"
    else:
        assert isinstance(parsed, Reply | Answer)
