"""A copy-on-write database of JSON records.

All episodes of a process share one immutable `Base`; a `Database` holds only the records that its
episode changed. So `fork`, `snapshot`, `restore`, `diff` and equality cost what changed, not what
exists.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, NamedTuple

Record = dict[str, Any]
"""One row of a table: a JSON object."""

_Key = tuple[str, str]
_ABSENT: Any = object()
_CONTAINERS = frozenset((dict, list))


def canonical_json(value: Any) -> str:
    """Return the JSON text of `value` with sorted keys and no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def same_json(a: Any, b: Any) -> bool:
    """Return whether two JSON values have the same canonical text.

    The order of keys does not matter, but ``50``, ``50.0`` and ``True`` are three values, as they
    are for the original benchmarks' hashes.
    """
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        if len(a) != len(b):
            return False
        for key, mine in a.items():
            theirs = b.get(key, _ABSENT)
            if mine is not theirs and not same_json(mine, theirs):
                return False
        return True
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same_json, a, b))
    if isinstance(a, float):
        return repr(a) == repr(b)
    return bool(a == b)


def copy_json(value: Any) -> Any:
    """Return a deep copy of a JSON value (several times faster than `copy.deepcopy`)."""
    # Most values are leaves, and a look at the type is cheaper than a call.
    if isinstance(value, dict):
        return {k: copy_json(v) if type(v) in _CONTAINERS else v for k, v in value.items()}
    if isinstance(value, list):
        return [copy_json(v) if type(v) in _CONTAINERS else v for v in value]
    return value


class Change(NamedTuple):
    """One difference between two databases."""

    path: str
    """Where it is, as a JSON Pointer: ``/table/key/field/…``. Lists are compared as a whole."""
    before: Any
    """The old value; None where `kind` is ``add``."""
    after: Any
    """The new value; None where `kind` is ``remove``."""
    kind: str
    """``add``, ``remove`` or ``change``."""


class Base:
    """Tables that never change, shared by every episode of a process.

    Texts, digests and indexes of records are computed on first use and kept, which is safe because
    nothing may write to the tables.

    Args:
        tables: Table name -> record key -> record. The caller gives up ownership.
        origin: A function and its arguments that load this base again, for pickling by reference;
            without it the tables themselves are pickled.
    """

    def __init__(
        self,
        tables: Mapping[str, dict[str, Record]],
        origin: tuple[Callable[..., Base], tuple[Any, ...]] | None = None,
    ) -> None:
        self.tables = dict(tables)
        self._origin = origin
        self._texts: dict[_Key, str] = {}
        self._canonical: dict[_Key, str] = {}
        self._indexes: dict[tuple[str, Callable[..., Any]], dict[Hashable, list[str]]] = {}
        self._keys: dict[str, tuple[str, ...]] = {}
        self._positions: dict[str, dict[str, int]] = {}
        self._derived: dict[tuple[str, Callable[..., Any]], Any] = {}
        self._digest: str | None = None

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self._origin or (Base, (self.tables,))

    def keys(self, table: str) -> tuple[str, ...]:
        """Return the keys of a table, in order."""
        if table not in self._keys:
            self._keys[table] = tuple(self.tables[table])
        return self._keys[table]

    def text(self, table: str, key: str) -> str:
        """Return `json.dumps` of a record in its own key order."""
        text = self._texts.get((table, key))
        if text is None:
            text = self._texts[table, key] = json.dumps(self.tables[table][key])
        return text

    def canonical(self, table: str, key: str) -> str:
        """Return the canonical JSON text of a record."""
        text = self._canonical.get((table, key))
        if text is None:
            text = self._canonical[table, key] = canonical_json(self.tables[table][key])
        return text

    def index(self, table: str, by: Callable[[str, Record], Hashable]) -> dict[Hashable, list[str]]:
        """Return the keys of a table's records grouped by `by(key, record)`, in table order."""
        index = self._indexes.get((table, by))
        if index is None:
            index = {}
            for key, record in self.tables[table].items():
                index.setdefault(by(key, record), []).append(key)
            self._indexes[table, by] = index
        return index

    def position(self, table: str, key: str) -> int:
        """Return the place of a record in its table; keys that are not there come last."""
        positions = self._positions.get(table)
        if positions is None:
            positions = {k: i for i, k in enumerate(self.keys(table))}
            self._positions[table] = positions
        return positions.get(key, len(positions))

    def derived(self, table: str, function: Callable[[Mapping[str, Record]], Any]) -> Any:
        """Return `function(table)`, computed once."""
        if (table, function) not in self._derived:
            self._derived[table, function] = function(self.tables[table])
        return self._derived[table, function]

    def digest(self) -> str:
        """Return the sha256 of the canonical JSON of all tables, as hex digits."""
        if self._digest is None:
            self._digest = Database(self)._compute_digest()
        return self._digest


