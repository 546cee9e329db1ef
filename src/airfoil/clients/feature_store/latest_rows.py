"""The newest row of each entity in a window of time, out of Parquet files larger than memory.

Two passes. The first reads keys and timestamps alone and lets DuckDB find the winners, on disk when they do not fit
into its share of memory; what is kept of them is one flag for each row. The second reads whole rows, in the order of
the files, and lets the winners through. Row groups outside the window are not read. Must not know Feast or a store.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from airfoil.clients.feature_store.cells import Flags, Integers
from airfoil.errors import ConfigurationError, NeighbourError, NotFoundError, StorageError

if TYPE_CHECKING:
    from datetime import datetime

    import pyarrow as pa
    import pyarrow.parquet as pq

BATCH_ROWS = 8192
_NARROW_ROWS = 65_536
_POSITION, _EVENT, _CREATED = "__position", "__event", "__created"


@dataclass(frozen=True)
class Window:
    """From and to, both included, as Feast's file sources count; microseconds since 1970."""

    start_us: int
    end_us: int

    @classmethod
    def between(cls, start: datetime, end: datetime) -> Window:
        """Make a window of two moments; without a time zone they are UTC."""
        return cls(_microseconds(start), _microseconds(end))


@dataclass(frozen=True)
class Source:
    """Parquet files and the columns that count in them."""

    files: tuple[Path, ...]
    keys: tuple[str, ...]
    """May be empty: then all rows belong to one entity."""
    features: tuple[str, ...]
    event_column: str
    created_column: str | None = None

    @property
    def columns(self) -> list[str]:
        """Every column that is read, once."""
        times = [self.event_column] + ([self.created_column] if self.created_column else [])
        return list(dict.fromkeys([*self.keys, *self.features, *times]))


@dataclass(frozen=True)
class Limits:
    """How much of the machine the search for winners may take."""

    memory_mib: int = 96
    threads: int = 2
    spill_folder: Path | None = None


def parquet_files(path: Path) -> tuple[Path, ...]:
    """The files of a path, which may be a folder or a pattern; an error names what is missing."""
    if path.is_dir():
        found = sorted(path.rglob("*.parquet"))
    elif any(sign in path.name for sign in "*?["):
        found = sorted(path.parent.glob(path.name))
    else:
        found = [path] if path.exists() else []
    if not found:
        raise NotFoundError(
            f"There is no Parquet file at {path}",
            "Write the source before it is materialized, or correct `path` in its definition.",
        )
    return tuple(found)


def read(source: Source, window: Window, limits: Limits = Limits()) -> Iterator[pa.RecordBatch]:
    """Yield the newest row of each entity, in batches of at most BATCH_ROWS."""
    import pyarrow as pa

    try:
        groups = list(_groups(source, window))
        if groups:
            yield from _rows(source, groups, _winners(source, window, groups, limits))
    except FileNotFoundError as error:
        raise NotFoundError(
            f"A file of the source is gone while it was read: {error}",
            "Run it again when the source is whole.",
        ) from error
    except (pa.ArrowException, OSError) as error:
        raise StorageError(
            f"The source {source.files[0]} cannot be read: {error}",
            "The file may be cut off or no Parquet at all; write it again.",
        ) from error


@dataclass(frozen=True)
class _Group:
    """A row group that may hold rows of the window."""

    file: Path
    number: int
    first: int
    rows: int


def _groups(source: Source, window: Window) -> Iterator[_Group]:
    import pyarrow.parquet as pq

    first = 0
    for path in source.files:
        with pq.ParquetFile(path) as file:
            _require(source, file)
            for number in range(file.metadata.num_row_groups):
                group = file.metadata.row_group(number)
                if group.num_rows and _may_hold(group, source.event_column, file, window):
                    yield _Group(path, number, first, group.num_rows)
                    first += group.num_rows


def _require(source: Source, file: pq.ParquetFile) -> None:
    import pyarrow as pa

    names = file.schema_arrow.names
    if missing := [name for name in source.columns if name not in names]:
        raise ConfigurationError(
            f"The source {source.files[0]} has no column {', '.join(repr(name) for name in missing)}",
            f"It has: {', '.join(names[:20])}. Correct the feature view, or its field mapping.",
        )
    for name in (source.event_column, source.created_column):
        if name is None:
            continue
        kind = file.schema_arrow.field(name).type
        if not (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
            raise ConfigurationError(
                f"The column '{name}' of {source.files[0]} holds {kind}, not timestamps",
                "Write it as a timestamp; without a time zone it counts as UTC.",
            )


def _may_hold(group: Any, column: str, file: pq.ParquetFile, window: Window) -> bool:
    """Compare with the smallest and largest timestamp, where the file knows them."""
    import datetime as dt

    index = file.schema_arrow.names.index(column)
    if group.num_columns != len(file.schema_arrow.names):
        return True  # nested columns: the numbers of the leaves are others
    statistics = group.column(index).statistics
    if statistics is None or not statistics.has_min_max or not isinstance(statistics.min, dt.datetime):
        return True
    # One microsecond of room: a limit may have been rounded.
    return bool(
        _microseconds(statistics.max) + 1 >= window.start_us
        and _microseconds(statistics.min) - 1 <= window.end_us
    )


def _winners(source: Source, window: Window, groups: Sequence[_Group], limits: Limits) -> Flags:
    import duckdb
    import pyarrow as pa

    found = np.zeros(groups[-1].first + groups[-1].rows, dtype=np.bool_)
    narrow = _narrow(source, window, groups)
    opening = next(narrow, None)
    if opening is None:
        return found
    reader = pa.RecordBatchReader.from_batches(opening.schema, _again(opening, narrow))
    spill = Path(tempfile.mkdtemp(prefix="airfoil-features-", dir=limits.spill_folder))
    keys = "".join(f"k{number}, " for number in range(len(source.keys)))
    partition = f"PARTITION BY {keys.rstrip(', ')}" if keys else ""
    query = (
        f"SELECT {_POSITION} FROM (SELECT {_POSITION}, row_number() OVER ({partition} ORDER BY {_EVENT} DESC, "  # noqa: S608 - names of our own
        f"{_CREATED} DESC NULLS LAST, {_POSITION} DESC) AS place FROM narrow) WHERE place = 1"
    )
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{limits.memory_mib}MiB",
        "threads": limits.threads,
        "temp_directory": str(spill),
        "preserve_insertion_order": False,
    }
    try:
        with duckdb.connect(config=settings) as connection:
            connection.register("narrow", reader)
            for batch in connection.sql(query).to_arrow_reader(_NARROW_ROWS):
                found[batch.column(0).to_numpy()] = True
    except duckdb.Error as error:
        raise NeighbourError(
            f"The newest rows of {source.files[0]} cannot be found: {str(error).splitlines()[0]}",
            f"Free space in {spill.parent}, or raise `memory_mib` of the batch engine.",
        ) from error
    finally:
        shutil.rmtree(spill, ignore_errors=True)
    return found


