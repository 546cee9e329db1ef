"""A sample of a table's rows that depends on the seed and the rows alone, not on the batches they come in.

Each row draws a number; those with the smallest numbers are the sample. Memory is that of the sample. Must not train.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class RowSample:
    """Holds at most so many rows, each as likely to be among them as any other."""

    def __init__(self, size: int, seed: int) -> None:
        import numpy as np

        self.size = size
        self.seen = 0
        self._random = np.random.default_rng(seed)
        self._draws = np.empty(0)
        self._rows: NDArray[np.float64] | None = None

    def add(self, rows: NDArray[np.float64]) -> None:
        """Look at the next rows of the table."""
        import numpy as np

        draws = self._random.random(len(rows))
        self.seen += len(rows)
        if len(self._draws) == self.size:
            hopeful = draws < self._draws.max()
            rows, draws = rows[hopeful], draws[hopeful]
        draws = np.concatenate([self._draws, draws])
        joined = rows if self._rows is None else np.concatenate([self._rows, rows])
        # The order of the table is kept, so that the sample does not depend on the batches either.
        chosen = np.sort(np.argsort(draws, kind="stable")[: self.size])
        self._draws, self._rows = draws[chosen], np.asarray(joined[chosen])

    def rows(self) -> NDArray[np.float64]:
        """Return the sample, in the order of the table."""
        import numpy as np

        return np.empty((0, 0)) if self._rows is None else self._rows
