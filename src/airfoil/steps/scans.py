"""A table that can be read again and again, by whichever engine is best at a step: polars, DuckDB or Arrow batches.

A scan knows columns, types and perhaps the number of rows. It knows no URL, no credential and no server: whoever has
those (`airfoil.clients.table_sources`) makes local files of them. Nothing is read before an engine asks or kept after.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, Self

from airfoil.errors import AirfoilError, StorageError, TableError
from airfoil.table_faults import table_fault

if TYPE_CHECKING:
    import duckdb
    import polars as pl
    import pyarrow as pa
    import pyarrow.dataset as pads

BATCH_ROWS = 65_536
READ_BYTES = 65_536


class Backing(Protocol):
    """What a scan reads from. `state` is equal before and after as long as nobody changes the table meanwhile."""

    def lazy(self) -> pl.LazyFrame: ...  # noqa: D102 - as in Scan
    def relation(self, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation: ...  # noqa: D102 - as in Scan
    def batches(self, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]: ...  # noqa: D102 - as in Scan
    def state(self) -> object: ...  # noqa: D102 - see above


@dataclass(frozen=True)
class Scan:
    """A re-openable view of a table. Wrap what reads it in `with scan.reading():`, so that failures are told well."""

    name: str
    """What the table is called in reports and errors."""
    schema: pa.Schema
    rows: int | None
    """How many there are, where that is known without reading."""
    backing: Backing = field(repr=False)

    @classmethod
    def of_parquet(cls, paths: Sequence[Path | str], name: str = "") -> Self:
        """Look at local Parquet files that have the same columns; rows come in the order of the files."""
        files = tuple(Path(path) for path in paths)
        if not files:
            raise TableError(f"The table '{name or 'of no name'}' has no files", "Name at least one.")
        called = name or files[0].name
        with _telling(called):
            schema, rows = _footers(files, called)
        return cls(called, _named_once(schema, called), rows, _ParquetFiles(files))

    @classmethod
    def of_dataset(cls, dataset: pads.Dataset, name: str = "table") -> Self:
        """Look at an Arrow dataset; one of whole local Parquet files is read natively by each engine."""
        files = _plain_parquet_files(dataset)
        if files:
            return cls.of_parquet(files, name)
        return cls(name, _named_once(dataset.schema, name), None, _ArrowDataset(dataset))

    @classmethod
    def of_table(cls, table: pa.Table, name: str = "table") -> Self:
        """Look at a table in memory."""
        return cls(name, _named_once(table.schema, name), table.num_rows, _ArrowTable(table))

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(self.schema.names)

    @cached_property
    def types(self) -> Mapping[str, pa.DataType]:
        """The type of each column, in order; a schema itself is slow to ask when it is wide."""
        return MappingProxyType({column.name: column.type for column in self.schema})

    def lazy(self) -> pl.LazyFrame:
        """Return the table for polars; collect it with `engine="streaming"`."""
        return self.backing.lazy()

    def numbered(self, columns: Sequence[str]) -> pl.LazyFrame:
        """Return the named columns for polars as `c0`, `c1`, ...: it reads a name such as `*` or `^a$` as a pattern."""
        import polars as pl

        places = {name: place for place, name in enumerate(self.types)}
        return self.lazy().select(
            pl.nth(places[name]).alias(f"c{number}") for number, name in enumerate(columns)
        )

    def relation(self, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
        """Return the table for DuckDB, inside a connection of the caller's."""
        return self.backing.relation(connection)

    def batches(self, columns: Sequence[str] = (), rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
        """Go through the named columns (all, if none) in batches of at most so many rows; no batch is empty."""
        with self.reading():
            for batch in self.backing.batches(columns or self.columns, rows):
                if batch.num_rows:
                    yield batch

    def count(self) -> int:
        """Return the number of rows, counting them where it is not known."""
        if self.rows is not None:
            return self.rows
        return sum(batch.num_rows for batch in self.batches(self.columns[:1]))

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Translate what engines raise while they read, and refuse a table that changed in the meantime."""
        with _telling(self.name):
            before = self.backing.state()
            yield
            if self.backing.state() != before:
                raise StorageError(
                    f"The table {self.name} changed while it was being read",
                    "Write it under a temporary name and rename it when it is complete; then try again.",
                )


@dataclass(frozen=True)
class _ParquetFiles:
    paths: tuple[Path, ...]

    def lazy(self) -> pl.LazyFrame:
        import polars as pl

        return pl.scan_parquet(list(self.paths), glob=False, hive_partitioning=False)

    def relation(self, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
        from glob import escape

        return connection.read_parquet([escape(str(path)) for path in self.paths], hive_partitioning=False)

    def batches(self, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        import pyarrow.parquet as pq

        for path in self.paths:
            # As it comes by default, the reader fetches the whole file before it gives the first row.
            with pq.ParquetFile(path, pre_buffer=False, buffer_size=READ_BYTES) as file:
                yield from file.iter_batches(batch_size=rows, columns=list(columns))

    def state(self) -> object:
        return [
            (seen.st_ino, seen.st_size, seen.st_mtime_ns) for seen in (path.stat() for path in self.paths)
        ]


@dataclass(frozen=True)
class _ArrowDataset:
    dataset: pads.Dataset

    def lazy(self) -> pl.LazyFrame:
        import polars as pl
        from polars.io.plugins import register_io_source

        def read(
            columns: list[str] | None, wanted: pl.Expr | None, most_rows: int | None, size: int | None
        ) -> Iterator[pl.DataFrame]:
            left = most_rows
            for batch in self.dataset.to_batches(columns=columns, batch_size=size or BATCH_ROWS):
                frame = pl.DataFrame(batch)
                if left is not None:
                    frame = frame.head(left)
                    left -= frame.height
                yield frame if wanted is None else frame.filter(wanted)
                if left == 0:
                    return

        return register_io_source(read, schema=pl.DataFrame(self.dataset.schema.empty_table()).schema)

    def relation(self, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
        return connection.from_arrow(self.dataset)

    def batches(self, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        # One batch ahead instead of sixteen, and no second fragment: what is read ahead is memory.
        yield from self.dataset.to_batches(
            columns=list(columns), batch_size=rows, batch_readahead=1, fragment_readahead=1
        )

    def state(self) -> object:
        return None


@dataclass(frozen=True)
class _ArrowTable:
    table: pa.Table

    def lazy(self) -> pl.LazyFrame:
        import polars as pl

        return pl.DataFrame(self.table).lazy()

    def relation(self, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
        return connection.from_arrow(self.table)

    def batches(self, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        yield from self.table.select(list(columns)).to_batches(max_chunksize=rows)

    def state(self) -> object:
        return None


@contextmanager
def _telling(name: str) -> Iterator[None]:
    try:
        yield
    except AirfoilError:
        raise
    except BaseException as error:
        fault = table_fault(error, name)
        if fault is None:
            raise
        raise fault from error


def _footers(files: Sequence[Path], name: str) -> tuple[pa.Schema, int]:
    """Return the schema that all files share, and how many rows they have together."""
    import pyarrow.parquet as pq

    first, rows = None, 0
    for path in files:
        with pq.ParquetFile(path) as file:
            schema: pa.Schema = file.schema_arrow.remove_metadata()
            rows += file.metadata.num_rows
        first = schema if first is None else first
        if not schema.equals(first):
            raise TableError(
                f"The files of {name} are no single table: {path.name} {_difference(schema, first)}",
                f"Write {path.name} as {files[0].name} is written, or check the two on their own.",
            )
    return first, rows


def _difference(schema: pa.Schema, first: pa.Schema) -> str:
    for column in first:
        if column.name not in schema.names:
            return f"lacks the column '{column.name}'"
        other = schema.field(schema.names.index(column.name))
        if not other.type.equals(column.type):
            return f"has '{column.name}' as {other.type}, not as {column.type}"
    extra = [column for column in schema.names if column not in first.names]
    return f"has '{extra[0]}' besides" if extra else "has its columns in another order, or other null rules"


def _named_once(schema: pa.Schema, name: str) -> pa.Schema:
    seen = set()
    for column in schema.names:
        if column in seen:
            raise TableError(
                f"The table {name} has more than one column '{column}'", "Give each column a name of its own."
            )
        seen.add(column)
    if not seen:
        raise TableError(f"The table {name} has no columns", "Check what wrote it.")
    return schema.remove_metadata()


def _plain_parquet_files(dataset: pads.Dataset) -> list[Path]:
    """Return the files of a dataset that is nothing but local Parquet files; nothing for any other."""
    import pyarrow.dataset as pads
    from pyarrow.fs import LocalFileSystem

    if not isinstance(dataset, pads.FileSystemDataset) or not isinstance(dataset.filesystem, LocalFileSystem):
        return []
    has_partitions = any(
        not fragment.partition_expression.equals(pads.scalar(True)) for fragment in dataset.get_fragments()
    )
    if not isinstance(dataset.format, pads.ParquetFileFormat) or has_partitions:
        return []
    return [Path(path) for path in dataset.files]
