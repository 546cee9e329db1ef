"""The momentum strategy: own what has risen, be short of what has fallen, look again every so many days.

A position is decided at the close of a day from closes up to that day; when it is traded and what that costs is the
back-test's business. Must not look at a later price: `look_ahead` and the tests hold it to that.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from airfoil.records import Record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from airfoil.steps.trading.prices import PriceTable

_Days = Annotated[int, Field(ge=1)]


class MomentumParameters(Record):
    """What decides the positions."""

    lookback_days: int = Field(default=126, ge=1)
    """Momentum is the price now against the price so many trading days ago."""
    skip_days: int = Field(default=0, ge=0)
    """How many of the last trading days are left out."""
    threshold: float = Field(default=0.0, ge=0, lt=1)
    """How much a price must have moved: 0.05 is five percent."""
    rebalance_days: int = Field(default=1, ge=1)
    """Positions change on the first trading day of each period of so many calendar days."""
    long_only: bool = True
    """Otherwise what has fallen is sold short."""

    @model_validator(mode="after")
    def _looks_back(self) -> Self:
        if self.skip_days >= self.lookback_days:
            message = f"skip_days is {self.skip_days}, which leaves nothing of a look-back of {self.lookback_days} days"
            raise ValueError(message)
        return self


class ParameterGrid(Record):
    """The values to try, each with each; a skip that leaves nothing of a look-back is left out."""

    lookback_days: tuple[_Days, ...] = Field(
        default=(10, 21, 42, 63, 84, 105, 126, 168, 210, 252), min_length=1
    )
    skip_days: tuple[int, ...] = Field(default=(0, 5), min_length=1)
    threshold: tuple[float, ...] = Field(default=(0.0, 0.02, 0.05, 0.1, 0.2), min_length=1)
    rebalance_days: tuple[_Days, ...] = Field(default=(1, 7, 14, 28, 91), min_length=1)
    long_only: tuple[bool, ...] = Field(default=(True,), min_length=1)

    @model_validator(mode="after")
    def _holds_sets(self) -> Self:
        if not self.sets():
            message = "the grid is empty: every skip is as long as every look-back"
            raise ValueError(message)
        return self

    def sets(self) -> tuple[MomentumParameters, ...]:
        """Return all sets of parameters; those that share their momentum stand side by side."""
        values = product(
            sorted(set(self.lookback_days)),
            sorted(set(self.skip_days)),
            sorted(set(self.rebalance_days)),
            sorted(set(self.threshold)),
            sorted(set(self.long_only)),
        )
        return tuple(
            MomentumParameters(
                lookback_days=lookback,
                skip_days=skip,
                rebalance_days=rebalance,
                threshold=threshold,
                long_only=long_only,
            )
            for lookback, skip, rebalance, threshold, long_only in values
            if skip < lookback
        )


def longest_warm_up(sets: Sequence[MomentumParameters]) -> int:
    """Return after how many days each of the sets has had its first chance to trade."""
    return max(one.lookback_days + one.rebalance_days for one in sets)


def positions(prices: PriceTable, parameters: MomentumParameters) -> NDArray[np.float64]:
    """Return the position of each day and symbol: 1 owned, -1 sold short, 0 out."""
    import numpy as np

    rows = decision_rows(prices.days, parameters)
    # The last row is for the days before the first decision.
    decided = np.zeros((rows.size + 1, len(prices.symbols)))
    decided[:-1] = direction(momentum(prices.close, rows, parameters), parameters)
    return decided[latest_decision(rows, prices.days.size)]


def decision_rows(days: NDArray[np.datetime64], parameters: MomentumParameters) -> NDArray[np.intp]:
    """Return the rows of the days on which positions are decided.

    Periods are counted by the calendar, so that a table that begins later has the same days.
    """
    import numpy as np

    period = days.astype("datetime64[D]").astype(np.int64) // parameters.rebalance_days
    rows = np.flatnonzero(period[1:] != period[:-1]) + 1
    return rows[rows >= parameters.lookback_days]


def momentum(
    close: NDArray[np.float64], rows: NDArray[np.intp], parameters: MomentumParameters
) -> NDArray[np.float64]:
    """Return the newer price divided by the older one, for the given rows."""
    import numpy as np

    # A served model gets prices that nobody has checked.
    with np.errstate(divide="ignore", invalid="ignore"):
        return close[rows - parameters.skip_days] / close[rows - parameters.lookback_days]


def direction(ratio: NDArray[np.float64], parameters: MomentumParameters) -> NDArray[np.float64]:
    """Return 1 for what has risen enough, -1 for what has fallen enough unless only long, else 0; NaN is 0."""
    import numpy as np

    found = (ratio > 1 + parameters.threshold).astype(np.float64)
    if not parameters.long_only:
        found -= ratio < 1 - parameters.threshold
    return found


def latest_decision(rows: NDArray[np.intp], days: int) -> NDArray[np.intp]:
    """Return, for each day, the number of the last decision made by then; -1 before the first."""
    import numpy as np

    return np.searchsorted(rows, np.arange(days), side="right") - 1
