"""Why a row is anomalous: which columns would have to hold their usual value for it to look like the others.

Each column in turn is set to the middle of the sample, and the row is scored again. Columns that are odd only together
share the weight. Must not read tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from airfoil.steps.anomaly.report import AnomalyReason

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from airfoil.steps.anomaly.forest import Forest


def explain(
    forest: Forest,
    row: NDArray[np.float64],
    columns: Sequence[str],
    sample: NDArray[np.float64],
    *,
    most: int = 3,
) -> tuple[AnomalyReason, ...]:
    """Return the columns whose usual value would lower the score, the weightiest first."""
    import numpy as np

    changed = np.repeat(row[None, :], len(columns) + 1, axis=0)
    places = np.arange(len(columns))
    changed[places, places] = forest.middles
    scores = forest.scores(changed)
    weights = scores[-1] - scores[:-1]
    chosen = [int(place) for place in np.argsort(-weights, kind="stable")[:most] if weights[place] > 0]
    return tuple(
        AnomalyReason(
            column=columns[place],
            value=float(row[place]) if np.isfinite(row[place]) else None,
            usual=float(forest.middles[place]),
            weight=float(weights[place]),
            share_below=float((sample[:, place] < row[place]).mean()),
        )
        for place in chosen
    )
