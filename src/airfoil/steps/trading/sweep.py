"""Try many sets of parameters, and write down for each how it did on all days and in every period of a walk-forward.

The result is a table of one row for each set, so that parts of a grid can be measured anywhere and laid together.
Daily returns are measured and dropped batch by batch: memory does not grow with the grid. Chooses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from airfoil.errors import ConfigurationError
from airfoil.steps.trading.backtest import TradingRules, run_backtests
from airfoil.steps.trading.momentum import MomentumParameters
from airfoil.steps.trading.performance import measure_each, sharpe_ratios

if TYPE_CHECKING:
    import pyarrow as pa

    from airfoil.steps.trading.prices import PriceTable
    from airfoil.steps.trading.walk_forward import Folds

BATCH_SETS = 32


def run_sweep(
    prices: PriceTable, sets: Sequence[MomentumParameters], rules: TradingRules, folds: Folds
) -> pa.Table:
    """Measure each set: its parameters, its performance on all days, and its Sharpe ratio in each period."""
    import pyarrow as pa

    if not sets:
        raise ConfigurationError("A sweep of no parameters measures nothing", "Give at least one set.")
    parts = [
        _measure(prices, sets[first : first + BATCH_SETS], rules, folds)
        for first in range(0, len(sets), BATCH_SETS)
    ]
    return pa.concat_tables(parts)


def split_sets(count: int, parts: int) -> tuple[tuple[int, int], ...]:
    """Split so many sets into parts of about the same size, each as (first, first of the next); none is empty."""
    parts = max(1, min(parts, count))
    edges = [count * number // parts for number in range(parts + 1)]
    return tuple((first, last) for first, last in pairwise(edges) if last > first)


def _measure(
    prices: PriceTable, sets: Sequence[MomentumParameters], rules: TradingRules, folds: Folds
) -> pa.Table:
    import pyarrow as pa

    returns = run_backtests(prices, sets, rules)
    columns: dict[str, Any] = {
        name: [getattr(one, name) for one in sets] for name in MomentumParameters.model_fields
    }
    columns |= measure_each(returns, rules.capital)
    columns |= {
        period.name: sharpe_ratios(returns.net[:, period.first : period.last]) for period in folds.periods
    }
    return pa.table(columns)
