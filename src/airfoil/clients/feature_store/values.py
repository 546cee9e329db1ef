"""Feature values as Feast stores them: the bytes of `feast.types.Value`, for a whole column at once.

Numbers, flags, text, bytes, timestamps and lists of them are encoded with numpy. Every other type, and every column
whose Arrow type is not the declared one, goes through Feast's own conversion cell by cell: slower, and right by
definition. The field numbers are those of feast/types/Value.proto; a test compares all of this with Feast's own bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from airfoil.clients.feature_store import cells
from airfoil.clients.feature_store.cells import Cells, Flags, Integers
from airfoil.errors import ConfigurationError

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_SECONDS = 2**62
# Feast stores a missing timestamp as this number of seconds and turns it back into nothing when it reads.
_NO_TIMESTAMP = np.iinfo(np.int64).min
_INT32 = np.iinfo(np.int32)
_EXACT_FLOAT = 2.0**63

_Floats = NDArray[np.floating]
Encoder = Callable[["pa.Array"], "Cells | None"]


def encode(column: pa.Array, type_name: str, label: str) -> Cells:
    """Encode a column as values of a Feast type such as `INT64`; `label` names it in errors."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    encoder = _ENCODERS.get(type_name)
    found = encoder(column) if encoder else None
    return found if found is not None else _by_feast(column, type_name, label)


def _doubles(column: pa.Array) -> Cells | None:
    numbers = _floats(column)
    return None if numbers is None else _numbers(b"\x29", numbers)


def _singles(column: pa.Array) -> Cells | None:
    numbers = _floats(column)
    if numbers is None:
        return None
    with np.errstate(over="ignore"):  # too large becomes infinite, as in Protocol Buffers
        return _numbers(b"\x35", numbers.astype(np.float32))


def _numbers(tag: bytes, numbers: _Floats) -> Cells:
    return cells.join(len(numbers), [tag, cells.fixed(numbers)]).where(~np.isnan(numbers))


def _floats(column: pa.Array) -> _Floats | None:
    import pyarrow as pa

    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        return None
    numbers: _Floats = column.to_numpy(zero_copy_only=False)  # a missing one becomes NaN
    return numbers if numbers.dtype == np.float32 else numbers.astype(np.float64, copy=False)


def _flags(column: pa.Array) -> Cells | None:
    import pyarrow as pa

    if not pa.types.is_boolean(column.type):
        return None
    flags = column.fill_null(False).to_numpy(zero_copy_only=False).astype(np.uint8)
    return cells.join(len(column), [b"\x38", cells.fixed(flags)]).where(cells.present(column))


def _int64s(column: pa.Array) -> Cells | None:
    return _varints(b"\x20", column, np.iinfo(np.int64).min, np.iinfo(np.int64).max)


def _int32s(column: pa.Array) -> Cells | None:
    return _varints(b"\x18", column, _INT32.min, _INT32.max)


def _varints(tag: bytes, column: pa.Array, lowest: int, highest: int) -> Cells | None:
    found = integers(column)
    if found is None:
        return None
    numbers, is_present = found
    if len(numbers) and (int(numbers.min()) < lowest or int(numbers.max()) > highest):
        return None
    return cells.join(len(numbers), [tag, cells.varints(numbers)]).where(is_present)


def integers(column: pa.Array) -> tuple[Integers, Flags] | None:
    """Whole numbers and which of them are there; none where the column holds something else."""
    import pyarrow as pa

    if pa.types.is_integer(column.type) and column.type != pa.uint64():
        filled = column.fill_null(0) if column.null_count else column
        return filled.to_numpy(zero_copy_only=False).astype(np.int64, copy=False), cells.present(column)
    if pa.types.is_float64(column.type) or pa.types.is_float32(column.type):
        # pandas writes whole numbers with gaps as floats.
        numbers = column.to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
        is_present = ~np.isnan(numbers)
        numbers = np.where(is_present, numbers, 0.0)
        if np.abs(numbers).max(initial=0.0) < _EXACT_FLOAT:
            return np.trunc(numbers).astype(np.int64), is_present
    return None


