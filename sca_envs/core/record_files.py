"""Lists of records in files: JSON Lines, Parquet and Hugging Face datasets.

In JSON Lines a line is a record as its pydantic model defines it. Parquet and datasets want columns
of one type, so there whatever is nested is JSON text.
"""

from __future__ import annotations

import itertools
import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError

from sca_envs.core.errors import OptionError, SCAError, TaskFileError, shorten
from sca_envs.core.extras import import_extra
from sca_envs.core.strict_json import JSONError, check_json, field_name, parse_json
from sca_envs.core.writing import whole_file

if TYPE_CHECKING:
    from datasets import Dataset

M = TypeVar("M", bound=BaseModel)

MAX_RECORD = 10_000_000
"""Most bytes of a record in a file."""
MAX_CHUNK = 1_000_000_000
"""Most bytes of a column in a row group of a Parquet file, unpacked."""


class RecordFiles(Generic[M]):
    """Reads and writes lists of one kind of record.

    Args:
        model: What a record is.
        what: What error messages call it.
        nested: Names of the fields that become JSON text in columns.
        kinds: Column name -> ``strings`` or ``int64``; all others are strings.
        key: Returns what no two records of a source have in common; its last member is the id.
        check: Looks at the raw JSON object of a line or row before the model does, and raises
            `ValueError` with a message that helps, for a newer version say.
    """

    def __init__(
        self,
        model: type[M],
        what: str,
        nested: Iterable[str],
        kinds: Mapping[str, str],
        key: Callable[[M], tuple[str, ...]],
        check: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        self._model, self._what = model, what
        self._nested, self._kinds = tuple(nested), dict(kinds)
        self._key, self._check = key, check

    def load(
        self, path: str | os.PathLike[str], accept: Callable[[M], object] | None = None
    ) -> list[M]:
        """Read a file that ends in ``.jsonl`` or ``.parquet``.

        Args:
            path: The file.
            accept: Called with each record; what it raises gets the record's place in front.

        Raises:
            TaskFileError: If it is missing or broken; the message names the line or row.
            OptionError: If the ending is another one.
            SCAError: If a package is missing that the file needs, or `accept` raises it.
        """
        path = Path(path)
        parquet = self._is_parquet(path)
        with open_file(path, self._what) as file:
            records = self._read_parquet(file, path) if parquet else self._read_lines(file, path)
            return self._collect(records, str(path), accept)

    def save(self, records: Iterable[M], path: str | os.PathLike[str]) -> None:
        """Write a file that ends in ``.jsonl`` or ``.parquet``; it appears whole or not at all.

        Raises:
            OptionError: If the ending is another one.
            SCAError: If a package is missing that the file needs.
        """
        path = Path(path)
        parquet = self._is_parquet(path)
        with whole_file(path) as partial:
            if parquet:
                self._write_parquet(records, partial)
            else:
                with partial.open("w", encoding="utf-8") as file:
                    file.writelines(f"{_to_json(record)}\n" for record in records)

    def to_dataset(self, records: Iterable[M]) -> Dataset:
        """Return records as a Hugging Face dataset.

        Raises:
            SCAError: If the extra ``datasets`` is not installed.
        """
        datasets = import_extra("datasets", "datasets")
        types = {
            "strings": datasets.List(datasets.Value("string")),
            "int64": datasets.Value("int64"),
        }
        names = self._model.model_fields
        string = datasets.Value("string")
        features = {name: types.get(self._kinds.get(name, ""), string) for name in names}
        rows = [self._to_row(record) for record in records]
        columns = {name: [row[name] for row in rows] for name in names}  # also where there are none
        dataset: Dataset = datasets.Dataset.from_dict(columns, datasets.Features(features))
        return dataset

    def from_rows(self, rows: Iterable[dict[str, Any]], where: str) -> list[M]:
        """Return the records of a dataset's rows.

        Args:
            rows: The rows.
            where: What error messages call the source.

        Raises:
            TaskFileError: If a row is no record; the message names it.
        """
        places = ((f"row {number}", row) for number, row in enumerate(rows))
        records = ((place, self._from_row(row, f"{where}, {place}")) for place, row in places)
        return self._collect(records, where, None)

    def parse(self, text: str | bytes, where: str) -> M:
        """Return the record of one line of JSON.

        Raises:
            TaskFileError: If it is none; the message begins with `where`.
        """
        try:
            return self._validate(parse_json(text), where)
        except JSONError as error:
            raise TaskFileError(f"{where}: expected a {self._what}; {error}") from None

    def _validate(self, value: Any, where: str) -> M:
        try:
            if not isinstance(value, dict):
                raise ValueError(f"{self._what}: Input should be an object")
            if self._check is not None:
                self._check(value)
            return self._model.model_validate(value)
        except ValidationError as error:
            raise TaskFileError(f"{where}: expected a {self._what}; {explain(error)}") from None
        except ValueError as error:
            raise TaskFileError(f"{where}: expected a {self._what}; {error}") from None

    def _collect(
        self,
        records: Iterable[tuple[str, M]],
        source: str,
        accept: Callable[[M], object] | None,
    ) -> list[M]:
        """Return records whose place is known, after a look at their ids."""
        places: dict[Any, str] = {}
        found: list[M] = []
        for place, record in records:
            key = self._key(record)
            if key in places:
                raise TaskFileError(
                    f"{source}: expected unique ids; {key[-1]!r} occurs twice, in {places[key]} "
                    f"and {place}"
                )
            places[key] = place
            if accept is not None:
                try:
                    accept(record)
                except SCAError as error:
                    raise type(error)(f"{source}, {place}: {error}") from None
            found.append(record)
        return found

    @staticmethod
    def _is_parquet(path: Path) -> bool:
        if path.suffix not in (".jsonl", ".parquet"):
            raise OptionError(
                f"Expected a task file in .jsonl or .parquet; got {path.suffix!r}: {path}"
            )
        return path.suffix == ".parquet"

    def _read_lines(self, file: IO[bytes], path: Path) -> Iterator[tuple[str, M]]:
        for number in itertools.count(1):
            line = file.readline(MAX_RECORD + 2)
            if not line:
                return
            place = f"line {number}"
            if len(line.rstrip(b"\r\n")) > MAX_RECORD:
                raise TaskFileError(
                    f"{path}, {place}: expected at most {MAX_RECORD:,} bytes in a line, got more"
                )
            if line.strip():
                yield place, self.parse(line, f"{path}, {place}")

    def _read_parquet(self, file: IO[bytes], path: Path) -> Iterator[tuple[str, M]]:
        import_extra("pyarrow", "parquet")
        parquet = import_extra("pyarrow.parquet", "parquet")
        rows = enumerate(_parquet_rows(parquet, file))
        while True:
            try:
                number, row = next(rows)
            except StopIteration:
                return
            except Exception as error:  # pyarrow raises many kinds at what is damaged
                problem = shorten(str(error), 300).strip("'\"")
                raise TaskFileError(f"{path}: expected a Parquet file, got {problem}") from None
            place = f"row {number}"
            yield place, self._from_row(row, f"{path}, {place}")

    def _write_parquet(self, records: Iterable[M], path: Path) -> None:
        pyarrow = import_extra("pyarrow", "parquet")
        parquet = import_extra("pyarrow.parquet", "parquet")
        types = {"strings": pyarrow.list_(pyarrow.string()), "int64": pyarrow.int64()}
        names = self._model.model_fields
        fields = [(name, types.get(self._kinds.get(name, ""), pyarrow.string())) for name in names]
        rows = [self._to_row(record) for record in records]
        parquet.write_table(pyarrow.Table.from_pylist(rows, schema=pyarrow.schema(fields)), path)

    def _to_row(self, record: M) -> dict[str, Any]:
        row = record.model_dump(mode="json")
        for column in self._nested:
            row[column] = None if row[column] is None else json.dumps(row[column])
        for column, value in row.items():
            if not _is_text(value):
                raise OptionError(
                    f"Expected text in {column!r} of {self._what} {row.get('id', '')!r}, got half "
                    "a surrogate pair, which only a .jsonl file can hold"
                )
        return row

    def _from_row(self, row: dict[str, Any], where: str) -> M:
        values = dict(row)
        for column in self._nested:
            text = row.get(column)
            if text is None:
                continue
            try:
                if not isinstance(text, str):
                    raise JSONError(type(text).__name__)
                values[column] = parse_json(text)
            except JSONError as error:
                raise TaskFileError(
                    f"{where}: expected JSON text in {column!r}, got {error}"
                ) from None
        try:
            check_json(values)
        except JSONError as error:
            raise TaskFileError(f"{where}: expected a {self._what}; {error}") from None
        return self._validate(values, where)


def open_file(path: Path, what: str) -> IO[bytes]:
    """Open a file that is there to be read, and no folder, pipe or device, which would never end.

    Args:
        path: The file.
        what: What errors call it.

    Raises:
        TaskFileError: If it cannot be read.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "a pipe or device"
            raise TaskFileError(f"Expected a {what} file at {path}, found {kind}")
        return path.open("rb")
    except FileNotFoundError:
        problem = "found none"
    except OSError as error:
        problem = f"got: {error.strerror}"
    except ValueError as error:  # a NUL in the name
        problem = f"got: {error}"
    raise TaskFileError(f"Expected a {what} file at {path}, {problem}")


def explain(error: ValidationError) -> str:
    """Return what is wrong with a record, in a line: the first three fields and their problems."""
    return "; ".join(
        ": ".join(
            filter(None, (field_name(item["loc"]), item["msg"].removeprefix("Value error, ")))
        )
        for item in error.errors(include_url=False, include_input=False, include_context=False)[:3]
    )


def _parquet_rows(parquet: Any, source: IO[bytes]) -> Iterator[dict[str, Any]]:
    """Yield the rows, few at a time: a small file can hold much."""
    file = parquet.ParquetFile(source)
    names = file.schema_arrow.names
    if len(set(names)) < len(names):
        raise ValueError(f"columns with one name: {shorten(names)}")
    groups = (file.metadata.row_group(number) for number in range(file.num_row_groups))
    sizes = [
        group.column(number).total_uncompressed_size
        for group in groups
        for number in range(group.num_columns)
    ]
    largest = max(sizes, default=0)
    if largest > MAX_CHUNK:
        raise ValueError(f"a column of {largest:,} bytes in a row group; {MAX_CHUNK:,} are allowed")
    for batch in file.iter_batches(batch_size=64 if largest < MAX_RECORD else 1):
        if batch.nbytes > MAX_RECORD * batch.num_rows:
            raise ValueError(f"a row of more than {MAX_RECORD:,} bytes")
        yield from batch.to_pylist()


def _to_json(record: BaseModel) -> str:
    """Return a record as a line; text with a lone surrogate, which UTF-8 cannot say, as escapes."""
    try:
        return record.model_dump_json()
    except PydanticSerializationError:
        return json.dumps(record.model_dump(mode="json"), separators=(",", ":"))


def _is_text(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
