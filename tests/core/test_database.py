"""The copy-on-write database against plain dicts that are copied as a whole."""

import copy
import functools
import hashlib
import json
import pickle
from typing import Any, NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from sca_envs.core.database import Base, Change, Database, Record, Snapshot, canonical_json

Tables = dict[str, dict[str, Record]]
Place = tuple[str, str]

TABLES: Tables = {
    "users": {
        "zoe_1": {"name": {"first": "Zoe", "last": ""}, "orders": ["#W1", "#W2"], "kind": 1},
        "ada_2": {"name": {"first": "Ada"}, "orders": [], "kind": 1},
        "bo_3": {},
    },
    "orders": {"#W2": {"kind": True, "items": [{"id": "7", "price": 50.0}], "total": 50}},
    "empty": {},
}
_scalars = st.none() | st.booleans() | st.integers(-2, 2) | st.floats(-2, 2) | st.text(max_size=3)
_fields = st.sampled_from(["name", "kind", "items", "first", "0", ""])
values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_fields, inner, max_size=3),
    max_leaves=5,
)
records = st.dictionaries(_fields, values, max_size=4)
# Few places, so that often the same one is changed again.
places = st.sampled_from(
    [("users", "zoe_1"), ("users", "ada_2"), ("users", "new"), ("orders", "#W2"), ("empty", "é")]
)


def kind_of(key: str, record: Record) -> str:
    return canonical_json(record.get("kind"))


def names(table: dict[str, Record]) -> list[str]:
    return [f"{key}:{canonical_json(record.get('name'))}" for key, record in table.items()]


