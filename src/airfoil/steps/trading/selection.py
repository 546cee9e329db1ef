"""The parameters for tomorrow, with the evidence: what choosing this way would have earned on days nobody had seen.

The parameters are the best of the latest days; their own past is no evidence, because it is what they were chosen for.
The evidence is the walk-forward, beside owning everything all the time. Whether it is enough is a gate's business.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airfoil.records import Scores
from airfoil.steps.trading.backtest import Returns, run_backtests, trade_positions
from airfoil.steps.trading.charts import draw_drawdown, draw_equity
from airfoil.steps.trading.look_ahead import refuse_look_ahead
from airfoil.steps.trading.momentum import MomentumParameters, positions
from airfoil.steps.trading.performance import Performance, drawdown, equity, measure_one
from airfoil.steps.trading.walk_forward import best_of, walk_forward

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from airfoil.steps.trading.plan import SweepPlan
    from airfoil.steps.trading.prices import PriceTable

CHOSEN, HELD = "walk-forward", "own everything"


@dataclass(frozen=True)
class Selection:
    """Which parameters to trade from now on, and why."""

    parameters: MomentumParameters
    performance: Performance
    """Of the walk-forward: of the way of choosing, on unseen days."""
    held: Performance
    """Of owning all symbols on the same days."""
    steps: tuple[dict[str, Any], ...]
    """For each fold: its test days, what was chosen, and how that did before and after."""
    look_ahead_cuts: int
    """At how many moments the future was changed and the past looked at."""
    days: NDArray[np.datetime64]
    curves: dict[str, NDArray[np.float64]]
    """The daily net returns behind both performances."""

    @property
    def scores(self) -> Scores:
        """The numbers for a gate."""
        return self.performance.to_scores()

    def figures(self) -> dict[str, Figure]:
        """Draw the equity curve and the drawdown, by file name."""
        sheets = {name: equity(net[None])[0] for name, net in self.curves.items()}
        falls = {name: drawdown(sheet[None])[0] for name, sheet in sheets.items()}
        return {
            "equity.png": draw_equity(self.days, sheets),
            "drawdown.png": draw_drawdown(self.days, falls),
        }


def join_grid(parts: Sequence[pa.Table]) -> pa.Table:
    """Lay the parts of a sweep together, in their order."""
    import pyarrow as pa

    return pa.concat_tables(parts).combine_chunks()


def select_parameters(prices: PriceTable, grid: pa.Table, plan: SweepPlan) -> Selection:
    """Walk forward over a measured grid, and choose for tomorrow; refuses a strategy that knows the future."""
    import numpy as np

    folds, rules = plan.folds(prices), plan.rules
    walk = walk_forward(prices, grid, rules, folds)
    best = best_of(grid, folds.latest.name)

    def results(given: PriceTable) -> NDArray[np.float64]:
        return np.column_stack([positions(given, best), run_backtests(given, [best], rules).net[0]])

    cuts = refuse_look_ahead(results, prices, what="positions or returns")
    first = folds.folds[0].test.first
    held = trade_positions(prices, np.ones_like(prices.close), rules).between(first, prices.days.size)
    steps = []
    for fold, chosen in zip(folds.folds, walk.choices, strict=True):
        tested = walk.returns.between(fold.test.first - first, fold.test.last - first)
        steps.append(
            {
                "first_day": str(prices.days[fold.test.first]),
                "last_day": str(prices.days[fold.test.last - 1]),
                **chosen.to_json(),
                "chosen_at_sharpe_ratio": _sharpe(grid, fold.train.name, chosen),
                **_prefixed(tested, rules.capital),
            }
        )
    return Selection(
        best,
        measure_one(walk.returns, rules.capital),
        measure_one(held, rules.capital),
        tuple(steps),
        cuts,
        walk.days,
        {CHOSEN: walk.returns.net[0], HELD: held.net[0]},
    )


def _prefixed(returns: Returns, capital: float) -> dict[str, Any]:
    return {f"test_{name}": value for name, value in measure_one(returns, capital).to_json().items()}


def _sharpe(grid: pa.Table, period: str, chosen: MomentumParameters) -> float | None:
    """Return what a chosen set had in the period it was chosen in; None when nothing traded there."""
    import pyarrow.compute as pc

    is_row = None
    for name, value in chosen.model_dump().items():
        same = pc.equal(grid[name], value)
        is_row = same if is_row is None else pc.and_(is_row, same)
    (found,) = grid.filter(is_row)[period].to_pylist()
    return None if math.isnan(found) else float(found)
