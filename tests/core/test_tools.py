"""Tools: schemas from hints and docstrings, checked arguments, errors as observations."""

import copy
import json
from typing import Annotated, Any, Literal, NotRequired

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import TypedDict  # pydantic wants it before Python 3.12

from sca_envs.core.database import Base, Database
from sca_envs.core.errors import ToolError
from sca_envs.core.tools import Tool, choices, toolset


class Point(TypedDict):
    x: float
    title: str


class Parcel(TypedDict):
    point: Point
    tags: list[str]
    note: NotRequired[str]


def send(
    db: Database,
    name: str,
    count: int,
    weight: float,
    fragile: bool,
    tags: list[str],
    speed: Literal["slow", "fast"],
    parcel: Parcel,
    color: Annotated[str, choices("red", "blue")] = "red",
    note: str | None = None,
    limit: int = 10,
) -> dict[str, Any]:
    """Send a parcel
    somewhere.

    It is  quick.

    Args:
        name: Who gets it.
        count: How many; the text
            goes on here: and
                here.
        weight (float): In kilograms, such as
            '1.5'.
        fragile (bool, optional): Whether it breaks.
        tags: Labels.
        speed: How fast.
        parcel: What.
        color: Of the ribbon.
        note: Anything.
        limit: At most.

    Returns:
        Everything that came in.

    Raises:
        ToolError: Never.
    """
    db.put("log", str(len(list(db.items("log")))), {"name": name})
    given = locals()
    return {key: given[key] for key in ARGUMENTS | DEFAULTS}


def keep(db: Database, any: Any, items: list[Any], fields: dict[str, Any], plain: list) -> str:
    """Store what came.

    Args:
        any: Anything.
        items: A list.
        fields: An object.
        plain: A list, too.
    """
    db.put("log", "kept", {"any": any, "items": items, "fields": fields, "plain": plain})
    return "Kept."


def fail(db: Database, how: str) -> Any:
    """Go wrong.

    Args:
        how: In which way.
    """
    match how:
        case "tool":
            raise ToolError("no such order")
        case "key":
            raise KeyError("order")
        case "empty":
            raise ValueError
        case "deep":
            return fail(db, how)
        case "set":
            return {1, 2}
        case "key type":
            return {(1, 2): 3}
        case "object":
            return object()
    return None


def ping(db: Database) -> list[int]:
    """Say that all is well."""
    return [1, 2]


ARGUMENTS: dict[str, Any] = {
    "name": "Ada",
    "count": 2,
    "weight": 1.5,
    "fragile": False,
    "tags": ["a"],
    "speed": "slow",
    "parcel": {"point": {"x": 0.5, "title": "T"}, "tags": []},
}
DEFAULTS: dict[str, Any] = {"color": "red", "note": None, "limit": 10}

TOOLS = toolset(send, keep, fail, ping)


@pytest.fixture
def db() -> Database:
    return Database(Base({"log": {}}))


def test_a_toolset_keeps_the_order() -> None:
    assert list(TOOLS) == ["send", "keep", "fail", "ping"]
    assert all(name == tool.name for name, tool in TOOLS.items())


def test_schema() -> None:
    strings = {"type": "array", "items": {"type": "string"}}
    assert TOOLS["send"].schema == {
        "type": "function",
        "function": {
            "name": "send",
            "description": "Send a parcel somewhere. It is quick.",
            "parameters": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "description": "Who gets it."},
                    "count": {
                        "type": "integer",
                        "description": "How many; the text goes on here: and here.",
                    },
                    "weight": {"type": "number", "description": "In kilograms, such as '1.5'."},
                    "fragile": {"type": "boolean", "description": "Whether it breaks."},
                    "tags": {**strings, "description": "Labels."},
                    "speed": {
                        "type": "string",
                        "enum": ["slow", "fast"],
                        "description": "How fast.",
                    },
                    "parcel": {"$ref": "#/$defs/Parcel", "description": "What."},
                    "color": {
                        "type": "string",
                        "enum": ["red", "blue"],
                        "description": "Of the ribbon.",
                        "default": "red",
                    },
                    "note": {
                        "anyOf": [{"type": "string"}, {"type": "null"}],
                        "description": "Anything.",
                        "default": None,
                    },
                    "limit": {"type": "integer", "description": "At most.", "default": 10},
                },
                "required": list(ARGUMENTS),
                "additionalProperties": False,
                "$defs": {
                    "Point": {
                        "type": "object",
                        "properties": {"x": {"type": "number"}, "title": {"type": "string"}},
                        "required": ["x", "title"],
                        "additionalProperties": False,
                    },
                    "Parcel": {
                        "type": "object",
                        "properties": {
                            "point": {"$ref": "#/$defs/Point"},
                            "tags": strings,
                            "note": {"type": "string"},
                        },
                        "required": ["point", "tags"],
                        "additionalProperties": False,
                    },
                },
            },
        },
    }


