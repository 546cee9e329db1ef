"""What a strategy would have earned: from positions, or from many sets of parameters, to the return of each day.

A position that is decided at the close of day t is traded at the close of day t + `delay_days` and earns from the day
after on. Each symbol has the same part of the money, brought back to it every day; what is traded costs `cost_bps` and
`slippage_bps` of its amount. Bringing a part back to its size is not counted as trading, and neither interest nor the
lending of shares is. Must not judge, and must not know what a position is made of beyond `momentum`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field

from airfoil.records import Record
from airfoil.steps.trading.momentum import (
    MomentumParameters,
    decision_rows,
    direction,
    latest_decision,
    momentum,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from airfoil.steps.trading.prices import PriceTable

_BASIS_POINT = 1e-4


class TradingRules(Record):
    """How decisions become trades, and what those cost."""

    cost_bps: float = Field(default=5.0, ge=0)
    """Commission and fees, in hundredths of a percent of what is traded."""
    slippage_bps: float = Field(default=5.0, ge=0)
    """How much worse than the closing price one trades, likewise."""
    delay_days: int = Field(default=1, ge=1)
    """Trading days from a decision to its trade: nobody trades at the very price that decides."""
    capital: float = Field(default=100_000.0, gt=0)

    @property
    def cost_share(self) -> float:
        """What one unit of traded money costs."""
        return (self.cost_bps + self.slippage_bps) * _BASIS_POINT


@dataclass(frozen=True)
class Returns:
    """Daily results of one or several strategies: a row for each, a column for each day."""

    net: NDArray[np.float64]
    """As a share of the money, after costs."""
    traded: NDArray[np.float64]
    """Bought and sold, as a share of the money."""

    def between(self, first: int, last: int) -> Returns:
        """Return the days from `first` up to and without `last`."""
        return Returns(self.net[:, first:last], self.traded[:, first:last])


def trade_positions(prices: PriceTable, positions: NDArray[np.float64], rules: TradingRules) -> Returns:
    """Return the daily results of positions that were decided at the close of each day."""
    import numpy as np

    days, symbols = prices.close.shape
    held = np.zeros((days, symbols))
    held[rules.delay_days :] = positions[: max(0, days - rules.delay_days)]
    held /= symbols
    traded = np.abs(np.diff(held, axis=0, prepend=0)).sum(axis=1)
    net = -rules.cost_share * traded
    net[1:] += np.einsum("ts,ts->t", held[:-1], daily_moves(prices))
    return Returns(net[None], traded[None])


def run_backtests(prices: PriceTable, sets: Sequence[MomentumParameters], rules: TradingRules) -> Returns:
    """Return the daily results of many sets of parameters on the same prices.

    Sets that share look-back, skip and rebalancing share their momentum when they stand side by side. Only decisions
    are computed: the days between them repeat one. Memory is two rows of days for each set, and a few tables of prices.
    """
    import numpy as np

    days, symbols = prices.close.shape
    moves = daily_moves(prices)
    found = Returns(np.zeros((len(sets), days)), np.zeros((len(sets), days)))
    known: tuple[int, int, int] | None = None
    for number, one in enumerate(sets):
        key = (one.lookback_days, one.skip_days, one.rebalance_days)
        if key != known:
            known, rows = key, decision_rows(prices.days, one)
            ratio, latest = momentum(prices.close, rows, one), latest_decision(rows, days)
        if not rows.size:
            continue
        decided = direction(ratio, one)
        amounts = np.abs(np.diff(decided, axis=0, prepend=0)).sum(axis=1) / symbols
        is_in_time = rows + rules.delay_days < days
        traded, net = found.traded[number], found.net[number]
        traded[rows[is_in_time] + rules.delay_days] = amounts[is_in_time]
        first = rows[0] + rules.delay_days + 1
        if first < days:
            held = decided[latest[rows[0] : days - rules.delay_days - 1]]
            net[first:] = np.einsum("ts,ts->t", held, moves[first - 1 :]) / symbols
        net -= rules.cost_share * traded
    return found


def daily_moves(prices: PriceTable) -> NDArray[np.float64]:
    """Return how much each price has changed since the day before, from the second day on."""
    moves: NDArray[np.float64] = prices.close[1:] / prices.close[:-1] - 1
    return moves
