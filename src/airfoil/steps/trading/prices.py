"""Daily closing prices of several symbols, as one table of days by symbols.

Prices come as rows of a date, a symbol and a close, in any order. A day without a price of a symbol is NaN here;
whether that may be is decided in `price_faults`. Must not know where prices lie.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from airfoil.errors import TableError
from airfoil.records import Record

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from airfoil.steps.scans import Scan


class PriceColumns(Record):
    """What the columns of a price table are called; capital letters do not matter."""

    day: str = "date"
    symbol: str = "symbol"
    """A table without it holds the prices of one symbol."""
    close: str = "close"
    """Adjusted for splits; a table that has both kinds often calls it `adj close`."""


@dataclass(frozen=True)
class PriceTable:
    """Closing prices by day and symbol."""

    name: str
    days: NDArray[np.datetime64]
    """Ascending, each once."""
    symbols: tuple[str, ...]
    close: NDArray[np.float64]
    """One row for each day, one column for each symbol; NaN where there is no price."""

    @classmethod
    def of_rows(cls, name: str, days: NDArray[Any], symbols: NDArray[Any], close: NDArray[Any]) -> Self:
        """Make a table of one row for each price."""
        import numpy as np

        known, day_places = np.unique(days.astype("datetime64[D]"), return_inverse=True)
        called, symbol_places = np.unique(symbols.astype(str), return_inverse=True)
        places = day_places * called.size + symbol_places
        twice = np.flatnonzero(np.bincount(places, minlength=1) > 1)
        if twice.size:
            day, symbol = known[twice[0] // called.size], called[twice[0] % called.size]
            raise TableError(
                f"The prices of {name} have {symbol} on {day} more than once{_more(twice.size)}",
                "Keep one closing price for each day; if these are several symbols, name the column that tells which.",
            )
        table = np.full((known.size, called.size), np.nan)
        table[day_places, symbol_places] = close
        return cls(name, known, tuple(str(one) for one in called), table)

    def with_close(self, close: NDArray[np.float64]) -> Self:
        """Return the same days and symbols at other prices."""
        return replace(self, close=close)

    def to_arrow(self) -> pa.Table:
        """Return one row for each price, day by day."""
        import numpy as np
        import pyarrow as pa

        return pa.table(
            {
                "date": np.repeat(self.days, len(self.symbols)),
                "symbol": pa.array(list(self.symbols) * len(self.days), pa.string()),
                "close": self.close.ravel(),
            }
        )


def read_prices(scan: Scan, columns: PriceColumns | None = None) -> PriceTable:
    """Read a price table; dates are dates, moments or texts such as 2026-01-31."""
    import numpy as np
    import pyarrow as pa

    columns = columns or PriceColumns()
    day, close = _column(scan, columns.day), _column(scan, columns.close)
    is_named = columns.symbol != PriceColumns().symbol
    symbol = _column(scan, columns.symbol) if is_named or _find(scan, columns.symbol) else ""
    batches = list(scan.batches([one for one in (day, symbol, close) if one]))
    if not batches:
        raise TableError(f"The prices of {scan.name} have no rows", "Check what wrote them.")
    table = pa.Table.from_batches(batches)
    days = _days(table[day], scan.name, day)
    symbols = _symbols(table[symbol], scan.name, symbol) if symbol else np.full(days.size, scan.name)
    return PriceTable.of_rows(scan.name, days, symbols, _numbers(table[close], scan.name, close))


def _find(scan: Scan, wanted: str) -> str:
    if wanted in scan.types:
        return wanted
    alike = [name for name in scan.columns if name.strip().lower() == wanted.lower()]
    return alike[0] if len(alike) == 1 else ""


def _column(scan: Scan, wanted: str) -> str:
    found = _find(scan, wanted)
    if not found:
        raise TableError(
            f"The prices of {scan.name} have no column '{wanted}', only {', '.join(scan.columns[:20])}",
            "Say what the columns are called: PriceColumns(day=..., symbol=..., close=...).",
        )
    return found


def _days(values: pa.ChunkedArray, name: str, column: str) -> NDArray[Any]:
    import pyarrow as pa

    values = _plain(values)
    _refuse_missing(values, name, column)
    is_text = pa.types.is_string(values.type) or pa.types.is_large_string(values.type)
    if not is_text and not pa.types.is_temporal(values.type):
        raise TableError(
            f"The column '{column}' of {name} is no date but {values.type}", "Give dates such as 2026-01-31."
        )
    try:
        found: NDArray[Any] = values.cast(pa.date32(), safe=is_text).to_numpy()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise TableError(
            f"The column '{column}' of {name} has a date that is none: {str(error)[:120]}",
            "Give dates such as 2026-01-31.",
        ) from error
    return found


def _symbols(values: pa.ChunkedArray, name: str, column: str) -> NDArray[Any]:
    import numpy as np
    import pyarrow as pa

    values = _plain(values)
    _refuse_missing(values, name, column)
    encoded = values.cast(pa.string()).combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    words = np.array(encoded.dictionary.to_pylist(), dtype=str)
    found: NDArray[Any] = words[encoded.indices.to_numpy()]
    return found


def _numbers(values: pa.ChunkedArray, name: str, column: str) -> NDArray[Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise TableError(
            f"The column '{column}' of {name} is no number but {kind}",
            "Write prices with a decimal point, without currency and thousands signs.",
        )
    found: NDArray[Any] = pc.fill_null(values.cast(pa.float64()), float("nan")).to_numpy()
    return found


def _plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa

    return values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values


def _refuse_missing(values: pa.ChunkedArray, name: str, column: str) -> None:
    if values.null_count:
        raise TableError(
            f"The column '{column}' of {name} is empty in {values.null_count} rows",
            "Each price needs its date and its symbol.",
        )


def _more(count: int) -> str:
    return f", and {count - 1} more like it" if count > 1 else ""
