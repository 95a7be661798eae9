"""Lists of records in files: JSON Lines, Parquet and Hugging Face datasets.

In JSON Lines a line is a record as its pydantic model defines it. Parquet and datasets want columns
of one type, so there whatever is nested is JSON text.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError

from sca_envs.core.errors import OptionError, TaskFileError
from sca_envs.core.extras import import_extra
from sca_envs.core.writing import whole_file

if TYPE_CHECKING:
    from datasets import Dataset

M = TypeVar("M", bound=BaseModel)


class RecordFiles(Generic[M]):
    """Reads and writes lists of one kind of record.

    Args:
        model: What a record is.
        what: What error messages call it.
        nested: Names of the fields that become JSON text in columns.
        kinds: Column name -> ``strings`` or ``int64``; all others are strings.
        check: Looks at the raw JSON object of a line or row before the model does, and raises
            `ValueError` with a message that helps, for a newer version say.
    """

    def __init__(
        self,
        model: type[M],
        what: str,
        nested: Iterable[str],
        kinds: Mapping[str, str],
        check: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        self._model, self._what = model, what
        self._nested, self._kinds = tuple(nested), dict(kinds)
        self._check = check

    def load(self, path: str | os.PathLike[str]) -> list[M]:
        """Read a file that ends in ``.jsonl`` or ``.parquet``.

        Raises:
            TaskFileError: If it is missing or broken; the message names the line or row.
            OptionError: If the ending is another one.
            SCAError: If a package is missing that the file needs.
        """
        path = Path(path)
        parquet = self._is_parquet(path)
        if not path.is_file():
            raise TaskFileError(f"Expected a {self._what} file at {path}, found none")
        return self._read_parquet(path) if parquet else self._read_lines(path)

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
        return [self._from_row(row, f"{where}, row {number}") for number, row in enumerate(rows)]

    def parse(self, text: str | bytes, where: str) -> M:
        """Return the record of one line of JSON.

        Raises:
            TaskFileError: If it is none; the message begins with `where`.
        """
        try:
            if self._check is not None:
                value = json.loads(text)
                if isinstance(value, dict):
                    self._check(value)
            return self._validate(text)
        except ValidationError as error:
            raise TaskFileError(f"{where}: {self._explain(error)}") from None
        except (ValueError, RecursionError) as error:
            raise TaskFileError(f"{where}: expected a {self._what}; {error}") from None

    def _validate(self, text: str | bytes) -> M:
        try:
            return self._model.model_validate_json(text)
        except ValidationError as error:
            if b"\\u" not in (text.encode() if isinstance(text, str) else text):
                raise
            try:
                value = json.loads(text)  # Python's reader takes lone surrogates, too
            except (ValueError, RecursionError):
                raise error from None
            return self._model.model_validate(value)

    @staticmethod
    def _is_parquet(path: Path) -> bool:
        if path.suffix not in (".jsonl", ".parquet"):
            raise OptionError(
                f"Expected a task file in .jsonl or .parquet; got {path.suffix!r}: {path}"
            )
        return path.suffix == ".parquet"

    def _read_lines(self, path: Path) -> list[M]:
        lines = enumerate(path.read_bytes().splitlines(), 1)
        return [
            self.parse(line, f"{path}, line {number}") for number, line in lines if line.strip()
        ]

    def _read_parquet(self, path: Path) -> list[M]:
        pyarrow = import_extra("pyarrow", "parquet")
        parquet = import_extra("pyarrow.parquet", "parquet")
        try:
            rows = parquet.read_table(path).to_pylist()
        except (pyarrow.ArrowException, OSError) as error:  # OSError: damaged data pages
            raise TaskFileError(f"{path}: expected a Parquet file, got {error}") from None
        return self.from_rows(rows, str(path))

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
        column = ""
        try:
            for column in self._nested:
                if row.get(column) is not None:
                    row = {**row, column: json.loads(row[column])}
        except (TypeError, ValueError, RecursionError) as error:
            raise TaskFileError(f"{where}: expected JSON text in {column!r}, got {error}") from None
        try:
            if self._check is not None:
                self._check(row)
            return self._model.model_validate(row)
        except ValidationError as error:
            raise TaskFileError(f"{where}: {self._explain(error)}") from None
        except ValueError as error:
            raise TaskFileError(f"{where}: expected a {self._what}; {error}") from None

    def _explain(self, error: ValidationError) -> str:
        problems = [
            f"{'.'.join(map(str, item['loc'])) or self._what}: {item['msg']}"
            for item in error.errors(include_url=False)[:3]
        ]
        return f"expected a {self._what}; {'; '.join(problems)}"


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
