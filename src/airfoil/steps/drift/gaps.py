"""The largest gap between two cumulative distributions, exactly, from counts in cells that are in order.

Counts and products of counts are integers; nothing is rounded before the end. Must not know where counts come from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LARGEST_PRODUCT = 2**62


@dataclass(frozen=True)
class Totals:
    """How many values there are on each side."""

    reference: int
    current: int


@dataclass(frozen=True)
class Gap:
    """At some point of the line, how many values of each side lie at or below it."""

    totals: Totals
    reference: int
    current: int
    cell: int
    """The cell at whose end it was found."""
    value: float | None = None
    """The value it was found at, where single values were looked at."""

    @property
    def size(self) -> int:
        """The difference of the shares, times both totals; never below zero."""
        return abs(self.reference * self.totals.current - self.current * self.totals.reference)

    @property
    def statistic(self) -> float:
        """The difference of the shares: the two-sample Kolmogorov-Smirnov statistic when no gap is larger."""
        return abs(self.reference / self.totals.reference - self.current / self.totals.current)


@dataclass(frozen=True)
class Tally:
    """Counts by cell of both sides, and how many values lie below each cell."""

    totals: Totals
    reference: NDArray[np.int64]
    current: NDArray[np.int64]
    reference_below: NDArray[np.int64]
    current_below: NDArray[np.int64]

    @classmethod
    def of_all(cls, reference: NDArray[np.int64], current: NDArray[np.int64]) -> Tally:
        """Count cells that hold all values."""
        import numpy as np

        return cls(
            Totals(int(reference.sum()), int(current.sum())),
            reference,
            current,
            np.cumsum(reference) - reference,
            np.cumsum(current) - current,
        )

    def finer(
        self,
        wanted: NDArray[np.bool_],
        owners: NDArray[np.intp],
        reference: NDArray[np.int64],
        current: NDArray[np.int64],
    ) -> Tally:
        """Count pieces of the wanted cells; `owners` says for each piece which cell it is a piece of."""
        return Tally(
            self.totals,
            reference,
            current,
            _below(reference, self.reference, self.reference_below, wanted, owners),
            _below(current, self.current, self.current_below, wanted, owners),
        )

    def largest(self) -> Gap:
        """Return the largest gap at the end of a cell."""
        import numpy as np

        reference = self.reference_below + self.reference
        current = self.current_below + self.current
        # Where nothing was counted, nothing is known of what lies below.
        is_used = (self.reference > 0) | (self.current > 0)
        sizes = np.where(is_used, np.abs(self._difference(reference, current)), -1)
        cell = int(np.argmax(sizes))
        return Gap(self.totals, int(reference[cell]), int(current[cell]), cell)

    def undecided(self, best: Gap, single: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
        """Tell in which cells a larger gap than `best` may hide: both sides are there, in an order not known."""
        import numpy as np

        highest = np.maximum(
            self._difference(self.reference_below + self.reference, self.current_below),
            -self._difference(self.reference_below, self.current_below + self.current),
        )
        found = (self.reference > 0) & (self.current > 0) & (highest > best.size)
        return np.asarray(found if single is None else found & ~single, dtype=bool)

    def held(self, wanted: NDArray[np.bool_]) -> int:
        """Return how many values lie in these cells."""
        return sum(self.held_by_sides(wanted))

    def held_by_sides(self, wanted: NDArray[np.bool_]) -> tuple[int, int]:
        """Return how many values of each side lie in these cells."""
        return int(self.reference[wanted].sum()), int(self.current[wanted].sum())

    def _difference(self, reference: NDArray[np.int64], current: NDArray[np.int64]) -> NDArray[Any]:
        if self.totals.reference * self.totals.current > _LARGEST_PRODUCT:
            reference, current = reference.astype(object), current.astype(object)
        found: NDArray[Any] = reference * self.totals.current - current * self.totals.reference
        return found


def _below(
    pieces: NDArray[np.int64],
    cells: NDArray[np.int64],
    cells_below: NDArray[np.int64],
    wanted: NDArray[np.bool_],
    owners: NDArray[np.intp],
) -> NDArray[np.int64]:
    """Count what lies below each piece: below its cell, and in earlier pieces of its cell."""
    import numpy as np

    chosen = np.where(wanted, cells, 0)
    in_earlier_cells = np.cumsum(chosen) - chosen
    return np.asarray(cells_below[owners] + np.cumsum(pieces) - pieces - in_earlier_cells[owners])
