"""An Isolation Forest: trained on a sample, scoring any number of rows in batches exactly as scikit-learn scores them.

Scores are those of the paper: near 1 is easily told apart from the others, below 0.5 is not. Must not read or judge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_AT_ONCE = 2**13
"""Rows that go through all trees together; they and a tree stay in the processor's cache."""
_MOST = 3e38
"""Trees compute in 32 bits; what is larger, infinite values too, counts as this."""


@dataclass(frozen=True)
class Forest:
    """A trained forest, and what stands in for a missing value: the middle of the sample."""

    model: Any
    middles: NDArray[np.float64]

    @classmethod
    def trained(cls, sample: NDArray[np.float64], *, trees: int, seed: int) -> Forest:
        """Train on the rows of a sample; each column needs a value that is not missing."""
        import numpy as np
        from sklearn.ensemble import IsolationForest

        middles = np.nanmedian(np.clip(sample, -_MOST, _MOST), axis=0)
        # One thread: tasks share few cores with the platform.
        model = IsolationForest(n_estimators=trees, random_state=seed, n_jobs=1)
        model.fit(_filled(sample, middles))
        return cls(model, middles)

    def scores(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a score for each row: what scikit-learn's `score_samples` gives, with the opposite sign."""
        import numpy as np

        found = np.empty(len(rows))
        for start in range(0, len(rows), _AT_ONCE):
            part = _filled(rows[start : start + _AT_ONCE], self.middles)
            found[start : start + _AT_ONCE] = -self.model.score_samples(part)
        return found


def _filled(rows: NDArray[np.float64], middles: NDArray[np.float64]) -> NDArray[np.float32]:
    import numpy as np

    filled = np.where(np.isnan(rows), middles, rows)
    return np.clip(filled, -_MOST, _MOST).astype(np.float32)
