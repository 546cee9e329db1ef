"""What is selected, and the evidence that goes with it."""

import json

import numpy as np
import pytest
from tests.unit.steps.trading.markets import market

from airfoil.errors import ConfigurationError
from airfoil.steps.trading import selection
from airfoil.steps.trading.backtest import run_backtests
from airfoil.steps.trading.performance import sharpe_ratios
from airfoil.steps.trading.plan import SweepPlan
from airfoil.steps.trading.selection import join_grid, select_parameters
from airfoil.steps.trading.sweep import run_sweep, split_sets

pytestmark = pytest.mark.unit

PLAN = SweepPlan.of_params(
    {"lookback_days": [5, 20], "skip_days": [0], "rebalance_days": [1, 7], "train_days": 60, "test_days": 20}
)
PRICES = market(200)


def measured(parts=1):
    folds = PLAN.folds(PRICES)
    ranges = split_sets(len(PLAN.sets), parts)
    return join_grid([run_sweep(PRICES, PLAN.sets[a:b], PLAN.rules, folds) for a, b in ranges])


def test_parameters_are_the_best_of_the_latest_days():
    found = select_parameters(PRICES, measured(), PLAN)
    ratios = sharpe_ratios(run_backtests(PRICES, PLAN.sets, PLAN.rules).net[:, -60:])
    assert found.parameters == PLAN.sets[int(np.nanargmax(ratios))]


def test_the_parts_of_a_sweep_do_not_matter():
    assert (
        select_parameters(PRICES, measured(5), PLAN).steps
        == select_parameters(PRICES, measured(), PLAN).steps
    )


def test_the_evidence_is_of_unseen_days_fold_by_fold():
    found = select_parameters(PRICES, measured(), PLAN)
    folds = PLAN.folds(PRICES).folds
    assert found.performance.days == found.held.days == 20 * len(folds) == len(found.days)
    assert [step["first_day"] for step in found.steps] == [
        str(PRICES.days[fold.test.first]) for fold in folds
    ]
    assert found.steps[-1]["last_day"] == str(PRICES.days[-1])
    assert all(step["test_days"] == 20 for step in found.steps)
    assert all(isinstance(step["chosen_at_sharpe_ratio"], float) for step in found.steps)
    json.dumps(found.steps, allow_nan=False)
    assert found.scores.rows == found.performance.days
    assert found.scores["sharpe_ratio"] == found.performance.sharpe_ratio


def test_both_figures_are_drawn():
    figures = select_parameters(PRICES, measured(), PLAN).figures()
    assert set(figures) == {"equity.png", "drawdown.png"}
    assert [line.get_label() for line in figures["equity.png"].axes[0].lines][:2] == [
        "walk-forward",
        "own everything",
    ]


def test_prices_that_never_move_select_something_and_measure_nothing():
    calm = PRICES.with_close(np.ones_like(PRICES.close))
    grid = run_sweep(calm, PLAN.sets, PLAN.rules, PLAN.folds(calm))
    found = select_parameters(calm, grid, PLAN)
    assert found.performance.sharpe_ratio is None
    assert "sharpe_ratio" not in found.scores.values
    assert found.steps[0]["chosen_at_sharpe_ratio"] is None


def test_a_strategy_that_knows_the_future_is_not_selected(monkeypatch):
    real = selection.positions
    monkeypatch.setattr(selection, "positions", lambda prices, one: np.roll(real(prices, one), -1, axis=0))
    with pytest.raises(ConfigurationError, match="change when only prices after"):
        select_parameters(PRICES, measured(), PLAN)
