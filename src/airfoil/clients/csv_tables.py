"""CSV as a table: written once as Parquet, in parts, with the types that all of its values have.

Types are guessed from the first part and widened when a later value does not fit, down to text: a number column with
words in it is a finding for a contract, not a reason to stop. What is no table stops, with the line: rows of
different lengths, two columns of one name, another encoding.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airfoil.errors import ConfigurationError, TableError
from airfoil.table_faults import table_fault

if TYPE_CHECKING:
    import pyarrow as pa

_BLOCK_BYTES = 8 << 20
_HEAD_BYTES = 1 << 20
_DELIMITERS = ",;\t|"
_CONVERSION = re.compile(
    r"In CSV column #(\d+): .*?CSV conversion error to ([^:]+(?:\[[^\]]*\])?): (.*)", re.DOTALL
)
_RAGGED = re.compile(r"(?:Row #(\d+): )?Expected (\d+) columns, got (\d+)(?:: (.*))?", re.DOTALL)
_WIDER = {
    "null": "int64",
    "int64": "double",
    "date32[day]": "timestamp[s]",
    "timestamp[s]": "timestamp[ns]",
}
"""What a column may be when it is not what it seemed; whatever has no entry becomes text."""
_BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True)
class CsvFormat:
    """How a CSV file is written. An empty delimiter is looked for in the first line."""

    delimiter: str = ""
    encoding: str = "utf-8"
    types: Mapping[str, str] = field(default_factory=dict)
    """Types that are known, by column, as Arrow calls them: `{"zip": "string"}` keeps leading zeros."""


def convert_csv(path: Path, target: Path, given: CsvFormat) -> CsvFormat:
    """Write a CSV file as Parquet; return the format with what was found out about delimiter and types."""
    names, found = _header(path, given)
    types = {name: one for name, one in found.types.items() if name in names}
    while True:
        try:
            schema = _convert(path, target, replace(found, types=types))
        except _TooNarrow as narrow:
            # Each round makes one column wider; a column has few steps to go.
            types = types | {names[narrow.column]: _WIDER.get(narrow.kind, "string")}
            continue
        return replace(found, types={**found.types, **{one.name: str(one.type) for one in schema}})


class _TooNarrow(Exception):  # noqa: N818 - no error: it asks for another round
    def __init__(self, column: int, kind: str) -> None:
        self.column, self.kind = column, kind
        super().__init__(column, kind)


def _header(path: Path, given: CsvFormat) -> tuple[list[str], CsvFormat]:
    import pyarrow as pa

    try:
        with pa.input_stream(str(path), compression="detect") as file:
            head = file.read(_HEAD_BYTES)
    except (OSError, pa.ArrowException) as error:
        raise table_fault(error, path.name) or TableError(f"{path.name} cannot be read: {error}") from error
    marked = _BYTE_ORDER_MARKS.get(head[:2])
    if marked and given.encoding.replace("_", "-").lower() == "utf-8":
        raise TableError(
            f"{path.name} is {marked}, not utf-8", f"Say encoding='{marked}', or save it as UTF-8."
        )
    try:
        text = head.decode(given.encoding, errors="ignore").lstrip("\ufeff")
    except LookupError as error:
        raise ConfigurationError(
            f"There is no encoding '{given.encoding}'", "Names such as utf-8, latin-1 or cp1252 are known."
        ) from error
    if "\0" in text:
        raise TableError(
            f"{path.name} is no text, so no CSV", "Check what wrote it; a CSV holds lines of text."
        )
    line = text.partition("\n")[0]
    delimiter = given.delimiter or max(_DELIMITERS, key=line.count)
    names = next(csv.reader(io.StringIO(text), delimiter=delimiter), [])
    if not any(name.strip() for name in names):
        raise TableError(
            f"{path.name} has no header in its first line", "Write the names of the columns there."
        )
    twice = [name for number, name in enumerate(names) if name in names[:number]]
    if twice:
        raise TableError(
            f"{path.name} has more than one column '{twice[0]}'", "Give each column a name of its own."
        )
    return names, replace(given, delimiter=delimiter)


def _convert(path: Path, target: Path, given: CsvFormat) -> pa.Schema:
    import pyarrow as pa
    import pyarrow.csv as pacsv
    import pyarrow.parquet as pq

    reading = pacsv.ReadOptions(block_size=_BLOCK_BYTES, encoding=given.encoding)
    parsing = pacsv.ParseOptions(delimiter=given.delimiter, newlines_in_values=True)
    converting = pacsv.ConvertOptions(
        column_types={name: _arrow_type(one) for name, one in given.types.items()},
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    try:
        with (
            pa.input_stream(str(path), compression="detect") as file,
            pacsv.open_csv(file, reading, parsing, converting) as reader,
        ):
            schema: pa.Schema = reader.schema
            broken = next((one.name for one in schema if "binary" in str(one.type)), None)
            if broken is not None:
                raise _wrong_encoding(path, f"column '{broken}'", given)
            with pq.ParquetWriter(target, schema) as writer:
                for batch in reader:
                    writer.write_batch(batch)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _told(path, error, given) from error
    return schema


def _told(path: Path, error: Exception, given: CsvFormat) -> Exception:
    """Return what to raise instead: another round with a wider type, or a sentence."""
    said = str(error)
    if isinstance(error, UnicodeDecodeError) or "UTF8" in said or "decode byte" in said:
        return _wrong_encoding(path, "a value", given)
    if found := _CONVERSION.search(said):
        if found[2] != "string":
            return _TooNarrow(int(found[1]), found[2])
    elif found := _RAGGED.search(said):
        row = f"row {found[1]}" if found[1] else "a row"
        shown = f": {found[4][:80]}" if found[4] else ""
        return TableError(
            f"{path.name} has {row} of {found[3]} fields where its header has {found[2]}{shown}",
            "Quote values that hold the delimiter, or name another delimiter.",
        )
    elif "Empty CSV" in said:
        return TableError(f"{path.name} is empty", "Check what should have written it.")
    return table_fault(error, path.name) or TableError(f"{path.name} cannot be read as CSV: {said[:200]}")


def _wrong_encoding(path: Path, where: str, given: CsvFormat) -> TableError:
    return TableError(
        f"{path.name} is not {given.encoding}: {where} has bytes that mean nothing in it",
        "Say which encoding it has, such as encoding='latin-1' or 'cp1252', or save it as UTF-8.",
    )


def _arrow_type(name: str) -> Any:
    import pyarrow as pa

    found = re.fullmatch(r"timestamp\[(s|ms|us|ns)(?:, tz=(.+))?\]", name)
    if found:
        return pa.timestamp(found[1], tz=found[2])
    known = {"date32[day]": "date32", "time32[s]": "time32[s]"}
    try:
        return pa.type_for_alias(known.get(name, name))
    except ValueError as error:
        raise ConfigurationError(
            f"A CSV column cannot be read as '{name}'",
            "Use a type of Arrow's, such as string, int64 or double.",
        ) from error
