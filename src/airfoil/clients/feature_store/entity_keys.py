"""Keys of entities as Feast serializes them (version 3), for all rows of a batch at once.

The number of keys, their names in order, then type, length and bytes of each value. Must not know any online store.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from airfoil.clients.feature_store import cells, values
from airfoil.clients.feature_store.cells import Cells
from airfoil.errors import ConfigurationError

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = 3
"""The serialization that Feast 0.67 writes; older ones differ and are left to Feast."""
_CODES = {"BYTES": 1, "STRING": 2, "INT32": 3, "INT64": 4, "UNIX_TIMESTAMP": 8}
_STRING = 2


def encode(batch: pa.RecordBatch, types: Mapping[str, str]) -> Cells:
    """Serialize the keys of a batch; `types` maps each join key to its Feast type."""
    names = sorted(types)
    head = struct.pack("<I", len(names))
    for name in names:
        text = name.encode()
        head += struct.pack("<II", _STRING, len(text)) + text
    parts: list[bytes | Cells] = [head]
    for name in names:
        parts += _value(batch.column(name), types[name], name)
    return cells.join(batch.num_rows, parts)


def _value(column: pa.Array, type_name: str, name: str) -> list[bytes | Cells]:
    import pyarrow as pa

    if column.null_count:
        raise ConfigurationError(
            f"The entity column '{name}' is empty in {column.null_count} rows of a batch",
            "A row without a key cannot be found again: drop such rows from the source.",
        )
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if type_name not in _CODES:
        raise ConfigurationError(
            f"The entity '{name}' is of type {type_name}, which Feast cannot use as a key",
            "Declare it as Int64, Int32, String, Bytes or UnixTimestamp.",
        )
    code = struct.pack("<I", _CODES[type_name])
    if type_name in {"STRING", "BYTES"}:
        content = cells.from_arrow(column) if _fits(column, type_name) else _stripped(column, type_name, name)
        return [code, cells.fixed(content.lengths.astype(np.uint32)), content]
    numbers = _numbers(column, type_name, name)
    size = 4 if type_name == "INT32" else 8
    return [code + struct.pack("<I", size), cells.fixed(numbers.astype(f"<i{size}"))]


def _fits(column: pa.Array, type_name: str) -> bool:
    import pyarrow as pa

    if type_name == "STRING":
        return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))
    return bool(pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type))


def _stripped(column: pa.Array, type_name: str, name: str) -> Cells:
    """Take text or bytes out of the values that Feast makes of another type, such as text of numbers."""
    from feast.protos.feast.types.Value_pb2 import Value

    made = values.encode(column, type_name, f"The entity '{name}'").to_list()
    protos = [Value.FromString(one) for one in made]
    return cells.from_list(
        [one.string_val.encode() if type_name == "STRING" else one.bytes_val for one in protos]
    )


def _numbers(column: pa.Array, type_name: str, name: str) -> cells.Integers:
    if type_name == "UNIX_TIMESTAMP":
        found = values.seconds(column)
    else:
        pair = values.integers(column)
        found = pair[0] if pair and pair[1].all() else None
        limits = np.iinfo(np.int32)
        if found is not None and type_name == "INT32" and len(found):
            found = found if limits.min <= found.min() and found.max() <= limits.max else None
    if found is None:
        raise ConfigurationError(
            f"The entity '{name}' is declared as {type_name}, and its column of type {column.type} does not hold that",
            "Change the type of the entity, or the column.",
        )
    return found