def test_schema_without_parameters() -> None:
    parameters = TOOLS["ping"].schema["function"]["parameters"]
    assert parameters == {
        "type": "object",
        "properties": {},
        "required": [],
        "additionalProperties": False,
    }


def test_schema_is_a_fresh_copy() -> None:
    text = json.dumps(TOOLS["send"].schema)
    TOOLS["send"].schema["function"]["parameters"]["properties"].clear()
    assert json.dumps(TOOLS["send"].schema) == text


def no_docstring(db: Database, x: int) -> None: ...


def no_args_section(db: Database, x: int) -> None:
    """Do it, x: the number."""


def no_entry(db: Database, x: int, y: int) -> None:
    """Do it.

    Args:
        x: The number.

    Returns:
        y: This is no argument.
    """


def no_hint(db: Database, x) -> None:  # type: ignore[no-untyped-def]
    """Do it.

    Args:
        x: The number.
    """


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (no_docstring, "no_docstring: expected a docstring"),
        (no_args_section, "Args entry for parameter 'x'"),
        (no_entry, "Args entry for parameter 'y'"),
        (no_hint, "a type hint and an Args entry for parameter 'x'"),
    ],
)
def test_incomplete_functions_are_refused(function: Any, problem: str) -> None:
    with pytest.raises(TypeError, match=problem):
        Tool.from_function(function)


def test_a_call_gives_the_result_as_json(db: Database) -> None:
    tool = TOOLS["send"]
    assert json.loads(tool.call(db, ARGUMENTS)) == ARGUMENTS | DEFAULTS
    given = {**ARGUMENTS, "note": "n", "limit": 0, "color": "green", "weight": 3}
    assert json.loads(tool.call(db, given)) == given  # `choices` only advises
    assert dict(db.items("log")) == {"0": {"name": "Ada"}, "1": {"name": "Ada"}}
    assert TOOLS["ping"].call(db, {}) == "[1, 2]"
    assert TOOLS["keep"].call(db, {"any": 1, "items": [], "fields": {}, "plain": []}) == "Kept."


PROBLEMS: list[tuple[dict[str, Any], list[str]]] = [
    ({"name": 5}, ["'name': Input should be a valid string, got 5"]),
    ({"name": None}, ["'name': Input should be a valid string, got None"]),
    ({"count": "2"}, ["'count': Input should be a valid integer, got '2'"]),
    ({"count": 2.0}, ["'count': Input should be a valid integer, got 2.0"]),
    ({"count": True}, ["'count': Input should be a valid integer, got True"]),
    ({"weight": "1.5"}, ["'weight': Input should be a valid number, got '1.5'"]),
    ({"weight": False}, ["'weight': Input should be a valid number, got False"]),
    ({"fragile": 0}, ["'fragile': Input should be a valid boolean, got 0"]),
    ({"tags": "a"}, ["'tags': Input should be a valid list, got 'a'"]),
    ({"tags": ["a", 1, None]}, ["'tags.1': ", "got 1; ", "'tags.2': ", "got None"]),
    ({"speed": "Slow"}, ["'speed': Input should be 'slow' or 'fast', got 'Slow'"]),
    ({"parcel": []}, ["'parcel': ", "got []"]),
    ({"parcel": {"tags": [], "point": {"x": "1"}}}, ["'parcel.point.x': ", "'parcel.point.title'"]),
    ({"note": 1}, ["'note': ", "got 1"]),
    ({"limit": None}, ["'limit': Input should be a valid integer, got None"]),
    ({"unknown": 1, "x y": 2}, ["'unknown' is not a parameter; 'x y' is not a parameter"]),
    ({"name": "n" * 1_000_000 + "z", "count": "c" * 1_000}, ["'count': ", f"'{'c' * 59}…"]),
    ({"name": 1, "Name": 1, "count": "x"}, ["'name': ", "'count': ", "'Name' is not a parameter"]),
]


