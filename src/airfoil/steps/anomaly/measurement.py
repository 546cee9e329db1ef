"""Score every row of a table by an Isolation Forest that was trained on a sample, of the table or of a reference.

Two passes, in batches: one for the sample, one for the scores. Memory does not depend on the number of rows. Numbers
only; whether there are too many anomalies is said in `verdict`.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airfoil.errors import ConfigurationError
from airfoil.records import Histogram
from airfoil.steps.anomaly.features import Features
from airfoil.steps.anomaly.forest import Forest
from airfoil.steps.anomaly.reasons import explain
from airfoil.steps.anomaly.report import AnomalousRow, AnomalyReport
from airfoil.steps.anomaly.sample import RowSample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from airfoil.steps.scans import Scan

NOT_WANTED = "is left out by the plan"
_BINS = 50
_FEWEST_ROWS = 2
_NO_REFERENCE = (
    "The forest was trained on this table itself: the rate is about the share that was asked for, whatever the table "
    "holds. Give a reference for a rate that means something."
)


@dataclass(frozen=True)
class AnomalyPlan:
    """What decides the outcome: the same plan on the same tables gives the same report."""

    columns: Sequence[str] = ()
    """All that are numbers or times, if empty."""
    without: Sequence[str] = ()
    """Columns to leave out, such as times, which are never those of the reference."""
    sample_rows: int = 10_000
    trees: int = 100
    seed: int = 7
    usual_share: float = 0.99
    """This share of the training sample counts as usual; what scores higher than all of it is anomalous."""
    threshold: float | None = None
    """A score to use instead, such as scikit-learn's own 0.5."""
    top: int = 20

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not 0 < self.usual_share < 1 or self.sample_rows < _FEWEST_ROWS or self.trees < 1 or self.top < 0:
            raise ConfigurationError(
                "The plan for finding anomalies means nothing",
                f"usual_share lies between 0 and 1, sample_rows is at least {_FEWEST_ROWS}, trees at least 1.",
            )


def measure_anomalies(
    table: Scan, reference: Scan | None = None, plan: AnomalyPlan | None = None
) -> AnomalyReport:
    """Train on a sample of the reference, or of the table when there is none, and score each row of the table."""
    plan = plan or AnomalyPlan()
    source = reference or table
    features = Features.of([source, table], plan.columns)
    unwanted = [name for name in plan.without if name in features.readings]
    features = features.without(dict.fromkeys(unwanted, NOT_WANTED))
    features, sample = _sampled(source, features, plan)
    nothing = AnomalyReport(
        table=table.name,
        reference=reference.name if reference else "",
        rows=0,
        trained_rows=len(sample),
        trees=plan.trees,
        seed=plan.seed,
        columns=tuple(features.readings),
        left_out=features.left_out,
    )
    if not features.readings or len(sample) < _FEWEST_ROWS:
        what = "no column holds numbers" if not features.readings else f"{source.name} has {len(sample)} rows"
        rows = sum(batch.num_rows for batch in table.batches(table.schema.names[:1]))
        return nothing.model_copy(update={"rows": rows, "trained_rows": 0, "note": f"Not measured: {what}"})
    forest = Forest.trained(sample, trees=plan.trees, seed=plan.seed)
    usual = forest.scores(sample)
    threshold = float(_quantile(usual, plan.usual_share)) if plan.threshold is None else plan.threshold
    scored = _Scored(threshold, plan.top)
    for rows in features.batches(table):
        scored.add(forest.scores(rows), rows)
    columns = list(features.readings)
    return nothing.model_copy(
        update={
            "rows": scored.rows,
            "threshold": threshold,
            "anomalous": scored.anomalous,
            "scores": scored.histogram(usual),
            "top": tuple(
                AnomalousRow(row=row, score=score, reasons=explain(forest, values, columns, sample))
                for score, row, values in scored.best()
            ),
            "note": "" if reference or plan.threshold is not None else _NO_REFERENCE,
        }
    )


def _sampled(source: Scan, features: Features, plan: AnomalyPlan) -> tuple[Features, NDArray[np.float64]]:
    """Return a sample, and the columns without those that have no value in it."""
    import numpy as np

    sample = RowSample(plan.sample_rows, plan.seed)
    if features.readings:
        for rows in features.batches(source):
            sample.add(rows)
    rows = sample.rows()
    if not len(rows):
        return features, rows
    is_empty = np.asarray(np.isnan(rows).all(axis=0))
    empty = [name for name, lacks in zip(features.readings, is_empty, strict=True) if lacks]
    return features.without(dict.fromkeys(empty, "has no values to learn from")), rows[:, ~is_empty]


class _Scored:
    """What is kept of the scores while they go by."""

    def __init__(self, threshold: float, top: int) -> None:
        import numpy as np

        self.rows = self.anomalous = 0
        self._threshold, self._top = threshold, top
        self._edges = np.linspace(0, 1, _BINS + 1)
        self._counts = np.zeros(_BINS, dtype=np.int64)
        self._best: list[tuple[float, int, NDArray[np.float64]]] = []

    def add(self, scores: NDArray[np.float64], rows: NDArray[np.float64]) -> None:
        """Count a batch and keep its highest scores."""
        import numpy as np

        self.anomalous += int((scores > self._threshold).sum())
        self._counts += np.histogram(scores, self._edges)[0]
        if self._top:
            places = np.argsort(-scores, kind="stable")[: self._top]
            # Of equal scores the earlier row counts as the higher one; rows are unique, so values are never compared.
            found = [
                (float(scores[place]), -(self.rows + int(place)), rows[place].copy()) for place in places
            ]
            self._best = heapq.nlargest(self._top, [*self._best, *found], key=lambda one: one[:2])
        self.rows += len(scores)

    def best(self) -> list[tuple[float, int, NDArray[np.float64]]]:
        """Return the highest scores with their rows, the highest first."""
        return [(score, -row, values) for score, row, values in self._best]

    def histogram(self, usual: NDArray[np.float64]) -> Histogram:
        """Return how the scores of the sample and of the table are distributed."""
        import numpy as np

        return Histogram(
            edges=tuple(self._edges.tolist()),
            reference=tuple(np.histogram(usual, self._edges)[0].tolist()),
            current=tuple(self._counts.tolist()),
        )


def _quantile(values: NDArray[np.float64], share: float) -> float:
    import numpy as np

    return float(np.quantile(values, share))