def digest_of(tables: Tables) -> str:
    text = json.dumps(tables, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def in_order(model: Tables) -> Tables:
    """Return the model with each table in the base's order, then the order of insertion."""
    ordered = {}
    for table, rows in model.items():
        base = [key for key in TABLES[table] if key in rows]
        ordered[table] = {key: rows[key] for key in [*base, *(k for k in rows if k not in base)]}
    return ordered


def apply(changes: list[Change], tables: Tables) -> Tables:
    """Return a copy of the tables with the changes made."""
    result = copy.deepcopy(tables)
    for path, before, after, kind in changes:
        *parents, last = path.split("/")[1:]
        place: Any = functools.reduce(lambda at, part: at[part], parents, result)
        assert (last in place) == (kind != "add"), path
        if kind != "add":
            assert canonical_json(place.pop(last)) == canonical_json(before), path
        if kind != "remove":
            place[last] = copy.deepcopy(after)
    return result


class Pair(NamedTuple):
    """A database and what it should hold."""

    db: Database
    model: Tables


class DatabaseMachine(RuleBasedStateMachine):
    """Several databases on one base, each beside a plain dict that gets the same changes."""

    pairs = Bundle("pairs")
    snapshots = Bundle("snapshots")

    @initialize(target=pairs)
    def begin(self) -> Pair:
        self.base = Base(copy.deepcopy(TABLES))
        self.all: list[Pair] = []
        self.states: list[tuple[Snapshot, Tables]] = []
        return self._add(Database(self.base), copy.deepcopy(TABLES))

    def _add(self, db: Database, model: Tables) -> Pair:
        self.all.append(Pair(db, model))
        return self.all[-1]

    @rule(target=pairs, pair=pairs)
    def fork(self, pair: Pair) -> Pair:
        return self._add(pair.db.fork(), copy.deepcopy(pair.model))

    @rule(target=pairs, state=snapshots)
    def begin_at(self, state: tuple[Snapshot, Tables]) -> Pair:
        return self._add(Database(self.base, state[0]), copy.deepcopy(state[1]))

    @rule(target=snapshots, pair=pairs)
    def snapshot(self, pair: Pair) -> tuple[Snapshot, Tables]:
        self.states.append((pair.db.snapshot(), copy.deepcopy(pair.model)))
        return self.states[-1]

    @rule(pair=pairs, state=snapshots)
    def restore(self, pair: Pair, state: tuple[Snapshot, Tables]) -> None:
        pair.db.restore(state[0])
        pair.model.clear()
        pair.model.update(copy.deepcopy(state[1]))

    @rule(pair=pairs, place=places, field=_fields, value=values)
    def edit(self, pair: Pair, place: Place, field: str, value: Any) -> None:
        table, key = place
        if key not in pair.model[table]:
            with pytest.raises(KeyError):
                pair.db.edit(table, key)
            return
        for record in (pair.db.edit(table, key), pair.model[table][key]):
            record[field] = copy.deepcopy(value)

    @rule(pair=pairs, place=places, value=values)
    def edit_inside(self, pair: Pair, place: Place, value: Any) -> None:
        """Change every list and dict that a record holds, in place."""
        table, key = place
        if key not in pair.model[table]:
            return
        for record in (pair.db.edit(table, key), pair.model[table][key]):
            for part in list(record.values()):
                if isinstance(part, list):
                    part.append(copy.deepcopy(value))
                elif isinstance(part, dict):
                    part.pop("first", None)
                    part["0"] = copy.deepcopy(value)

    @rule(pair=pairs, place=places, field=_fields)
    def remove_field(self, pair: Pair, place: Place, field: str) -> None:
        table, key = place
        if key in pair.model[table]:
            for record in (pair.db.edit(table, key), pair.model[table][key]):
                record.pop(field, None)

    @rule(pair=pairs, place=places, record=records)
    def put(self, pair: Pair, place: Place, record: Record) -> None:
        table, key = place
        pair.db.put(table, key, copy.deepcopy(record))
        pair.model[table][key] = copy.deepcopy(record)

    @rule(pair=pairs, place=places)
    def delete(self, pair: Pair, place: Place) -> None:
        table, key = place
        if key in pair.model[table]:
            pair.db.delete(table, key)
            del pair.model[table][key]
        else:
            with pytest.raises(KeyError):
                pair.db.delete(table, key)

    @rule(pair=pairs, state=snapshots)
    def diff_since(self, pair: Pair, state: tuple[Snapshot, Tables]) -> None:
        changes = pair.db.diff(state[0])
        assert canonical_json(apply(changes, state[1])) == canonical_json(pair.model)

    @rule(one=pairs, other=pairs)
    def compare(self, one: Pair, other: Pair) -> None:
        assert (one.db == other.db) == (canonical_json(one.model) == canonical_json(other.model))

    @rule(pair=pairs, place=places, value=values)
    def read(self, pair: Pair, place: Place, value: Any) -> None:
        table, key = place
        model = in_order(pair.model)[table]
        assert pair.db.get(table, key) == model.get(key)
        if key in model:
            assert pair.db.text(table, key) == json.dumps(model[key])
        else:
            with pytest.raises(KeyError):
                pair.db.text(table, key)
        wanted = [
            kind_of("", {"kind": value}),
            *(kind_of(k, record) for k, record in model.items()),
            *(kind_of(k, record) for k, record in TABLES[table].items()),
        ]
        for kind in wanted:
            first = next((k for k, record in model.items() if kind_of(k, record) == kind), None)
            assert pair.db.find(table, kind_of, kind) == first
        assert pair.db.derived(table, names) == names(model)

    @invariant()
    def holds(self) -> None:
        for db, model in self.all:
            ordered = in_order(model)
            assert json.dumps(db.to_dict()) == json.dumps(ordered)
            assert {table: list(db.items(table)) for table in TABLES} == {
                table: list(rows.items()) for table, rows in ordered.items()
            }
            assert db.digest() == digest_of(model)
            assert canonical_json(apply(db.diff(), TABLES)) == canonical_json(model)

    @invariant()
    def base_and_snapshots_never_change(self) -> None:
        assert json.dumps(self.base.tables) == json.dumps(TABLES)
        for snapshot, model in self.states:
            assert canonical_json(Database(self.base, snapshot).to_dict()) == canonical_json(model)


TestDatabaseMachine = DatabaseMachine.TestCase
TestDatabaseMachine.settings = settings(max_examples=50, stateful_step_count=30)


@functools.cache
def shared_base() -> Base:
    return Base(copy.deepcopy(TABLES), origin=(shared_base, ()))


def new_database(origin: bool = True) -> Database:
    return Database(shared_base() if origin else Base(copy.deepcopy(TABLES)))


@pytest.mark.parametrize("same_base", [True, False])
@pytest.mark.parametrize(
    ("one", "other"), [(50, 50.0), (1, True), (0, False), (1.0, True), (None, 0), ("1", 1)]
)
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [v], lambda v: {"a": [{"b": v}]}])
def test_equality_tells_kinds_apart(one: Any, other: Any, wrap: Any, same_base: bool) -> None:
    left, right = new_database(), new_database(same_base)
    left.edit("users", "bo_3")["x"] = wrap(one)
    right.edit("users", "bo_3")["x"] = wrap(other)
    assert left != right
    assert left.digest() != right.digest()
    assert left.snapshot() != right.snapshot()
    if same_base:
        assert [change.path[:13] for change in left.diff(right.snapshot())] == ["/users/bo_3/x"]
    right.edit("users", "bo_3")["x"] = wrap(one)
    assert left == right
    assert left.snapshot() == right.snapshot()


def test_order_of_fields_does_not_matter() -> None:
    one, other = new_database(), new_database()
    one.put("orders", "x", {"a": 1, "b": 2})
    other.put("orders", "x", {"b": 2, "a": 1})
    assert one == other
    assert one.digest() == other.digest()
    assert one.diff(other.snapshot()) == []


def test_a_change_that_is_undone_is_no_change() -> None:
    db = new_database()
    db.edit("orders", "#W2")["total"] = 51
    db.delete("users", "bo_3")
    db.edit("orders", "#W2")["total"] = 50
    db.put("users", "bo_3", {})
    assert db == new_database()
    assert db.diff() == []
    assert db.digest() == shared_base().digest()


