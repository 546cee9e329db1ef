"""Walk-forward validation: choose parameters on the past, trade them on the days that follow, move on, repeat.

The best of five hundred sets on all days is best by luck as well; the returns of a walk-forward are those of somebody
who chose each time with what was known by then. Must not let a test day into a choice: the tests change it and look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field

from airfoil.errors import ConfigurationError
from airfoil.records import Record
from airfoil.steps.trading.backtest import Returns, TradingRules, trade_positions
from airfoil.steps.trading.momentum import MomentumParameters, longest_warm_up, positions

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from airfoil.steps.trading.prices import PriceTable

LATEST = "latest"


class WalkForward(Record):
    """How many trading days a choice looks at, and for how many it counts."""

    train_days: int = Field(default=1260, ge=2)
    test_days: int = Field(default=252, ge=2)


@dataclass(frozen=True)
class Period:
    """Some days in a row, as rows of the table; `last` is the first that does not belong to it."""

    name: str
    first: int
    last: int


@dataclass(frozen=True)
class Fold:
    """The days that a choice is made on, and those right after, for which it counts."""

    train: Period
    test: Period


@dataclass(frozen=True)
class Folds:
    """All folds of a table, and the last days of all, on which the parameters for tomorrow are chosen."""

    folds: tuple[Fold, ...]
    latest: Period

    @property
    def periods(self) -> tuple[Period, ...]:
        """Every stretch of days that a sweep has to measure."""
        return (
            *(period for fold in self.folds for period in (fold.train, fold.test)),
            self.latest,
        )


@dataclass(frozen=True)
class Walk:
    """What a walk-forward chose, and what its choices earned on days they had not seen."""

    choices: tuple[MomentumParameters, ...]
    """For each fold."""
    days: NDArray[np.datetime64]
    returns: Returns
    """Of the test days only."""


def days_needed(sets: Sequence[MomentumParameters], rules: TradingRules, plan: WalkForward) -> int:
    """Return how many days a table needs for one fold."""
    return _warm_up(sets, rules) + plan.train_days + plan.test_days


def plan_folds(
    days: int, sets: Sequence[MomentumParameters], rules: TradingRules, plan: WalkForward
) -> Folds:
    """Lay folds so that the newest day is in the last test; what is too much is left out at the beginning."""
    needed = days_needed(sets, rules, plan)
    count = (days - needed) // plan.test_days + 1
    if count < 1:
        raise ConfigurationError(
            f"A walk-forward needs {needed} days, and there are {days}: {_warm_up(sets, rules)} until the slowest "
            f"parameters trade, {plan.train_days} to choose on and {plan.test_days} to test",
            "Give more history, or shorter windows.",
        )
    starts = [days - (count - number) * plan.test_days for number in range(count)]
    return Folds(
        tuple(
            Fold(
                Period(f"train_{number}", start - plan.train_days, start),
                Period(f"test_{number}", start, start + plan.test_days),
            )
            for number, start in enumerate(starts, start=1)
        ),
        Period(LATEST, days - plan.train_days, days),
    )


def best_of(grid: pa.Table, period: str) -> MomentumParameters:
    """Return the parameters with the highest Sharpe ratio in a period, the first of equals; no trade is the worst."""
    import numpy as np

    sharpe = grid[period].to_numpy()
    row = int(np.argmax(np.where(np.isnan(sharpe), -np.inf, sharpe)))
    found = grid.slice(row, 1).to_pylist()[0]
    return MomentumParameters.model_validate({name: found[name] for name in MomentumParameters.model_fields})


def walk_forward(prices: PriceTable, grid: pa.Table, rules: TradingRules, folds: Folds) -> Walk:
    """Trade each fold's best parameters on the days after, as one account that changes its mind between folds."""
    choices = tuple(best_of(grid, fold.train.name) for fold in folds.folds)
    first = folds.folds[0].test.first
    stitched = trade_positions(prices, stitch_positions(prices, folds, choices), rules)
    return Walk(choices, prices.days[first:], stitched.between(first, prices.days.size))


def stitch_positions(
    prices: PriceTable, folds: Folds, choices: Sequence[MomentumParameters]
) -> NDArray[np.float64]:
    """Return the positions of somebody who follows each choice from the evening on which it is made."""
    import numpy as np

    stitched = np.zeros_like(prices.close)
    for fold, chosen in zip(folds.folds, choices, strict=True):
        # The close of the last training day is known when the choice is made, and may be acted on.
        own = slice(fold.test.first - 1, fold.test.last)
        stitched[own] = positions(prices, chosen)[own]
    return stitched


def _warm_up(sets: Sequence[MomentumParameters], rules: TradingRules) -> int:
    return longest_warm_up(sets) + rules.delay_days + 1