class Snapshot:
    """The changed records of a database at one moment; it never changes."""

    __slots__ = ("base", "overlay")

    def __init__(self, base: Base, overlay: dict[_Key, Record | None]) -> None:
        self.base = base
        self.overlay = overlay

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Snapshot):
            return NotImplemented
        return Database(self.base, self) == Database(other.base, other)

    __hash__ = None  # type: ignore[assignment]


class Database:
    """A database of JSON records: a shared `Base` and the records changed since.

    Args:
        base: The tables to start from.
        snapshot: The changed records to start from; none means the base's state.
    """

    __slots__ = ("_overlay", "_owned", "base")

    def __init__(self, base: Base, snapshot: Snapshot | None = None) -> None:
        self.base = base
        # A changed record by (table, key); None marks a deleted one. A record may be shared with
        # a snapshot or fork unless its key is in `_owned`, so `edit` copies it before a write.
        self._overlay: dict[_Key, Record | None] = {}
        self._owned: set[_Key] = set()
        if snapshot is not None:
            self.restore(snapshot)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Database, (self.base, self.snapshot())

    # Reading

    def get(self, table: str, key: str) -> Record | None:
        """Return a record to read, or None. Never write to it: use `edit`."""
        if self._overlay:
            record = self._overlay.get((table, key), _ABSENT)
            if record is not _ABSENT:
                return record  # type: ignore[no-any-return]
        return self.base.tables[table].get(key)

    def text(self, table: str, key: str) -> str:
        """Return a record as the JSON text that an agent reads.

        Raises:
            KeyError: If there is no such record.
        """
        if (table, key) not in self._overlay:
            return self.base.text(table, key)
        record = self._overlay[table, key]
        if record is None:
            raise KeyError(key)
        return json.dumps(record)

    def items(self, table: str) -> Iterator[tuple[str, Record]]:
        """Yield the key and record of every row: the base's order, then the order of insertion."""
        base = self.base.tables[table]
        for key in base:
            record = self.get(table, key)
            if record is not None:
                yield key, record
        for (name, key), record in self._overlay.items():
            if name == table and key not in base and record is not None:
                yield key, record

    def find(
        self, table: str, by: Callable[[str, Record], Hashable], value: Hashable
    ) -> str | None:
        """Return the key of the first record with `by(key, record) == value`, or None.

        Args:
            table: Name of the table.
            by: A module-level function; the base is indexed by it once a process.
            value: The value to look for.
        """
        keys = self.base.index(table, by).get(value, ())
        if not self._overlay:
            return keys[0] if keys else None
        found = [key for key in keys if (table, key) not in self._overlay]
        for (name, key), record in self._overlay.items():
            if name == table and record is not None and by(key, record) == value:
                found.append(key)
        return min(found, key=lambda key: self.base.position(table, key), default=None)

    def derived(self, table: str, function: Callable[[Mapping[str, Record]], Any]) -> Any:
        """Return `function` of a whole table, cached while the table is unchanged.

        Args:
            table: Name of the table.
            function: A module-level function of the table as a mapping.
        """
        if any(name == table for name, _ in self._overlay):
            return function(dict(self.items(table)))
        return self.base.derived(table, function)

    def to_dict(self) -> dict[str, dict[str, Record]]:
        """Return a deep copy of all tables as plain dicts."""
        return {
            table: {key: copy_json(record) for key, record in self.items(table)}
            for table in self.base.tables
        }

    # Writing

    def edit(self, table: str, key: str) -> Record:
        """Return a record to change in place; it is copied on the first write.

        Use the result at once: after a `fork`, `snapshot` or `restore` ask for it again.

        Raises:
            KeyError: If there is no such record.
        """
        at = (table, key)
        if at in self._owned:
            return self._overlay[at]  # type: ignore[return-value]
        record = self.get(table, key)
        if record is None:
            raise KeyError(key)
        copied: Record = copy_json(record)
        self._overlay[at] = copied
        self._owned.add(at)
        return copied

    def put(self, table: str, key: str, record: Record) -> None:
        """Insert or replace a record. The database keeps `record` itself."""
        if table not in self.base.tables:
            raise KeyError(table)
        self._overlay[table, key] = record
        self._owned.add((table, key))

    def delete(self, table: str, key: str) -> None:
        """Remove a record.

        Raises:
            KeyError: If there is no such record.
        """
        if self.get(table, key) is None:
            raise KeyError(key)
        self._owned.discard((table, key))
        if key in self.base.tables[table]:
            self._overlay[table, key] = None
        else:
            del self._overlay[table, key]

    # States

    def snapshot(self) -> Snapshot:
        """Return the present state, to `restore` later here or in a fork."""
        self._owned.clear()
        return Snapshot(self.base, dict(self._overlay))

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot.

        Raises:
            ValueError: If the snapshot was taken on other tables.
        """
        self._check_base(snapshot)
        self._overlay = dict(snapshot.overlay)
        self._owned.clear()

    def was_written(self, since: Snapshot) -> bool:
        """Return whether any record was written since a snapshot, be it to what it was."""
        # A record that both share is the same object, because a write copies it first.
        overlay = since.overlay
        return len(self._overlay) != len(overlay) or any(
            overlay.get(at, _ABSENT) is not record for at, record in self._overlay.items()
        )

    def _check_base(self, snapshot: Snapshot) -> None:
        if snapshot.base is not self.base:
            raise ValueError("Expected a snapshot of the same base, got one of another base")

    def fork(self) -> Database:
        """Return an independent database in the same state."""
        return Database(self.base, self.snapshot())

    def diff(self, since: Snapshot | None = None) -> list[Change]:
        """Return what differs from the base, or from an earlier snapshot, sorted by path.

        Raises:
            ValueError: If the snapshot was taken on other tables.
        """
        if since is not None:
            self._check_base(since)
        overlay = {} if since is None else since.overlay
        if not self._overlay and not overlay:
            return []
        # A record that both share is the same object, because a write copies it first.
        touched = [
            at
            for at in self._overlay.keys() | overlay.keys()
            if self._overlay.get(at, _ABSENT) is not overlay.get(at, _ABSENT)
        ]
        if not touched:
            return []
        old = Database(self.base, since)
        changes: list[Change] = []
        for table, key in sorted(touched):
            path = f"/{_escape(table)}/{_escape(key)}"
            before, after = old.get(table, key), self.get(table, key)
            if before is None and after is not None:
                changes.append(Change(path, None, copy_json(after), "add"))
            elif before is not None and after is None:
                changes.append(Change(path, copy_json(before), None, "remove"))
            else:
                _compare(path, before, after, changes)
        return changes

    def digest(self) -> str:
        """Return the sha256 of the canonical JSON of all tables, as hex digits."""
        return self._compute_digest() if self._overlay else self.base.digest()

    def _compute_digest(self) -> str:
        changed: dict[str, dict[str, Record | None]] = {}
        for (table, key), record in self._overlay.items():
            changed.setdefault(table, {})[key] = record
        sha = hashlib.sha256()
        for i, table in enumerate(sorted(self.base.tables)):
            overlay = changed.get(table, {})
            rows = []
            for key in sorted(self.base.tables[table].keys() | overlay.keys()):
                if key not in overlay:
                    rows.append(f"{json.dumps(key)}:{self.base.canonical(table, key)}")
                elif overlay[key] is not None:
                    rows.append(f"{json.dumps(key)}:{canonical_json(overlay[key])}")
            sha.update(f"{',' if i else '{'}{json.dumps(table)}:{{{','.join(rows)}}}".encode())
        sha.update(b"}" if self.base.tables else b"{}")
        return sha.hexdigest()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Database):
            return NotImplemented
        if self.base is not other.base:
            return self.digest() == other.digest()
        changed = self._overlay.keys() | other._overlay.keys()
        return all(same_json(self.get(*at), other.get(*at)) for at in changed)

    __hash__ = None  # type: ignore[assignment]


def _escape(key: str) -> str:
    """Return a key as a part of a JSON Pointer (RFC 6901), so that no two paths look the same."""
    return key.replace("~", "~0").replace("/", "~1")


def _compare(path: str, before: Any, after: Any, changes: list[Change]) -> None:
    """Append the differences of two JSON values, down to the fields of objects."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            if before.get(key, _ABSENT) is after.get(key, _ABSENT):
                continue  # a copy shares the leaves that nobody wrote
            where = f"{path}/{_escape(key)}"
            if key not in before:
                changes.append(Change(where, None, copy_json(after[key]), "add"))
            elif key not in after:
                changes.append(Change(where, copy_json(before[key]), None, "remove"))
            else:
                _compare(where, before[key], after[key], changes)
    elif not same_json(before, after):
        changes.append(Change(path, copy_json(before), copy_json(after), "change"))
