"""Many byte strings at once: a matrix of bytes, and which of them count.

Row i of `Cells` is `matrix[i][mask[i]]`. Strings of different lengths are padded, so that they can be made, put side by
side and sent with a handful of numpy calls for thousands of rows. Must not know what the bytes mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

Bytes = NDArray[np.uint8]
Flags = NDArray[np.bool_]
Integers = NDArray[np.int64]
_SEVEN_BITS = 7
_VARINT_BYTES = 10


@dataclass(frozen=True, slots=True)
class Cells:
    """One byte string for each row; without a mask every byte of the matrix counts."""

    matrix: Bytes
    mask: Flags | None = None

    @property
    def lengths(self) -> Integers:
        """How long each string is."""
        if self.mask is None:
            return np.full(len(self.matrix), self.matrix.shape[1], dtype=np.int64)
        found: Integers = self.mask.sum(axis=1, dtype=np.int64)
        return found

    def where(self, is_present: Flags) -> Cells:
        """The same strings, empty where the flag is off."""
        if is_present.all():
            return self
        return Cells(self.matrix, _mask_of(self) & is_present[:, None])

    def flat(self, start: int = 0, stop: int | None = None, keep: Flags | None = None) -> bytes:
        """All strings of a range one after the other; `keep` chooses among the rows of the range."""
        matrix = self.matrix[start:stop]
        mask = None if self.mask is None else self.mask[start:stop]
        if keep is not None and not keep.all():
            matrix, mask = matrix[keep], None if mask is None else mask[keep]
        return matrix.tobytes() if mask is None else matrix[mask].tobytes()

    def to_list(self) -> list[bytes]:
        """The strings as Python objects, for neighbours that want one at a time."""
        data, ends = self.flat(), np.cumsum(self.lengths).tolist()
        return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def join(rows: int, parts: Sequence[bytes | Cells]) -> Cells:
    """Put strings side by side; plain bytes are the same in every row."""
    width = sum(len(part) if isinstance(part, bytes) else part.matrix.shape[1] for part in parts)
    matrix = np.empty((rows, width), dtype=np.uint8)
    is_ragged = any(not isinstance(part, bytes) and part.mask is not None for part in parts)
    mask = np.ones((rows, width), dtype=np.bool_) if is_ragged else None
    at = 0
    for part in parts:
        if isinstance(part, bytes):
            matrix[:, at : at + len(part)] = np.frombuffer(part, dtype=np.uint8)
            at += len(part)
            continue
        end = at + part.matrix.shape[1]
        matrix[:, at:end] = part.matrix
        if mask is not None and part.mask is not None:
            mask[:, at:end] = part.mask
        at = end
    return Cells(matrix, mask)


def fixed(values: NDArray[Any]) -> Cells:
    """The bytes of numbers as they lie in memory, little-endian."""
    plain = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
    return Cells(plain.view(np.uint8).reshape(len(plain), plain.dtype.itemsize))


def varints(values: Integers) -> Cells:
    """Protocol Buffers' variable-length integers; negative ones take ten bytes."""
    left = values.astype(np.int64, copy=False).view(np.uint64)
    widest = max(1, -(-int(left.max(initial=0)).bit_length() // _SEVEN_BITS))
    matrix = np.empty((len(left), widest), dtype=np.uint8)
    mask = np.ones((len(left), widest), dtype=np.bool_)
    for column in range(widest):
        matrix[:, column] = left & np.uint64(0x7F)
        left = left >> np.uint64(_SEVEN_BITS)
        has_more = left != 0
        matrix[:, column] |= has_more.astype(np.uint8) << 7
        if column + 1 < widest:
            mask[:, column + 1] = has_more
    return Cells(matrix, None if mask.all() else mask)


def ragged(data: Bytes, starts: Integers, lengths: Integers) -> Cells:
    """Cut strings out of one long one."""
    widest = int(lengths.max(initial=0))
    if not widest:
        return Cells(np.empty((len(starts), 0), dtype=np.uint8))
    columns = np.arange(widest)
    if bool((lengths == widest).all()) and bool((np.diff(starts) == widest).all()):
        return Cells(
            data[int(starts[0]) : int(starts[0]) + widest * len(starts)].reshape(len(starts), widest)
        )
    mask = columns < lengths[:, None]
    if bool((starts[1:] == starts[:-1] + lengths[:-1]).all()):  # without gaps: they lie as they are wanted
        matrix = np.zeros(mask.shape, dtype=np.uint8)
        matrix[mask] = data[int(starts[0]) : int(starts[-1] + lengths[-1])]
    else:
        matrix = data[np.minimum(starts[:, None] + columns, len(data) - 1)]
    return Cells(matrix, None if mask.all() else mask)


def from_arrow(array: pa.Array) -> Cells:
    """The strings of an Arrow column of text or bytes; a missing one is empty."""
    import pyarrow as pa

    array = array.cast(pa.large_binary())
    _, offset_buffer, data_buffer = array.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    data = np.frombuffer(data_buffer or b"", dtype=np.uint8)
    lengths = np.diff(offsets)
    if array.null_count:
        lengths = np.where(present(array), lengths, 0)
    return ragged(data, offsets[:-1], lengths)


def from_list(strings: Sequence[bytes]) -> Cells:
    """Strings that were made one by one."""
    lengths = np.fromiter((len(one) for one in strings), dtype=np.int64, count=len(strings))
    data = np.frombuffer(b"".join(strings), dtype=np.uint8)
    return ragged(data, np.cumsum(lengths) - lengths, lengths)


def digits(numbers: Integers, before: bytes = b"", after: bytes = b"") -> Cells:
    """Decimal numbers as text, between two pieces of text; few different numbers are expected."""
    different, which = np.unique(numbers, return_inverse=True)
    table = from_list([b"%b%d%b" % (before, number, after) for number in different.tolist()])
    return Cells(table.matrix[which], None if table.mask is None else table.mask[which])


def present(array: pa.Array) -> Flags:
    """Which values of an Arrow column are there."""
    found: Flags = array.is_valid().to_numpy(zero_copy_only=False)
    return found


def _mask_of(cells: Cells) -> Flags:
    return np.ones(cells.matrix.shape, dtype=np.bool_) if cells.mask is None else cells.mask