def _again(first: pa.RecordBatch, others: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from others


def _narrow(source: Source, window: Window, groups: Sequence[_Group]) -> Iterator[pa.RecordBatch]:
    """Keys and times of the rows inside the window, and where in the files they are."""
    import pyarrow as pa

    times = [source.event_column] + ([source.created_column] if source.created_column else [])
    for batch, first in _batches(groups, list(dict.fromkeys([*source.keys, *times])), _NARROW_ROWS):
        event = batch.column(source.event_column)
        ticks, per_us = _ticks(event)
        is_inside = event.is_valid().to_numpy(zero_copy_only=False)
        is_inside &= (ticks >= window.start_us * per_us) & (ticks <= window.end_us * per_us)
        if not is_inside.any():
            continue
        created = pa.nulls(batch.num_rows, pa.int64())
        if source.created_column:
            column = batch.column(source.created_column)
            created = pa.array(_ticks(column)[0], mask=column.is_null().to_numpy(zero_copy_only=False))
        arrays = [batch.column(name) for name in source.keys]
        arrays = [one.dictionary_decode() if pa.types.is_dictionary(one.type) else one for one in arrays]
        table = pa.RecordBatch.from_arrays(
            [*arrays, pa.array(np.arange(first, first + batch.num_rows)), pa.array(ticks), created],
            [*(f"k{number}" for number in range(len(arrays))), _POSITION, _EVENT, _CREATED],
        )
        yield table if is_inside.all() else table.filter(pa.array(is_inside))


def _rows(source: Source, groups: Sequence[_Group], winners: Flags) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    wanted = [group for group in groups if winners[group.first : group.first + group.rows].any()]
    waiting: list[pa.RecordBatch] = []
    for batch, first in _batches(wanted, source.columns, BATCH_ROWS):
        chosen = winners[first : first + batch.num_rows]
        waiting.append(batch if chosen.all() else batch.filter(pa.array(chosen)))
        if sum(one.num_rows for one in waiting) >= BATCH_ROWS:
            yield from _whole(waiting)
            waiting = []
    yield from _whole(waiting)


def _whole(parts: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    if len(parts) == 1:
        yield from (one for one in parts if one.num_rows)
    elif parts:
        yield from pa.Table.from_batches(parts).combine_chunks().to_batches(max_chunksize=BATCH_ROWS)


def _batches(groups: Sequence[_Group], columns: list[str], rows: int) -> Iterator[tuple[pa.RecordBatch, int]]:
    """Read row groups piece by piece; with each piece comes the position of its first row."""
    import pyarrow.parquet as pq

    by_file: dict[Path, list[_Group]] = {}
    for group in groups:
        by_file.setdefault(group.file, []).append(group)
    for path, found in by_file.items():
        # A buffer of its own for each column: otherwise whole column chunks are held in memory.
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 18) as file:
            for group in found:
                at = group.first
                for batch in file.iter_batches(
                    rows, row_groups=[group.number], columns=columns, use_threads=False
                ):
                    yield batch, at
                    at += batch.num_rows


def _ticks(column: pa.Array) -> tuple[Integers, int]:
    """A column of times as whole numbers, and how many of them make a microsecond."""
    import pyarrow as pa

    unit = "ns" if pa.types.is_timestamp(column.type) and column.type.unit == "ns" else "us"
    ticks = column.cast(pa.timestamp(unit)) if not pa.types.is_timestamp(column.type) else column
    zone = ticks.type.tz
    ticks = ticks.cast(pa.timestamp(unit, zone)).cast(pa.int64()).fill_null(0)
    return ticks.to_numpy(zero_copy_only=False), 1000 if unit == "ns" else 1


def microseconds(column: pa.Array) -> Integers:
    """Times as microseconds since 1970; what is finer is cut off, as Feast does."""
    ticks, per_us = _ticks(column)
    found: Integers = ticks // per_us
    return found


def _microseconds(moment: datetime) -> int:
    from datetime import UTC, datetime, timedelta

    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