def seconds(column: pa.Array) -> Integers | None:
    """Whole seconds since 1970, as Feast counts them; none where the column holds no timestamps."""
    import pyarrow as pa

    if not pa.types.is_timestamp(column.type):
        return None
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[column.type.unit]
    ticks = column.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    found: Integers = np.where(cells.present(column), ticks // per_second, _NO_TIMESTAMP)
    return found


def _timestamps(column: pa.Array) -> Cells | None:
    found = seconds(column)
    return None if found is None else cells.join(len(found), [b"\x40", cells.varints(found)])


def _texts(column: pa.Array) -> Cells | None:
    import pyarrow as pa

    is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    return _delimited(b"\x12", column) if is_text else None


def _byte_strings(column: pa.Array) -> Cells | None:
    return _delimited(b"\x0a", column) if _is_binary(column.type) else None


def _is_binary(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _delimited(tag: bytes, column: pa.Array) -> Cells:
    content = cells.from_arrow(column)
    made = cells.join(len(column), [tag, cells.varints(content.lengths), content])
    return made.where(cells.present(column))


def _list_of(
    tag: bytes, kinds: tuple[str, ...], items: Callable[[pa.Array], Cells], *, packed: bool
) -> Encoder:
    """Encode a list column: the items of all rows as one long column, then cut where the rows end."""

    def encode_lists(column: pa.Array) -> Cells | None:
        import pyarrow as pa

        if not (pa.types.is_list(column.type) or pa.types.is_large_list(column.type)):
            return None
        if str(column.type.value_type) not in kinds:
            return None
        column = column.cast(pa.large_list(column.type.value_type))
        inside = column.values
        if inside.null_count:
            return None
        encoded = items(inside)
        ends = np.concatenate([[0], np.cumsum(encoded.lengths)])
        offsets = column.offsets.to_numpy()
        starts, stops = ends[offsets[:-1]], ends[offsets[1:]]
        is_present = cells.present(column)
        lengths = np.where(is_present, stops - starts, 0)
        payload = cells.ragged(np.frombuffer(encoded.flat(), dtype=np.uint8), starts, lengths)
        if packed:
            inner_size = cells.varints(lengths)
            inner = cells.join(len(column), [b"\x0a", inner_size, payload]).where(lengths > 0)
        else:
            inner = payload
        return cells.join(len(column), [tag, cells.varints(inner.lengths), inner]).where(is_present)

    return encode_lists


def _plain_items(dtype: str) -> Callable[[pa.Array], Cells]:
    def items(inside: pa.Array) -> Cells:
        numbers = inside.to_numpy(zero_copy_only=False)
        with np.errstate(over="ignore"):
            return cells.fixed(numbers.astype(dtype, copy=False))

    return items


def _varint_items(inside: pa.Array) -> Cells:
    return cells.varints(inside.to_numpy(zero_copy_only=False).astype(np.int64, copy=False))


def _delimited_items(inside: pa.Array) -> Cells:
    return _delimited(b"\x0a", inside)


_FLOATS, _TEXTS, _BYTES = ("float", "double"), ("string", "large_string"), ("binary", "large_binary")
_ENCODERS: dict[str, Encoder] = {
    "BYTES": _byte_strings,
    "STRING": _texts,
    "INT32": _int32s,
    "INT64": _int64s,
    "DOUBLE": _doubles,
    "FLOAT": _singles,
    "BOOL": _flags,
    "UNIX_TIMESTAMP": _timestamps,
    "BYTES_LIST": _list_of(b"\x5a", _BYTES, _delimited_items, packed=False),
    "STRING_LIST": _list_of(b"\x62", _TEXTS, _delimited_items, packed=False),
    "INT32_LIST": _list_of(b"\x6a", ("int32",), _varint_items, packed=True),
    "INT64_LIST": _list_of(b"\x72", ("int32", "int64"), _varint_items, packed=True),
    "DOUBLE_LIST": _list_of(b"\x7a", _FLOATS, _plain_items("<f8"), packed=True),
    "FLOAT_LIST": _list_of(b"\x82\x01", _FLOATS, _plain_items("<f4"), packed=True),
    "BOOL_LIST": _list_of(b"\x8a\x01", ("bool",), _plain_items("u1"), packed=True),
}


def _by_feast(column: pa.Array, type_name: str, label: str) -> Cells:
    """Convert cell by cell, with Feast's own code."""
    from feast.type_map import python_values_to_proto_values
    from feast.value_type import ValueType

    try:
        protos = python_values_to_proto_values(column.to_numpy(zero_copy_only=False), ValueType[type_name])
    except Exception as error:  # Feast raises whatever its conversions raise, asserts among them
        raise ConfigurationError(
            f"{label} is declared as {type_name}, and its column of type {column.type} cannot be stored as that "
            f"({error})",
            "Change the type in the feature view, or the column.",
        ) from error
    return cells.from_list([proto.SerializeToString() for proto in protos])
