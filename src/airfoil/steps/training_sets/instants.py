"""Moments as whole numbers that can be compared exactly, whatever unit and time zone a column has.

Microseconds since 1970, or nanoseconds where a column has them. A moment without a zone is UTC, as Feast takes it.
Rounding is never silent: who compares says whether a finer moment goes down or up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from airfoil.errors import TableError

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

Unit = Literal["us", "ns"]
EARLIEST, LATEST = -(2**63) + 1, 2**63 - 1
BEFORE_ALL = -(2**63)
"""Earlier than every moment: what stands where there is none."""
_DAY_MICROSECONDS = 86_400_000_000
_MILLISECOND = 1000
_MICROSECOND_NANOSECONDS = 1000


@dataclass(frozen=True)
class Instants:
    """Moments of a column; where `known` is False there was none, and the number means nothing."""

    ticks: NDArray[np.int64]
    known: NDArray[np.bool_]
    unit: Unit

    @classmethod
    def of(cls, column: pl.Series, table: str) -> Instants:
        """Read a column of moments or dates; what is neither is refused."""
        import polars as pl

        unit = unit_of(column.dtype, column.name, table)
        known = column.is_not_null().to_numpy()
        ticks = column.to_physical().cast(pl.Int64).fill_null(0).to_numpy()
        factor = _factor(column.dtype)
        return cls(ticks if factor == 1 else _times(ticks, factor), known, unit)

    def down_to(self, unit: Unit) -> NDArray[np.int64]:
        """Give the last whole tick of a unit that is not after each moment."""
        if unit == self.unit:
            return self.ticks
        return _times(self.ticks, 1000) if unit == "ns" else self.ticks // _MICROSECOND_NANOSECONDS

    def up_to(self, unit: Unit) -> NDArray[np.int64]:
        """Give the first whole tick of a unit that is not before each moment."""
        if unit in {self.unit, "ns"}:
            return self.down_to(unit)
        return -(-self.ticks // _MICROSECOND_NANOSECONDS)


def unit_of(dtype: pl.DataType, column: str, table: str) -> Unit:
    """Return the unit in which a column is exact; a column that holds no moments is refused."""
    import polars as pl

    if isinstance(dtype, pl.Datetime):
        return "ns" if dtype.time_unit == "ns" else "us"
    if isinstance(dtype, pl.Date | pl.Null):
        return "us"
    raise TableError(
        f"The column '{column}' of {table} holds {dtype}, not moments",
        "Make timestamps of it when it is written, or name another column.",
    )


def ticks_in(span: timedelta, unit: Unit) -> int:
    """Return how many ticks a span has, at most as many as there are."""
    microseconds = span // timedelta(microseconds=1)
    return min(microseconds * (1000 if unit == "ns" else 1), LATEST)


def minus(ticks: NDArray[np.int64], span: int) -> NDArray[np.int64]:
    """Go back in time, but not beyond the earliest tick."""
    import numpy as np

    return np.asarray(np.maximum(ticks, EARLIEST + span) - span)


def literal(ticks: int, unit: Unit, dtype: pl.DataType) -> pl.Expr:
    """Return a moment as a value of a column's own type, rounded down."""
    import polars as pl

    nanoseconds = ticks if unit == "ns" else ticks * _MICROSECOND_NANOSECONDS
    if isinstance(dtype, pl.Datetime):
        per_tick = {"ns": 1, "us": _MICROSECOND_NANOSECONDS, "ms": 1_000_000}[dtype.time_unit]
        return pl.lit(nanoseconds // per_tick, dtype=pl.Int64).cast(dtype)
    return pl.lit(nanoseconds // (_DAY_MICROSECONDS * _MICROSECOND_NANOSECONDS), dtype=pl.Int32).cast(dtype)


def _factor(dtype: pl.DataType) -> int:
    import polars as pl

    if isinstance(dtype, pl.Date):
        return _DAY_MICROSECONDS
    return _MILLISECOND if isinstance(dtype, pl.Datetime) and dtype.time_unit == "ms" else 1


def _times(ticks: NDArray[np.int64], factor: int) -> NDArray[np.int64]:
    """Multiply; what would not fit becomes the earliest or the latest tick, so that order is kept."""
    import numpy as np

    return np.asarray(np.clip(ticks, EARLIEST // factor + 1, LATEST // factor) * factor)
