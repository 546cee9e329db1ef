"""Of all feature rows, the newest for each entity row, found in one pass over the features in any order.

Entity rows are sorted by key and moment, once. A feature row belongs to the first entity row of its key that is not
before it, and, if nothing newer turns up there, to those after that. So one place per entity row is all that has to be
kept while the features go by: memory grows with the entity rows and not with the features, which are never sorted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airfoil.steps.training_sets.instants import BEFORE_ALL
from airfoil.steps.training_sets.keys import NOBODY

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

_CHUNK_ROWS = 32_768
"""Rows searched at once: small enough for what a search step makes to stay in the processor's cache."""


@dataclass(frozen=True)
class Places:
    """Entity rows that can be matched at all, sorted by key and moment."""

    rows: NDArray[np.int64]
    """Which entity row stands at each place."""
    codes: NDArray[np.int32]
    moments: NDArray[np.int64]
    starts: NDArray[np.int32]
    """The first place of each key, and one more entry: the number of places."""

    @classmethod
    def of(
        cls, codes: NDArray[np.int32], moments: NDArray[np.int64], known: NDArray[np.bool_], keys: int
    ) -> Places:
        """Sort the entity rows that have a key and a moment."""
        import numpy as np

        rows = np.flatnonzero(known & (codes != NOBODY))
        rows = rows[np.lexsort((moments[rows], codes[rows]))]
        starts = np.searchsorted(codes[rows], np.arange(keys + 1)).astype(np.int32)
        return cls(rows, codes[rows], moments[rows], starts)

    def find(self, codes: NDArray[np.int32], moments: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the first place of a row's key that is not before its moment; the next key's where there is none."""
        import numpy as np

        longest = int(np.diff(self.starts).max(initial=0))
        before = np.append(BEFORE_ALL, self.moments)  # before[place] is the moment of the place before it
        found = np.empty(len(codes), np.int32)
        for begin in range(0, len(codes), _CHUNK_ROWS):
            wanted = moments[begin : begin + _CHUNK_ROWS]
            keys = codes[begin : begin + _CHUNK_ROWS]
            place, end = self.starts[keys], self.starts[keys + 1]
            # A binary search of all rows at once: numpy's own would need key and moment in one number.
            step = 1 << longest.bit_length() >> 1
            while step:
                ahead = place + np.int32(step)
                is_earlier = before.take(ahead, mode="clip") < wanted
                is_earlier &= ahead <= end
                place += is_earlier * np.int32(step)
                step >>= 1
            found[begin : begin + _CHUNK_ROWS] = place
        return found


class NewestRows:
    """The newest feature row seen so far at each place, by moment, then by when it was written, then by order."""

    def __init__(self, places: Places) -> None:
        """Begin with nothing at every place."""
        import numpy as np

        self._places = places
        self._size = len(places.rows)
        self._moments = np.full(self._size, BEFORE_ALL)
        self._created = np.full(self._size, BEFORE_ALL)
        self._numbers = np.full(self._size, -1, np.int64)
        self._kept: list[tuple[NDArray[np.int64], NDArray[np.int64], pl.DataFrame]] = []
        self._kept_rows = 0
        self._seen = 0
        self._has_late_rows = False

    def offer(
        self,
        codes: NDArray[np.int32],
        moments: NDArray[np.int64],
        created: NDArray[np.int64] | None,
        known: NDArray[np.bool_],
        features: pl.DataFrame,
        *,
        known_from: NDArray[np.int64] | None = None,
    ) -> None:
        """Look at further rows; `known_from` is the moment from which each may be used, its own if not given."""
        import numpy as np

        self._has_late_rows |= known_from is not None
        rows = np.flatnonzero((codes != NOBODY) & known)
        keys = codes[rows]
        places = self._places.find(keys, (moments if known_from is None else known_from)[rows])
        fits = places < self._places.starts[keys + 1]
        rows, places = rows[fits], places[fits]
        rows, places = self._newest(rows, places, moments, created)
        numbers = self._seen + rows
        self._numbers[places] = numbers
        # Of several rows that are equal in everything, numpy wrote the last one.
        last = self._numbers[places] == numbers
        self._kept.append((places[last], numbers[last], features[rows[last]]))
        self._kept_rows += int(last.sum())
        self._seen += len(codes)
        if self._kept_rows > 2 * self._size:
            self._forget()

    def _newest(
        self,
        rows: NDArray[np.int64],
        places: NDArray[np.int32],
        moments: NDArray[np.int64],
        created: NDArray[np.int64] | None,
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Leave the rows that are at least as new as anything seen at their place, equal ones among them."""
        import numpy as np

        old = self._moments[places]
        np.maximum.at(self._moments, places, moments[rows])
        is_newest = moments[rows] == self._moments[places]
        rows, places, old = rows[is_newest], places[is_newest], old[is_newest]
        if created is None:
            return rows, places
        self._created[places[old < moments[rows]]] = BEFORE_ALL
        np.maximum.at(self._created, places, created[rows])
        is_newest = created[rows] == self._created[places]
        return rows[is_newest], places[is_newest]

    def _forget(self) -> None:
        """Let go of rows that a newer one has replaced."""
        import numpy as np
        import polars as pl

        if not self._kept:
            return
        places = np.concatenate([one[0] for one in self._kept])
        numbers = np.concatenate([one[1] for one in self._kept])
        features = pl.concat([one[2] for one in self._kept])
        current = np.flatnonzero(self._numbers[places] == numbers)
        self._kept = [(places[current], numbers[current], features[current])]
        self._kept_rows = len(current)

    def chosen(
        self, rows: int, not_before: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.int64], pl.DataFrame]:
        """Return a row of the frame for each of so many entity rows, -1 where there is none or it is too old."""
        import numpy as np
        import polars as pl

        self._forget()
        if not self._kept:
            return np.full(rows, -1, np.int64), pl.DataFrame()
        places, _, features = self._kept[0]
        where = np.full(self._size, -1, np.int64)
        where[places] = np.arange(len(places))
        newest = self._newest_until(where >= 0)
        found = np.where(newest >= 0, where[newest], -1)
        if not_before is not None:
            found[self._moments[newest] < not_before[self._places.rows]] = -1
        chosen = np.full(rows, -1, np.int64)
        chosen[self._places.rows] = found
        return chosen, features

    def _newest_until(self, filled: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return, for each place, the place of the same key with the newest row up to it, itself included, or -1."""
        import numpy as np

        order = np.arange(self._size)
        if self._has_late_rows:
            # A row that was written late stands at a later place than its moment would have it.
            order = np.lexsort((self._numbers, self._created, self._moments))
        rank = np.empty(self._size, np.int64)
        rank[order] = np.arange(self._size)
        offset = self._places.codes.astype(np.int64) * (self._size + 1)
        highest = np.maximum.accumulate(offset + np.where(filled, rank + 1, 0)) - offset - 1
        return np.where(highest >= 0, order[highest], -1)
