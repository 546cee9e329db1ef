"""Everything that decides the outcome of a sweep, from the form of a DAG: grid, trading rules, walk-forward windows.

Each task of a sweep makes the same plan of the same parameters, so nothing but the parameters travels between them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import ValidationError

from airfoil.errors import ConfigurationError
from airfoil.records import Record
from airfoil.steps.trading.backtest import TradingRules
from airfoil.steps.trading.momentum import MomentumParameters, ParameterGrid
from airfoil.steps.trading.prices import PriceTable
from airfoil.steps.trading.walk_forward import Folds, WalkForward, days_needed, plan_folds


class SweepPlan(Record):
    """A grid, the rules it is traded by, and the windows it is validated in."""

    grid: ParameterGrid = ParameterGrid()
    rules: TradingRules = TradingRules()
    windows: WalkForward = WalkForward()

    @classmethod
    def of_params(cls, params: Mapping[str, Any]) -> Self:
        """Make a plan of the parameters of a DAG run, by their names; those that mean something else are left alone."""
        try:
            return cls.model_validate(
                {
                    part: {name: params[name] for name in kind.model_fields if name in params}
                    for part, kind in _PARTS.items()
                }
            )
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"][1:]) or "the grid"
            raise ConfigurationError(
                f"The parameter '{where}' of the sweep cannot be used: {first['msg'].removeprefix('Value error, ')}",
                "Correct it in the trigger's form or in the DAG file.",
            ) from error

    @property
    def sets(self) -> tuple[MomentumParameters, ...]:
        """All sets of parameters, in the order that every task counts them."""
        return self.grid.sets()

    @property
    def days_needed(self) -> int:
        """How many days of prices it takes."""
        return days_needed(self.sets, self.rules, self.windows)

    def folds(self, prices: PriceTable) -> Folds:
        """Lay the folds over a table of prices."""
        return plan_folds(prices.days.size, self.sets, self.rules, self.windows)


_PARTS: Mapping[str, type[Record]] = {"grid": ParameterGrid, "rules": TradingRules, "windows": WalkForward}