@pytest.mark.parametrize(("wrong", "problems"), PROBLEMS, ids=range(len(PROBLEMS)))
def test_wrong_arguments(db: Database, wrong: dict[str, Any], problems: list[str]) -> None:
    with pytest.raises(ToolError) as caught:
        TOOLS["send"].check(ARGUMENTS | wrong)
    text = str(caught.value)
    assert text.startswith("invalid arguments for send: ")
    assert text.endswith(f" (it takes {', '.join(ARGUMENTS | DEFAULTS)})")
    assert len(text) < 500
    for problem in problems:
        assert problem in text
    assert TOOLS["send"].call(db, ARGUMENTS | wrong) == f"Error: {text}"
    assert db.diff() == []


def test_missing_arguments(db: Database) -> None:
    given = {key: value for key, value in ARGUMENTS.items() if key not in ("name", "parcel")}
    text = TOOLS["send"].call(db, given)
    assert text.startswith("Error: invalid arguments for send: 'name' is missing; 'parcel' is mis")
    assert TOOLS["send"].call(db, {}).count(" is missing") == len(ARGUMENTS)
    assert TOOLS["ping"].call(db, {"x": 1}) == (
        "Error: invalid arguments for ping: 'x' is not a parameter (it takes no arguments)"
    )


@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [v], lambda v: {"in": {"side": v}}])
@pytest.mark.parametrize("name", ["any", "items", "fields", "plain"])
def test_arguments_are_copied(db: Database, name: str, wrap: Any) -> None:
    given: dict[str, Any] = {"any": [], "items": [], "fields": {}, "plain": []}
    mutable: list[Any] = ["a"]
    value = wrap(mutable)
    given[name] = {"k": value} if name == "fields" else [value]
    assert TOOLS["keep"].call(db, given) == "Kept."
    kept = copy.deepcopy(db.get("log", "kept"))
    assert kept == given
    mutable.append("b")
    given[name].clear()
    assert db.get("log", "kept") == kept


def test_nested_arguments_are_copied() -> None:
    given = copy.deepcopy(ARGUMENTS)
    checked = TOOLS["send"].check(given)
    given["tags"].append("b")
    given["parcel"]["point"]["x"] = 9.0
    given["parcel"]["tags"].append("c")
    assert checked == ARGUMENTS | DEFAULTS


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ("tool", "Error: no such order"),
        ("key", "Error: 'order'"),
        ("empty", "Error: "),
        ("deep", "Error: maximum recursion depth exceeded"),
        ("set", "Error: "),
        ("key type", "Error: "),
        ("object", "Error: "),
        ("none", "null"),
    ],
)
def test_what_goes_wrong_inside_is_an_observation(db: Database, how: str, text: str) -> None:
    assert TOOLS["fail"].call(db, {"how": how}).startswith(text)


_texts = st.text(st.characters(), max_size=5)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=5,
)


@given(
    name=st.sampled_from(list(TOOLS)),
    given_=st.dictionaries(st.sampled_from([*ARGUMENTS, *DEFAULTS, "any", "how"]), _values),
    complete=st.booleans(),
    more=st.dictionaries(_texts, _values, max_size=2),
)
def test_no_arguments_raise(name: str, given_: dict, complete: bool, more: dict) -> None:
    arguments = (ARGUMENTS if complete else {}) | given_ | more
    before = repr(arguments)
    db = Database(Base({"log": {}}))
    text = TOOLS[name].call(db, arguments)
    assert isinstance(text, str)
    assert text.startswith("Error: ") == (db.diff() == [] and not text.startswith(("[1", "null")))
    assert repr(arguments) == before
