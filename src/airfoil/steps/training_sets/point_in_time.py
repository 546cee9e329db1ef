"""The point-in-time join: for each entity row, what each feature table said at its moment and not a moment later.

One row out for each row in, in the order of the rows in: a feature that was not known, or was known too long ago, is
null. Feature tables are read once for each portion of entity rows, in batches, and never sorted or held whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from airfoil.errors import ConfigurationError, TableError
from airfoil.steps.training_sets import instants
from airfoil.steps.training_sets.ahead import ahead
from airfoil.steps.training_sets.candidates import Candidates
from airfoil.steps.training_sets.feature_table import FeatureTable
from airfoil.steps.training_sets.instants import Instants, Unit
from airfoil.steps.training_sets.keys import KeyCodes
from airfoil.steps.training_sets.newest_rows import NewestRows
from airfoil.steps.training_sets.places import Places

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    import pyarrow as pa
    from numpy.typing import NDArray

    from airfoil.steps.scans import Scan

    _Found = tuple[NDArray[np.int64], pl.DataFrame]  # a row of the frame for each entity row, or -1

BATCH_VALUES = 16_000_000
"""Values of a feature table looked at together, about 128 MB: each batch costs one look-up table of the keys."""
OUT_ROWS = 65_536
MOST_MIB = 1024
_LEAST_ROWS, _MOST_ROWS = 65_536, 8_000_000
_ROW_BYTES, _VALUE_BYTES = 64, 48
"""What an entity row costs, and each of its features: a few copies of one, while newer rows replace older ones."""


def join_features(
    entities: Scan,
    tables: Sequence[FeatureTable],
    *,
    timestamp: str = "event_timestamp",
    known_by_then: bool = False,
    most_mib: int = MOST_MIB,
) -> pa.RecordBatchReader:
    """Join features to entity rows as of each row's moment; read the result in batches, or whole with `read_all()`.

    A row of a feature table counts from its timestamp on, until its TTL is over; of two for the same moment, the one
    created later counts, and of two that are equal in that too, the later in the table. `known_by_then` leaves out rows
    that were created after the entity's moment, such as back-filled ones. `most_mib` bounds what is held for a portion
    of entity rows; with more portions, feature tables are read more often.
    """
    import pyarrow as pa

    _check(entities, tables, timestamp)
    plans = [_Plan.of(table) for table in tables]
    fields = [*entities.schema, *(field for plan in plans for field in plan.fields)]
    schema = pa.schema(fields)
    width = _ROW_BYTES + _VALUE_BYTES * sum(len(plan.fields) for plan in plans)
    rows = max(_LEAST_ROWS, min(_MOST_ROWS, most_mib * 2**20 // width))

    def batches() -> Iterator[pa.RecordBatch]:
        for portion in _portions(entities, rows):
            found = [
                _look_up(portion, plan, timestamp, entities.name, known_by_then=known_by_then)
                for plan in plans
            ]
            yield from _assembled(portion, plans, found, schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


@dataclass(frozen=True)
class _Plan:
    """A feature table, with what its columns are in polars and what they become in the result."""

    table: FeatureTable
    schema: pl.Schema
    fields: tuple[pa.Field, ...]
    unit: Unit

    @classmethod
    def of(cls, table: FeatureTable) -> _Plan:
        import polars as pl
        import pyarrow as pa

        empty = pl.DataFrame(table.scan.schema.empty_table())
        moments = [table.timestamp, *([table.created] if table.created else [])]
        units = {instants.unit_of(empty.schema[column], column, table.name) for column in moments}
        fields = tuple(
            pa.field(name, _arrow_type(empty[column], table.scan.schema.field(column).type))
            for name, column in table.feature_columns.items()
        )
        return cls(table, empty.schema, fields, "ns" if "ns" in units else "us")


def _look_up(portion: pa.Table, plan: _Plan, timestamp: str, name: str, *, known_by_then: bool) -> _Found:
    """Find the feature row of each entity row of a portion, and keep the features of those rows alone."""
    import polars as pl

    table = plan.table
    keys = table.key_columns
    rows = pl.DataFrame(portion.select(list(dict.fromkeys([timestamp, *keys]))))
    moments = Instants.of(rows[timestamp], name)
    codes = KeyCodes(rows, plan.schema, keys, table.name)
    places = Places.of(codes.of_entities, moments.down_to(plan.unit), moments.known, codes.count)
    oldest = None
    if table.ttl is not None:
        # Up where the moment is finer than the features': a row that ran out in between did run out.
        oldest = instants.minus(moments.up_to(plan.unit), instants.ticks_in(table.ttl, plan.unit))
    newest = NewestRows(places)
    if len(places.rows):
        earliest = None if oldest is None else int(oldest[places.rows].min())
        batches = _batches(plan, earliest, int(places.moments.max()))
        for found in ahead(
            _found_in(rows, plan, codes, places, known_by_then=known_by_then) for rows in batches
        ):
            newest.offer(found)
    return newest.chosen(portion.num_rows, oldest)


def _found_in(
    rows: pl.DataFrame, plan: _Plan, codes: KeyCodes, places: Places, *, known_by_then: bool
) -> Candidates:
    """Find the places of rows of a feature table."""
    import polars as pl

    table = plan.table
    at = Instants.of(rows[table.timestamp], table.name)
    ticks, known = at.down_to(plan.unit), at.known
    created = known_from = None
    if table.created:
        written = Instants.of(rows[table.created], table.name)
        created = _or_before_all(written, plan.unit)
        if known_by_then:
            known = known & written.known
            known_from = _later(ticks, created)
    features = pl.DataFrame([rows[column].alias(out) for out, column in table.feature_columns.items()])
    return Candidates.of(places, codes.of(rows), ticks, created, known, features, known_from=known_from)


def _batches(plan: _Plan, earliest: int | None, latest: int) -> Iterator[pl.DataFrame]:
    """Read what can matter of a feature table: its rows between two moments, in their order."""
    import polars as pl

    table = plan.table
    at, dtype = pl.col(table.timestamp), plan.schema[table.timestamp]
    if dtype == pl.Null:
        return
    wanted = at <= instants.literal(latest, plan.unit, dtype)
    if earliest is not None:
        wanted &= at >= instants.literal(earliest, plan.unit, dtype)
    columns = [table.timestamp, *table.key_columns.values(), *table.feature_columns.values()]
    columns = list(dict.fromkeys([*columns, table.created] if table.created else columns))
    rows = max(1, BATCH_VALUES // len(columns))
    with table.scan.reading():
        lazy = table.scan.lazy().filter(wanted).select(columns)
        yield from lazy.collect_batches(chunk_size=rows, maintain_order=True, engine="streaming")


def _portions(entities: Scan, rows: int) -> Iterator[pa.Table]:
    """Go through the entity rows in tables of at most so many rows."""
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    count = 0
    for batch in entities.batches(rows=min(rows, OUT_ROWS)):
        if count + batch.num_rows > rows:
            yield pa.Table.from_batches(held)
            held, count = [], 0
        held.append(batch)
        count += batch.num_rows
    if held:
        yield pa.Table.from_batches(held)


def _assembled(
    portion: pa.Table, plans: Sequence[_Plan], found: Sequence[_Found], schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """Put entity rows and their features side by side."""
    import polars as pl
    import pyarrow as pa

    edges = [*range(0, portion.num_rows, OUT_ROWS), portion.num_rows]
    for begin, end in pairwise(edges):
        columns: list[Any] = [column.combine_chunks() for column in portion.slice(begin, end - begin).columns]
        for plan, (chosen, features) in zip(plans, found, strict=True):
            rows = pl.Series(chosen[begin:end])
            rows = rows.to_frame("row").select(pl.when(pl.col("row") >= 0).then("row")).to_series()
            if features.is_empty():
                columns += [pa.nulls(end - begin, field.type) for field in plan.fields]
                continue
            gathered = features.select(pl.all().gather(rows)).get_columns()
            columns += [
                column.to_arrow().cast(field.type)
                for column, field in zip(gathered, plan.fields, strict=True)
            ]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _arrow_type(empty: pl.Series, wanted: pa.DataType) -> pa.DataType:
    """Return a feature's own type, or polars' word for it where Arrow cannot turn that back."""
    import pyarrow as pa

    found = empty.to_arrow()
    try:
        return found.cast(wanted).type
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return found.type


def _or_before_all(moments: Instants, unit: Unit) -> NDArray[np.int64]:
    import numpy as np

    ticks = moments.down_to(unit)
    return ticks if moments.known.all() else np.where(moments.known, ticks, instants.BEFORE_ALL)


def _later(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    import numpy as np

    return np.asarray(np.maximum(one, other))


def _check(entities: Scan, tables: Sequence[FeatureTable], timestamp: str) -> None:
    """Refuse names that are missing, or that would stand twice in the result."""
    import polars as pl

    keys = [key for table in tables for key in table.key_columns]
    for column in (timestamp, *keys):
        if column not in entities.columns:
            raise TableError(
                f"The entity rows {entities.name} have no column '{column}'",
                f"They have: {', '.join(entities.columns[:20])}.",
            )
    moments = pl.DataFrame(entities.schema.empty_table().select([timestamp]))
    instants.unit_of(moments.schema[timestamp], timestamp, entities.name)
    taken = dict.fromkeys(entities.columns, entities.name)
    for table in tables:
        for name in table.feature_columns:
            if name in taken:
                raise ConfigurationError(
                    f"'{name}' of {table.name} is the name of a column of {taken[name]} too",
                    "Give one of them another name, such as the table's name before it.",
                )
            taken[name] = table.name
