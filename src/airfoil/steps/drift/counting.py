"""Take a column of numbers, batch by batch: count it by cells, pick some of its values, or keep those that matter.

Each taker holds a state for each side, of a size that does not depend on the number of rows. Must not judge or compare.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airfoil.steps.drift.cells import EvenCells, FineCells, wanted_values
from airfoil.steps.drift.passes import SIDES

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from airfoil.steps.drift.cells import Cells
    from airfoil.steps.numbers import Reading

_BYTES = 8


@dataclass
class Sums:
    """What is known of all values of a side, apart from how they are distributed."""

    rows: int = 0
    missing: int = 0
    infinite: int = 0
    finite: int = 0
    least: float | None = None
    largest: float | None = None
    mean: float = 0.0
    """In cells, as `spread`, `below` and `above`."""
    spread: float = 0.0
    """Sum of the squared distances from the mean."""
    below: float = 0.0
    """By how much values lie below the even cells, together."""
    above: float = 0.0

    def add(self, values: NDArray[Any], positions: NDArray[np.float64], cells: EvenCells) -> None:
        """Add a batch; `positions` are those of the values in the cells."""
        import numpy as np

        total = float(positions.sum())
        if not np.isfinite(total):
            is_finite = np.isfinite(values)
            self.infinite += int(values.size - is_finite.sum())
            values, positions = values[is_finite], positions[is_finite]
            total = float(positions.sum())
        if not values.size:
            return
        low, high = float(values.min()), float(values.max())
        self.least = low if self.least is None else min(self.least, low)
        self.largest = high if self.largest is None else max(self.largest, high)
        last = cells.count - 1
        if low < cells.low:
            self.below += float((1 - positions[positions < 1]).sum())
        if (high - cells.low) * cells.per_unit + 1 >= last:
            self.above += float((positions[positions >= last] - last).sum())
        self._merge(positions, total)

    def _merge(self, positions: NDArray[np.float64], total: float) -> None:
        """Join mean and spread as Chan, Golub and LeVeque do: nothing cancels out."""
        import numpy as np

        count = positions.size
        mean = total / count
        # Not `dot`: the threads it starts wait for each other longer than they compute, two sides at a time.
        spread = float(np.einsum("i,i->", positions, positions)) - total * mean
        gap, both = mean - self.mean, self.finite + count
        self.spread += max(0.0, spread) + gap * gap * self.finite * count / both
        self.mean += gap * count / both
        self.finite = both


class Counting:
    """Counts all values by even cells."""

    def __init__(self, reading: Reading, cells: EvenCells) -> None:
        import numpy as np

        self.reading = reading
        self.cells = cells
        self.counts = tuple(np.zeros(cells.count, dtype=np.int64) for _ in SIDES)
        self.sums = tuple(Sums() for _ in SIDES)
        self.memory = len(SIDES) * cells.count * _BYTES

    def take(self, side: int, array: pa.Array) -> None:
        """Count one batch."""
        import numpy as np

        values, sums = self.reading.values(array), self.sums[side]
        sums.rows += len(array)
        sums.missing += len(array) - len(values)
        if not values.size:
            return
        positions = self.cells.positions(values)
        with np.errstate(all="ignore"):
            sums.add(values, positions, self.cells)
        np.add.at(self.counts[side], self.cells.at(positions), 1)


class Recounting:
    """Counts the values of wanted cells by finer cells."""

    def __init__(self, reading: Reading, cells: FineCells) -> None:
        import numpy as np

        self.reading = reading
        self.cells = cells
        count = cells.count
        self.counts = tuple(np.zeros(count, dtype=np.int64) for _ in SIDES)
        self._owners = tuple(np.zeros(count, dtype=np.intp) for _ in SIDES)
        self.memory = 2 * len(SIDES) * count * _BYTES

    def take(self, side: int, array: pa.Array) -> None:
        """Count one batch."""
        import numpy as np

        kept, coarse = self.cells.within(self.reading.values(array))
        if kept.size:
            fine = self.cells.number(kept, coarse)
            np.add.at(self.counts[side], fine, 1)
            self._owners[side][fine] = coarse

    def owners(self) -> NDArray[np.intp]:
        """Return which coarse cell each fine cell is a piece of, where anything was counted."""
        import numpy as np

        return np.asarray(np.maximum(*self._owners))


class Picking:
    """Picks every so many-th value, of all or of those in wanted cells, all along the table."""

    def __init__(
        self,
        reading: Reading,
        stride: int,
        cells: Cells | None = None,
        wanted: NDArray[np.bool_] | None = None,
    ) -> None:
        self.reading = reading
        self.stride = max(1, stride)
        self.cells, self.wanted = cells, wanted
        self._seen = [0 for _ in SIDES]
        self._picked: tuple[list[NDArray[Any]], ...] = tuple([] for _ in SIDES)
        self.memory = 0

    def take(self, side: int, array: pa.Array) -> None:
        """Pick from one batch."""
        values = self.reading.values(array)
        if self.cells is not None and self.wanted is not None:
            values, _ = wanted_values(self.cells, self.wanted, values)
        first = -self._seen[side] % self.stride
        self._seen[side] += len(values)
        self._picked[side].append(values[first :: self.stride].copy())

    def sample(self) -> NDArray[Any]:
        """Return what was picked from both sides, sorted."""
        import numpy as np

        parts = [part for side in self._picked for part in side]
        return np.sort(np.concatenate(parts)) if parts else np.empty(0, dtype=self.reading.dtype)


class Keeping:
    """Keeps the values of wanted cells; `most` says how many there are of each side."""

    def __init__(
        self, reading: Reading, cells: Cells, wanted: NDArray[np.bool_], most: tuple[int, int]
    ) -> None:
        import numpy as np

        self.reading = reading
        self.cells, self.wanted = cells, wanted
        # Beside the values, what is made of them at the end: those of both sides in order, and how often each came.
        self.memory = 4 * _BYTES * sum(most)
        self._values = [np.empty(size, dtype=reading.dtype) for size in most]
        self._kept = [0 for _ in SIDES]

    def take(self, side: int, array: pa.Array) -> None:
        """Keep what matters of one batch."""
        import numpy as np

        values, _ = wanted_values(self.cells, self.wanted, self.reading.values(array))
        start = self._kept[side]
        end = self._kept[side] = start + values.size
        if end > self._values[side].size:
            # Somebody changes the table, which is told when all has been read.
            self._values[side] = np.resize(self._values[side], 2 * end)
        self._values[side][start:end] = values

    def result(self) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
        """Return the different values in order, and how often each came on either side; once, as nothing is kept."""
        import numpy as np

        kept = [values[:size] for values, size in zip(self._values, self._kept, strict=True)]
        self._values, self._kept = [], []
        for side in kept:
            side.sort()
        values = np.union1d(*kept)
        reference, current = (
            np.diff(np.searchsorted(side, values, side="right"), prepend=0) for side in kept
        )
        return values, reference, current
