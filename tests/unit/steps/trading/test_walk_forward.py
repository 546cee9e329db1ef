"""Choices are made on the past only, and what they earn is measured on days they had not seen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.steps.trading import reference
from tests.unit.steps.trading.markets import market

from airfoil.errors import ConfigurationError
from airfoil.steps.trading.backtest import TradingRules
from airfoil.steps.trading.look_ahead import find_look_ahead
from airfoil.steps.trading.momentum import ParameterGrid, positions
from airfoil.steps.trading.sweep import run_sweep
from airfoil.steps.trading.walk_forward import (
    WalkForward,
    best_of,
    days_needed,
    plan_folds,
    stitch_positions,
    walk_forward,
)

pytestmark = pytest.mark.unit

PLAN = WalkForward(train_days=60, test_days=20)
RULES = TradingRules()
SETS = ParameterGrid(
    lookback_days=(5, 20), skip_days=(0,), threshold=(0.0, 0.02), rebalance_days=(1, 7)
).sets()


def walked(prices, rules=RULES):
    folds = plan_folds(prices.days.size, SETS, rules, PLAN)
    return folds, walk_forward(prices, run_sweep(prices, SETS, rules, folds), rules, folds)


@given(st.integers(0, 500), st.integers(2, 90), st.integers(2, 90))
def test_folds_follow_each_other_and_end_with_the_newest_day(more, train, test):
    plan = WalkForward(train_days=train, test_days=test)
    days = days_needed(SETS, RULES, plan) + more
    found = plan_folds(days, SETS, RULES, plan)
    assert found.folds[-1].test.last == found.latest.last == days
    assert found.latest.last - found.latest.first == train
    assert len(found.folds) == more // test + 1
    for fold in found.folds:
        assert fold.train.first >= days_needed(SETS, RULES, plan) - train - test
        assert fold.train.last == fold.test.first == fold.train.first + train
        assert fold.test.last == fold.test.first + test
    for before, after in zip(found.folds, found.folds[1:], strict=False):
        assert after.test.first == before.test.last


def test_too_little_history_is_told_with_its_parts():
    with pytest.raises(ConfigurationError, match="needs 109 days, and there are 108: 29 until"):
        plan_folds(108, SETS, RULES, PLAN)


def test_each_choice_is_the_best_of_its_training_days():
    prices = market(200)
    folds, found = walked(prices)
    days, close = reference.plain(prices)
    for fold, chosen in zip(folds.folds, found.choices, strict=True):
        ratios = []
        for one in SETS:
            net, traded = reference.trade(close, reference.positions(days, close, one), RULES)
            part = slice(fold.train.first, fold.train.last)
            ratios.append(reference.measures(net[part], traded[part], 1.0)["sharpe_ratio"])
        best = reference.measures(
            *(one[fold.train.first : fold.train.last] for one in _traded(days, close, chosen)), 1.0
        )["sharpe_ratio"]
        assert best == pytest.approx(np.nanmax(ratios), rel=1e-9)


def _traded(days, close, parameters):
    return reference.trade(close, reference.positions(days, close, parameters), RULES)


def test_returns_are_those_of_one_account_that_follows_the_choices():
    prices = market(200)
    folds, found = walked(prices)
    days, close = reference.plain(prices)
    followed = np.zeros_like(prices.close)
    for fold, chosen in zip(folds.folds, found.choices, strict=True):
        own = slice(fold.test.first - 1, fold.test.last)
        followed[own] = np.array(reference.positions(days, close, chosen))[own]
    net, traded = reference.trade(close, followed.tolist(), RULES)
    first = folds.folds[0].test.first
    assert np.allclose(found.returns.net[0], net[first:], rtol=1e-9, atol=1e-12)
    assert np.allclose(found.returns.traded[0], traded[first:], rtol=1e-9, atol=1e-12)
    assert found.days[0] == prices.days[first]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 3))
def test_no_later_price_changes_a_choice_a_position_or_a_return(seed, delay):
    """The whole way, choosing included: what was done by a day stays when the days after it become others."""
    rules = TradingRules(delay_days=delay)
    prices = market(180, symbols=3, seed=seed)

    def everything(given_prices):
        folds, found = walked(given_prices, rules)
        first = folds.folds[0].test.first
        net = np.concatenate([np.zeros(first), found.returns.net[0]])
        held = stitch_positions(given_prices, folds, found.choices)
        return np.column_stack([net, held])

    assert find_look_ahead(everything, prices, seed=seed, cuts=5) == ()


def test_a_choice_that_sees_its_test_days_is_found_out():
    """The same test on a planted leak: parameters that were chosen on the days they are tested on."""
    prices = market(180, symbols=3)

    def leaking(given_prices):
        folds = plan_folds(given_prices.days.size, SETS, RULES, PLAN)
        grid = run_sweep(given_prices, SETS, RULES, folds)
        choices = [best_of(grid, fold.test.name) for fold in folds.folds]
        return stitch_positions(given_prices, folds, choices)

    assert any(find_look_ahead(leaking, prices, seed=seed) for seed in range(5))


def test_sets_that_never_trade_are_chosen_last():
    prices = market(200)
    folds = plan_folds(200, SETS, RULES, PLAN)
    grid = run_sweep(prices, SETS, RULES, folds)
    column = grid.column_names.index("latest")
    nan = [float("nan")] * len(SETS)
    assert best_of(grid.set_column(column, "latest", [nan]), "latest") == SETS[0]
    assert best_of(grid.set_column(column, "latest", [[*nan[:-1], -3.0]]), "latest") == SETS[-1]


def test_positions_before_the_first_choice_are_none():
    prices = market(200)
    folds, found = walked(prices)
    held = stitch_positions(prices, folds, found.choices)
    first = folds.folds[0].test.first - 1
    assert not held[:first].any()
    assert (held[first] == positions(prices, found.choices[0])[first]).all()
