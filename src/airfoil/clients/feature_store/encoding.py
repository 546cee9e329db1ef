"""A batch of rows as an online store wants it: keys, values and times, encoded once for whichever writer sends them.

Must not know any online store.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from airfoil.clients.feature_store import cells, entity_keys, latest_rows, values
from airfoil.clients.feature_store.cells import Cells, Integers

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class View:
    """What an encoder must know of a feature view; types are names of Feast's, such as `INT64`."""

    name: str
    keys: Mapping[str, str]
    features: Mapping[str, str]
    event_column: str
    created_column: str | None = None


@dataclass(frozen=True)
class Encoded:
    """Rows of a view, in bytes."""

    rows: int
    keys: Cells
    values: Mapping[str, Cells]
    event_us: Integers
    created_us: Integers | None
    """Where the flag of `has_created` is off, the number means nothing."""
    has_created: cells.Flags | None
    batch: pa.RecordBatch
    """The rows themselves, for a store that keeps text beside the bytes."""


def encode(batch: pa.RecordBatch, view: View) -> Iterator[Encoded]:
    """Encode a batch, in halves where one of its values is so long that padding all others would cost memory."""
    if batch.num_rows > 1 and _padded_bytes(batch) > _MOST_BYTES:
        middle = batch.num_rows // 2
        yield from encode(batch.slice(0, middle), view)
        yield from encode(batch.slice(middle), view)
        return
    created = batch.column(view.created_column) if view.created_column else None
    yield Encoded(
        rows=batch.num_rows,
        keys=entity_keys.encode(batch, view.keys),
        values={
            name: values.encode(batch.column(name), kind, f"The feature '{view.name}:{name}'")
            for name, kind in view.features.items()
        },
        event_us=latest_rows.microseconds(batch.column(view.event_column)),
        created_us=None if created is None else latest_rows.microseconds(created),
        has_created=None if created is None else cells.present(created),
        batch=batch,
    )


def texts(encoded: Encoded, name: str, type_name: str) -> list[str | None]:
    """What Feast keeps as readable text beside a value: of numbers, flags and text."""
    import pyarrow as pa

    column = encoded.batch.column(name)
    if type_name not in {"STRING", "INT32", "INT64", "DOUBLE", "FLOAT", "BOOL"}:
        return [None] * encoded.rows
    if type_name == "STRING" and (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        found: list[str | None] = column.to_pylist()
        return found
    return _spoken(encoded.values[name])


def _spoken(made: Cells) -> list[str | None]:
    from feast.infra.online_stores.helpers import extract_text_and_num
    from feast.protos.feast.types.Value_pb2 import Value

    return [extract_text_and_num(Value.FromString(one), compute_num=False)[0] for one in made.to_list()]


def timestamps(event_us: Integers) -> Cells:
    """Moments as Protocol Buffers' Timestamp: seconds, and nanoseconds where there are any."""
    seconds, nanoseconds = event_us // 1_000_000, event_us % 1_000_000 * 1000
    parts: list[bytes | Cells] = []
    for tag, numbers in ((b"\x08", seconds), (b"\x10", nanoseconds)):
        if numbers.any():
            parts.append(cells.join(len(numbers), [tag, cells.varints(numbers)]).where(numbers != 0))
    return cells.join(len(event_us), parts)


def nanoseconds(stamps: Cells) -> Integers:
    """The moments that `timestamps` encodes; nothing is 0, as Feast counts a missing one."""
    rows, width = stamps.matrix.shape
    totals = np.zeros((3, rows), dtype=np.int64)
    field, shift = np.zeros(rows, dtype=np.intp), np.zeros(rows, dtype=np.int64)
    wants_tag, everyone = np.ones(rows, dtype=np.bool_), np.arange(rows)
    for column in range(width):
        byte = stamps.matrix[:, column].astype(np.int64)
        counts = np.ones(rows, dtype=np.bool_) if stamps.mask is None else stamps.mask[:, column]
        is_tag, is_value = counts & wants_tag, counts & ~wants_tag
        field = np.where(is_tag, np.minimum(byte >> 3, 2), field)
        shift = np.where(is_tag, 0, shift)
        totals[field, everyone] += np.where(is_value, (byte & 0x7F) << np.minimum(shift, 63), 0)
        shift = np.where(is_value, shift + 7, shift)
        wants_tag = np.where(is_value, byte < 0x80, wants_tag & ~is_tag)  # noqa: PLR2004 - the bit that says more follows
    found: Integers = totals[1] * 1_000_000_000 + totals[2]
    return found


def _padded_bytes(batch: pa.RecordBatch) -> int:
    """Room for all rows when each is as long as the longest."""
    return int(batch.num_rows) * sum(_widest(column) for column in batch.columns)


def _widest(column: pa.Array) -> int:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind: Any = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        items = pc.max(pc.list_value_length(column)).as_py() or 0
        inside = column.flatten()
        return int(items) * (_widest(inside) if len(inside) else 1)
    if pa.types.is_primitive(kind):
        return max(1, int(kind.bit_width) // 8)
    if any(
        is_kind(kind) for is_kind in (pa.types.is_string, pa.types.is_binary, pa.types.is_large_string)
    ) or (pa.types.is_large_binary(kind)):
        return int(pc.max(pc.binary_length(column)).as_py() or 0)
    return max(1, int(column.nbytes) // max(1, len(column)))
