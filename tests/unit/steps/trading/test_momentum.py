"""Momentum positions, held against the slow rule and against days they cannot know."""

import numpy as np
import pytest
from hypothesis import given
from pydantic import ValidationError
from tests.unit.steps.trading import reference
from tests.unit.steps.trading.markets import market, parameter_sets, price_tables, table

from airfoil.steps.trading.momentum import (
    MomentumParameters,
    ParameterGrid,
    decision_rows,
    longest_warm_up,
    positions,
)

pytestmark = pytest.mark.unit


@given(price_tables(), parameter_sets())
def test_positions_are_those_of_the_slow_rule(prices, parameters):
    days, close = reference.plain(prices)
    assert positions(prices, parameters).tolist() == reference.positions(days, close, parameters)


def test_what_rose_is_owned_and_what_fell_is_sold_short():
    prices = table([1, 1, 2, 3], [1, 1, 1, 1], [3, 3, 2, 1])
    found = positions(prices, MomentumParameters(lookback_days=2, long_only=False))
    assert found.tolist() == [[0, 0, 0], [0, 0, 0], [1, 0, -1], [1, 0, -1]]


def test_the_threshold_must_be_passed_not_reached():
    prices = table([100, 125, 125.5], [100, 100, 125])
    found = positions(prices, MomentumParameters(lookback_days=1, threshold=0.25))
    assert found[:, 1].tolist() == [0, 0, 0]
    assert found[:, 0].tolist() == [0, 0, 0]


def test_a_longer_history_changes_no_later_position():
    prices, parameters = market(200), MomentumParameters(lookback_days=20, rebalance_days=14)
    later = type(prices)("later", prices.days[60:], prices.symbols, prices.close[60:])
    settled = longest_warm_up([parameters])
    assert (positions(later, parameters)[settled:] == positions(prices, parameters)[60 + settled :]).all()


def test_a_table_too_short_to_decide_has_no_positions():
    assert not positions(market(10), MomentumParameters(lookback_days=20)).any()


def test_weekly_decisions_fall_on_the_first_trading_day_of_each_week():
    prices = market(60)
    rows = decision_rows(prices.days, MomentumParameters(lookback_days=1, rebalance_days=7))
    gaps = np.diff(prices.days[rows].astype(int))
    assert set(gaps.tolist()) == {7}


def test_a_price_that_is_not_there_is_no_position():
    found = positions(table([1, float("nan"), 3, 4], [0, 1, 1, 2]), MomentumParameters(lookback_days=1))
    assert found.tolist() == [[0, 0], [0, 1], [0, 0], [1, 1]]


def test_the_default_grid_has_five_hundred_sets_each_once():
    sets = ParameterGrid().sets()
    assert len(sets) == len(set(sets)) == 500


def test_a_skip_that_leaves_nothing_is_left_out_of_a_grid():
    sets = ParameterGrid(lookback_days=(5, 20), skip_days=(0, 10)).sets()
    assert {(one.lookback_days, one.skip_days) for one in sets} == {(5, 0), (20, 0), (20, 10)}


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: MomentumParameters(lookback_days=5, skip_days=5), "leaves nothing of a look-back of 5"),
        (lambda: ParameterGrid(lookback_days=(5,), skip_days=(9,)), "the grid is empty"),
        (lambda: ParameterGrid(lookback_days=()), "at least 1 item"),
        (lambda: ParameterGrid(lookback_days=(0,)), "greater than or equal to 1"),
        (lambda: MomentumParameters(threshold=-1), "greater than or equal to 0"),
    ],
)
def test_parameters_that_mean_nothing_are_refused(make, sentence):
    with pytest.raises(ValidationError, match=sentence):
        make()
