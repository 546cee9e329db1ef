"""How good daily returns were: Sharpe and Sortino ratio, drawdown, turnover, profit; for many strategies at once.

What is undefined (a ratio of returns that never moved) is NaN in arrays and None in records, never a made-up number.
Must not judge.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import Field, FiniteFloat

from airfoil.records import Record, Scores

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from airfoil.steps.trading.backtest import Returns

DAYS_PER_YEAR = 252
LEAST_SPREAD = 1e-12
"""Below it, returns are the same number up to rounding, and no ratio can be made of them."""
_TWO = 2  # a spread takes two


class Performance(Record):
    """What one strategy did in a stretch of days."""

    days: int = Field(ge=1)
    sharpe_ratio: FiniteFloat | None
    """Mean daily return by its deviation, per year; cash is taken to earn nothing."""
    sortino_ratio: FiniteFloat | None
    """The same by the deviation of losses alone."""
    max_drawdown: FiniteFloat
    """The largest loss since a peak, as a share of the peak."""
    turnover_per_year: FiniteFloat
    """Bought and sold in a year, as a multiple of the money."""
    profit: FiniteFloat
    """In the unit of the capital."""

    def to_scores(self) -> Scores:
        """Return what is defined as scores; the rows are the days."""
        given = self.model_dump(exclude={"days"}, exclude_none=True)
        return Scores(values=given, rows=self.days)


def measure_each(returns: Returns, capital: float) -> Mapping[str, NDArray[np.float64]]:
    """Return each measure as one number for each strategy."""
    import numpy as np

    net = returns.net
    sheets = equity(net)
    return {
        "sharpe_ratio": sharpe_ratios(net),
        "sortino_ratio": _yearly(net, np.sqrt((np.minimum(net, 0) ** 2).mean(axis=1))),
        "max_drawdown": drawdown(sheets).max(axis=1),
        "turnover_per_year": returns.traded.mean(axis=1) * DAYS_PER_YEAR,
        "profit": capital * (sheets[:, -1] - 1),
    }


def measure_one(returns: Returns, capital: float) -> Performance:
    """Return the measures of a single strategy."""
    found = {name: float(values[0]) for name, values in measure_each(returns, capital).items()}
    known = {name: None if math.isnan(value) else value for name, value in found.items()}
    return Performance.model_validate({"days": returns.net.shape[1], **known})


def sharpe_ratios(net: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Sharpe ratio of each row of daily returns."""
    import numpy as np

    if net.shape[1] < _TWO:
        return np.full(net.shape[0], np.nan)
    return _yearly(net, net.std(axis=1, ddof=1))


def equity(net: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what became of one unit of money by the end of each day; nothing comes after ruin."""
    import numpy as np

    return np.multiply.accumulate(np.maximum(1 + net, 0), axis=1)


def drawdown(sheets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the loss since the highest point so far, as a share of it; the start counts as a point."""
    import numpy as np

    return 1 - sheets / np.maximum(np.maximum.accumulate(sheets, axis=1), 1)


def _yearly(net: NDArray[np.float64], spread: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    found = np.full(net.shape[0], np.nan)
    np.divide(net.mean(axis=1) * math.sqrt(DAYS_PER_YEAR), spread, out=found, where=spread > LEAST_SPREAD)
    return found
