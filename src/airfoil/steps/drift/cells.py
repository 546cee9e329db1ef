"""Cells that cut the line of numbers into pieces, in order: what is counted instead of being kept.

A cell number never falls when a value rises, in floating-point arithmetic as it is done here and not only on paper:
counts by cell are therefore exact, however coarse the cells are. Must not count.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LARGEST = 1e300
_TAIL = 0.001
_MARGIN = 0.25
"""Beyond the bulk of the sample, as a share of its width, on both sides."""
_MOST_STEPS, _MOST_HALVINGS = 64, 200


class Cells(Protocol):
    """A partition of numbers, or of those among them that still matter."""

    @property
    def count(self) -> int:
        """How many there can be."""
        ...

    def find(self, values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp]]:
        """Return the values that matter and the cell of each."""
        ...


@dataclass(frozen=True)
class EvenCells:
    """Cells of one width; the first and the last take everything below and above."""

    low: float
    """Where the second cell begins."""
    per_unit: float
    """Cells for a difference of 1."""
    count: int
    is_whole: bool = False
    """Whether values are integers, each with a cell of its own."""

    @classmethod
    def around(cls, sample: NDArray[Any], count: int) -> EvenCells:
        """Choose cells that resolve the bulk of a sample."""
        import numpy as np

        is_integer = sample.dtype.kind in "iu"
        numbers = sample.astype(np.float64)
        numbers = np.clip(numbers[np.isfinite(numbers)], -_LARGEST, _LARGEST)
        if not numbers.size:
            return cls(0.0, 1.0, count)
        low, high = (float(one) for one in np.quantile(numbers, [_TAIL, 1 - _TAIL]))
        if low == high:
            low, high = float(numbers.min()), float(numbers.max())
        width = high - low or max(abs(low) * 1e-3, 1e-290)
        low -= _MARGIN * width
        width *= 1 + 2 * _MARGIN
        if not is_integer:
            return cls(low, min((count - 2) / width, _LARGEST), count)
        if width >= count - 2:
            return cls(math.floor(low), (count - 2) / width, count)
        # Wider than asked, so that whole numbers get cells of their own.
        low = math.floor(low - (count - 2 - width) / 2)
        return cls(low, 1.0, count, is_whole=abs(low) + count < 2**52)

    def positions(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return where values lie, in cells: infinite or far outside for some."""
        import numpy as np

        with np.errstate(over="ignore"):
            found: NDArray[np.float64] = np.subtract(values, self.low, dtype=np.float64)
            found *= self.per_unit
        found += 1
        return found

    def at(self, positions: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return the cells of positions, which are overwritten."""
        import numpy as np

        np.clip(positions, 0, self.count - 1, out=positions)
        return positions.astype(np.intp)

    def find(self, values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp]]:
        """Return all values and the cell of each."""
        return values, self.at(self.positions(values))

    def single(self) -> NDArray[np.bool_] | None:
        """Tell which cells hold one value only; None when that is not known of any."""
        import numpy as np

        if not self.is_whole:
            return None
        found = np.ones(self.count, dtype=bool)
        found[[0, -1]] = False
        return found

    def edges(self, cells: NDArray[np.intp], dtype: str) -> NDArray[np.float64]:
        """Return the least value that lies in each of these cells or above it."""
        import numpy as np

        is_integer = np.dtype(dtype).kind in "iu"

        def is_above(values: NDArray[np.float64]) -> NDArray[np.bool_]:
            return np.asarray(self.at(self.positions(values)) >= cells)

        guess = self.low + (cells - 1) / self.per_unit
        guess = np.ceil(guess) if is_integer else guess
        step = np.maximum(np.spacing(np.maximum(abs(self.low), np.abs(guess))), 1.0 if is_integer else 0.0)
        under, over = guess - step, guess + step
        for _ in range(_MOST_STEPS):
            is_too_high, is_too_low = is_above(under), ~is_above(over)
            if not (is_too_high | is_too_low).any():
                break
            step = step * 2
            under, over = np.where(is_too_high, under - step, under), np.where(is_too_low, over + step, over)
        for _ in range(_MOST_HALVINGS):
            middle = np.floor((under + over) / 2) if is_integer else (under + over) / 2
            is_between = (under < middle) & (middle < over)
            if not is_between.any():
                break
            is_high = is_above(middle)
            over = np.where(is_between & is_high, middle, over)
            under = np.where(is_between & ~is_high, middle, under)
        return over


@dataclass(frozen=True)
class FineCells:
    """The wanted cells of a coarser partition, cut at knots; a value that is a knot has a cell of its own."""

    coarse: Cells
    wanted: NDArray[np.bool_]
    knots: NDArray[Any]

    @property
    def count(self) -> int:
        """How many there can be."""
        return int(self.wanted.sum()) + 2 * len(self.knots) + 1

    def find(self, values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp]]:
        """Return the values in wanted cells and the fine cell of each."""
        kept, coarse = self.within(values)
        return kept, self.number(kept, coarse)

    def within(self, values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp]]:
        """Return the values in wanted cells and the coarse cell of each."""
        return wanted_values(self.coarse, self.wanted, values)

    def number(self, kept: NDArray[Any], coarse: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the fine cells of values whose coarse cells are known.

        The rank of the coarse cell and the place among the knots both rise with the value; so does their sum, and two
        values share it only when they share both.
        """
        import numpy as np

        left = np.searchsorted(self.knots, kept)
        is_knot = self.knots[np.minimum(left, len(self.knots) - 1)] == kept
        rank = np.cumsum(self.wanted) - 1
        return np.asarray(rank[coarse] + 2 * left + is_knot)

    def single(self) -> NDArray[np.bool_]:
        """Tell which cells hold one value only, however often."""
        import numpy as np

        found = np.zeros(self.count, dtype=bool)
        _, cells = self.find(self.knots)
        found[cells] = True
        return found


def wanted_values(
    cells: Cells, wanted: NDArray[np.bool_], values: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return the values in wanted cells and the cell of each."""
    kept, found = cells.find(values)
    chosen = wanted[found]
    return kept[chosen], found[chosen]
