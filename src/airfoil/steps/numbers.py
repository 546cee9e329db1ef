"""Arrow columns as numpy numbers in the same order: integers, floats, decimals, moments and spans of time.

Two tables may hold the same column in two types; the numbers of both are made comparable as numpy would make them.
Missing values (null, NaN) are left out and counted. Must not judge, and reads no table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

Kind = Literal["number", "time", "category"]

NANOSECONDS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_DAY = 86_400 * NANOSECONDS["s"]
_EXACT_DIGITS = 18
"""So many decimal digits fit into 64 bits."""


@dataclass(frozen=True)
class Reading:
    """How values become numbers of one numpy type, in which equal means equal and less means less."""

    kind: Kind
    dtype: str
    unit: float = 1.0
    """What 1 stands for: seconds for times, the last digit of a decimal, else 1."""
    scale: int | None = None
    """Digits after the point that are kept exactly, for decimals."""
    tick: int = 1
    """Nanoseconds of 1, for times."""

    def values(self, array: pa.Array) -> NDArray[Any]:
        """Return the numbers that are there: neither null nor NaN."""
        import numpy as np
        import pyarrow as pa

        if pa.types.is_null(array.type):
            return np.empty(0, dtype=self.dtype)
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        if array.null_count:
            array = array.drop_null()
        numbers: NDArray[Any] = self._numbers(array).astype(self.dtype, copy=False)
        if numbers.dtype.kind == "f":
            is_nan = np.isnan(numbers)
            numbers = numbers[~is_nan] if is_nan.any() else numbers
        return numbers

    def _numbers(self, array: pa.Array) -> NDArray[Any]:
        import numpy as np
        import pyarrow as pa

        kind = array.type
        if pa.types.is_decimal(kind):
            if self.scale is None:
                return _plain_numbers(array.cast(pa.float64()))
            array = array.cast(pa.decimal128(38, self.scale))
            words = np.frombuffer(array.buffers()[1], dtype=np.int64)
            return words[2 * array.offset : 2 * (array.offset + len(array)) : 2]
        if pa.types.is_temporal(kind):
            size = pa.int32() if kind.bit_width == 32 else pa.int64()  # noqa: PLR2004 - bits
            return _times(_plain_numbers(array.view(size)), _nanoseconds(kind) // self.tick)
        return _plain_numbers(array)


def reading_of(left: pa.DataType, right: pa.DataType) -> Reading | None:
    """Return how to read columns of these two types as numbers of one kind; None when that makes no sense."""
    import pyarrow as pa

    first, second = _plain(left), _plain(right)
    if pa.types.is_null(first) or pa.types.is_null(second):
        first = second = second if pa.types.is_null(first) else first
    if _is_number(first) and _is_number(second):
        return _number_reading(first, second)
    family = _family(first)
    if family and family == _family(second):
        tick = min(_nanoseconds(first), _nanoseconds(second))
        return Reading("time", "int64", unit=tick / NANOSECONDS["s"], tick=tick)
    return None


def _number_reading(first: pa.DataType, second: pa.DataType) -> Reading:
    import numpy as np
    import pyarrow as pa

    if not pa.types.is_decimal(first) and not pa.types.is_decimal(second):
        common = np.result_type(_numpy_name(first), _numpy_name(second))
        return Reading("number", "float32" if common == np.float16 else common.name)
    shapes = [_digits(one) for one in (first, second)]
    if any(shape is None for shape in shapes):
        return Reading("number", "float64")
    scale = max(shape[1] for shape in shapes if shape)
    whole = max(shape[0] - shape[1] for shape in shapes if shape)
    if whole + scale > _EXACT_DIGITS or scale < 0:
        return Reading("number", "float64")
    return Reading("number", "int64", unit=10.0**-scale, scale=scale)


def _numpy_name(kind: pa.DataType) -> str:
    return {"halffloat": "float16", "float": "float32", "double": "float64"}.get(str(kind), str(kind))


def _plain_numbers(array: pa.Array) -> NDArray[Any]:
    """Return what an array of numbers without nulls holds; Arrow's own `to_numpy` loads pandas first."""
    import numpy as np

    found: NDArray[Any] = np.from_dlpack(array) if len(array) else np.empty(0, _numpy_name(array.type))
    return found


def _digits(kind: pa.DataType) -> tuple[int, int] | None:
    """Return all digits and those after the point; None for floats."""
    import numpy as np
    import pyarrow as pa

    if pa.types.is_decimal(kind):
        return kind.precision, kind.scale
    if pa.types.is_integer(kind):
        return len(str(np.iinfo(_numpy_name(kind)).max)), 0
    return None


def _plain(kind: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_number(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _family(kind: pa.DataType) -> str:
    """Return what may be compared with each other: a moment with a zone and one without may not."""
    import pyarrow as pa

    if pa.types.is_timestamp(kind):
        return "instant" if kind.tz else "moment"
    if pa.types.is_date(kind):
        return "moment"
    if pa.types.is_time(kind):
        return "time of day"
    return "span" if pa.types.is_duration(kind) else ""


def _nanoseconds(kind: pa.DataType) -> int:
    import pyarrow as pa

    if pa.types.is_date32(kind):
        return _DAY
    return NANOSECONDS["ms" if pa.types.is_date64(kind) else kind.unit]


def _times(ticks: NDArray[np.integer[Any]], factor: int) -> NDArray[np.int64]:
    import numpy as np

    wide = ticks.astype(np.int64, copy=False)
    if factor == 1:
        return wide
    # A year that does not fit into the finer unit becomes the last that does: order is kept.
    most = np.iinfo(np.int64).max // factor
    return np.asarray(np.clip(wide, -most, most) * factor)