def test_diff_says_what_changed() -> None:
    db = new_database()
    db.edit("users", "zoe_1")["name"]["last"] = "Ito"
    db.edit("users", "zoe_1")["orders"].append("#W3")
    db.edit("users", "ada_2")["vip"] = None
    del db.edit("users", "ada_2")["kind"]
    db.put("empty", "n", {})
    db.delete("users", "bo_3")
    assert db.diff() == [
        Change("/empty/n", None, {}, "add"),
        Change("/users/ada_2/kind", 1, None, "remove"),
        Change("/users/ada_2/vip", None, None, "add"),
        Change("/users/bo_3", {}, None, "remove"),
        Change("/users/zoe_1/name/last", "", "Ito", "change"),
        Change("/users/zoe_1/orders", ["#W1", "#W2"], ["#W1", "#W2", "#W3"], "change"),
    ]


def test_diff_of_keys_with_slashes() -> None:
    db = Database(Base({"pages": {"a": {}, "x/y": {}}}))
    db.edit("pages", "a")["b"] = {"c": 1}
    db.put("pages", "a/b", {"c": 1})
    db.delete("pages", "x/y")
    changes = db.diff()
    assert sorted(change.kind for change in changes) == ["add", "add", "remove"]
    assert len({change.path for change in changes}) == 3


def test_a_deleted_record_is_gone() -> None:
    db = new_database()
    for key in ("bo_3", "new"):
        db.put("users", key, {})
        db.edit("users", key)["x"] = 1
        db.delete("users", key)
        assert db.get("users", key) is None
        for method in (db.edit, db.delete, db.text):
            with pytest.raises(KeyError, match=key):
                method("users", key)


def test_results_are_copies() -> None:
    db = new_database()
    db.edit("users", "zoe_1")["orders"].append("#W3")
    state = canonical_json(db.to_dict())
    db.to_dict()["users"]["zoe_1"]["orders"].clear()
    for change in db.diff():
        change.after.clear()
    assert canonical_json(db.to_dict()) == state


def test_errors() -> None:
    db, foreign = new_database(), new_database(origin=False).snapshot()
    for method in (db.edit, db.delete, db.text):
        with pytest.raises(KeyError, match="nobody"):
            method("users", "nobody")
    with pytest.raises(KeyError, match="nowhere"):
        db.put("nowhere", "x", {})
    for use in (db.restore, db.diff, functools.partial(Database, db.base)):
        with pytest.raises(ValueError, match="same base"):
            use(foreign)
    for value in (db, foreign):
        with pytest.raises(TypeError, match="unhashable"):
            hash(value)
        assert value != "database"


@pytest.mark.parametrize("origin", [True, False])
@pytest.mark.parametrize(
    "duplicate",
    [Database.fork, copy.copy, copy.deepcopy, lambda db: pickle.loads(pickle.dumps(db))],
)
def test_duplicates_are_equal_and_independent(duplicate: Any, origin: bool) -> None:
    db = new_database(origin)
    db.edit("users", "zoe_1")["orders"].append("#W3")
    db.delete("users", "bo_3")
    other = duplicate(db)
    assert other == db
    assert list(other.items("users")) == list(db.items("users"))
    before = db.digest()
    db.edit("users", "zoe_1")["kind"] = 2
    assert other.digest() == before
    other.edit("users", "zoe_1")["kind"] = 3
    assert db.get("users", "zoe_1")["kind"] == 2
    assert json.dumps(db.base.tables) == json.dumps(TABLES)


def test_pickling_goes_by_reference_where_there_is_an_origin() -> None:
    db = new_database()
    db.edit("orders", "#W2")["total"] = 7
    text = pickle.dumps((db, db.snapshot()))
    loaded, snapshot = pickle.loads(text)
    assert loaded.base is snapshot.base is shared_base()
    assert b"Ada" not in text
    loaded.edit("orders", "#W2")["total"] = 8
    loaded.restore(snapshot)
    assert loaded == db


def test_pickling_takes_the_tables_along_where_there_is_none() -> None:
    db = new_database(origin=False)
    assert db.digest() == db.base.digest()
    loaded, snapshot = pickle.loads(pickle.dumps((db, db.snapshot())))
    assert loaded.base is snapshot.base is not db.base
    loaded.edit("users", "ada_2")["kind"] = 9
    assert loaded != db
    loaded.restore(snapshot)
    assert loaded == db


def test_was_written_says_whether_any_record_was() -> None:
    db = Database(Base({"people": {"a": {"n": 1}, "b": {"n": 2}}}))
    before = db.snapshot()
    db.get("people", "a")
    assert not db.was_written(before)
    db.edit("people", "a")["n"] = 1  # what it was before
    assert db.was_written(before)
    later = db.snapshot()
    assert not db.was_written(later)
    db.edit("people", "a")["n"] = 3
    assert db.was_written(later)
    last = db.snapshot()
    db.put("people", "c", {"n": 4})
    assert db.was_written(last)
    last = db.snapshot()
    db.delete("people", "c")
    assert db.was_written(last)
