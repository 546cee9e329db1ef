"""Of all feature rows, the newest for each entity row, found in one pass over the features in any order.

Entity rows are sorted by key and moment, once. A feature row belongs to the first entity row of its key that is not
before it, and, if nothing newer turns up there, to those after that. So one place per entity row is all that has to be
kept while the features go by: memory grows with the entity rows and not with the features, which are never sorted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airfoil.steps.training_sets.instants import BEFORE_ALL

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from airfoil.steps.training_sets.candidates import Candidates
    from airfoil.steps.training_sets.places import Places


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

    def offer(self, found: Candidates) -> None:
        """Look at the rows of a further batch."""
        self._has_late_rows |= found.are_late
        newest = self._newest(found)
        rows, places = found.rows[newest], found.places[newest]
        numbers = self._seen + rows
        self._numbers[places] = numbers
        # Of several rows that are equal in everything, numpy wrote the last one.
        last = self._numbers[places] == numbers
        self._kept.append((places[last], numbers[last], found.features[rows[last]]))
        self._kept_rows += int(last.sum())
        self._seen += found.features.height
        if self._kept_rows > 2 * self._size:
            self._forget()

    def _newest(self, found: Candidates) -> NDArray[np.intp]:
        """Tell which are at least as new as anything seen at their place, equal ones among them."""
        import numpy as np

        old = self._moments[found.places]
        np.maximum.at(self._moments, found.places, found.moments)
        newest = np.flatnonzero(found.moments == self._moments[found.places])
        if found.created is None:
            return newest
        places, created = found.places[newest], found.created[newest]
        self._created[places[old[newest] < found.moments[newest]]] = BEFORE_ALL
        np.maximum.at(self._created, places, created)
        return np.asarray(newest[created == self._created[places]])

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
