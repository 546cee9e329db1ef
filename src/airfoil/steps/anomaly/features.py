"""The columns of a table as the numbers that a forest is trained on: one row of float64 for each row of the table.

Missing values stay NaN here; what stands in for them is known when the sample is. Must not train or score.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airfoil.records import LeftOutColumn
from airfoil.steps.numbers import Reading, reading_of

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from airfoil.steps.scans import Scan

_BATCH_CELLS = 2**20
_FEWEST_ROWS, _MOST_ROWS = 256, 2**16


@dataclass(frozen=True)
class Features:
    """Which columns are used and how they are read."""

    readings: dict[str, Reading]
    left_out: tuple[LeftOutColumn, ...]

    @classmethod
    def of(cls, tables: Sequence[Scan], columns: Sequence[str] = ()) -> Features:
        """Choose the columns that are numbers or times in all tables."""
        readings: dict[str, Reading] = {}
        left_out = []
        for name in columns or tables[-1].schema.names:
            lacking = [table.name for table in tables if name not in table.schema.names]
            kinds = [table.schema.field(name).type for table in tables if not lacking]
            reading = None if lacking else reading_of(kinds[0], kinds[-1])
            if reading:
                readings[name] = reading
                continue
            reason = f"is not in {' and '.join(lacking)}" if lacking else f"is no number: {kinds[-1]}"
            left_out.append(LeftOutColumn(name=name, reason=reason))
        return cls(readings, tuple(left_out))

    def without(self, reasons: dict[str, str]) -> Features:
        """Leave further columns out."""
        added = tuple(LeftOutColumn(name=name, reason=reason) for name, reason in reasons.items())
        kept = {name: reading for name, reading in self.readings.items() if name not in reasons}
        return Features(kept, (*self.left_out, *added))

    def batches(self, table: Scan) -> Iterator[NDArray[np.float64]]:
        """Go through a table; NaN where a value is missing, infinities as they are."""
        import numpy as np

        width = len(self.readings)
        rows = max(_FEWEST_ROWS, min(_MOST_ROWS, _BATCH_CELLS // max(1, width)))
        for batch in table.batches(list(self.readings), rows):
            found = np.empty((batch.num_rows, width))
            for place, (name, reading) in enumerate(self.readings.items()):
                _fill(found[:, place], batch.column(name), reading)
            yield found


def _fill(cells: NDArray[np.float64], array: pa.Array, reading: Reading) -> None:
    import numpy as np
    import pyarrow.compute as pc

    values = reading.values(array)
    if len(values) == len(cells):
        cells[:] = values
    else:
        cells[:] = np.nan
        # What is_null finds with nan_is_null is what a reading leaves out.
        is_missing = pc.is_null(_plain(array), nan_is_null=True)
        cells[np.flatnonzero(~np.array(is_missing.to_pylist(), dtype=bool))] = values
    if reading.unit != 1:
        cells *= reading.unit


def _plain(array: pa.Array) -> pa.Array:
    import pyarrow as pa

    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
