"""Feature rows of a batch with the places they may fill: all that is known of them before others are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airfoil.steps.training_sets.keys import NOBODY

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from airfoil.steps.training_sets.places import Places


@dataclass(frozen=True)
class Candidates:
    """Those rows of a batch that belong to a place, in their order."""

    rows: NDArray[np.int64]
    """Which row of the batch each of them is."""
    places: NDArray[np.int32]
    moments: NDArray[np.int64]
    created: NDArray[np.int64] | None
    features: pl.DataFrame
    """Of all rows of the batch."""
    are_late: bool = False
    """Whether rows may be used from another moment on than their own."""

    @classmethod
    def of(
        cls,
        places: Places,
        codes: NDArray[np.int32],
        moments: NDArray[np.int64],
        created: NDArray[np.int64] | None,
        known: NDArray[np.bool_],
        features: pl.DataFrame,
        *,
        known_from: NDArray[np.int64] | None = None,
    ) -> Candidates:
        """Look places up; `known_from` is the moment from which each row may be used, its own if not given."""
        import numpy as np

        rows = np.flatnonzero((codes != NOBODY) & known)
        keys = codes[rows]
        found = places.find(keys, (moments if known_from is None else known_from)[rows])
        fits = found < places.starts[keys + 1]
        rows = rows[fits]
        return cls(
            rows=rows,
            places=found[fits],
            moments=moments[rows],
            created=None if created is None else created[rows],
            features=features,
            are_late=known_from is not None,
        )
