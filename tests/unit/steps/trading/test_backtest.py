"""The engine for many sets of parameters gives what the slow way gives, to 1e-9, and knows no future."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.steps.trading import reference
from tests.unit.steps.trading.markets import market, parameter_sets, price_tables, table, trading_rules

from airfoil.steps.trading.backtest import TradingRules, run_backtests, trade_positions
from airfoil.steps.trading.look_ahead import find_look_ahead
from airfoil.steps.trading.momentum import MomentumParameters, ParameterGrid, positions
from airfoil.steps.trading.performance import measure_each

pytestmark = pytest.mark.unit

FREE = TradingRules(cost_bps=0, slippage_bps=0)


def close_to(found, wanted):
    return np.allclose(found, wanted, rtol=1e-9, atol=1e-9, equal_nan=True)


@settings(max_examples=200)
@given(price_tables(), st.lists(parameter_sets(), min_size=1, max_size=4), trading_rules)
def test_daily_results_and_measures_are_those_of_the_slow_way(prices, sets, rules):
    found = run_backtests(prices, sets, rules)
    measured = measure_each(found, rules.capital)
    days, close = reference.plain(prices)
    for number, one in enumerate(sets):
        net, traded = reference.trade(close, reference.positions(days, close, one), rules)
        assert close_to(found.net[number], net)
        assert close_to(found.traded[number], traded)
        for name, wanted in reference.measures(net, traded, rules.capital).items():
            assert close_to(measured[name][number], wanted), name


def test_a_realistic_grid_is_that_of_the_slow_way():
    prices, rules = market(350, symbols=6), TradingRules()
    sets = ParameterGrid(lookback_days=(10, 42), rebalance_days=(1, 28), long_only=(True, False)).sets()
    found = run_backtests(prices, sets, rules)
    days, close = reference.plain(prices)
    for number, one in enumerate(sets):
        net, traded = reference.trade(close, reference.positions(days, close, one), rules)
        assert close_to(found.net[number], net)
        assert close_to(found.traded[number], traded)


@given(price_tables(), parameter_sets(), trading_rules)
def test_positions_traded_one_by_one_are_the_same(prices, parameters, rules):
    whole, single = (
        run_backtests(prices, [parameters], rules),
        trade_positions(prices, positions(prices, parameters), rules),
    )
    assert close_to(whole.net, single.net)
    assert close_to(whole.traded, single.traded)


def test_a_position_earns_from_the_day_after_its_trade():
    prices = table([1, 2, 4, 8, 16])
    parameters = [MomentumParameters(lookback_days=1)]
    assert run_backtests(prices, parameters, FREE).net.tolist() == [[0, 0, 0, 1, 1]]
    late = FREE.model_copy(update={"delay_days": 2})
    assert run_backtests(prices, parameters, late).net.tolist() == [[0, 0, 0, 0, 1]]


def test_costs_and_slippage_are_paid_for_what_is_traded():
    rules = TradingRules(cost_bps=30, slippage_bps=20)
    found = run_backtests(
        table([1, 2, 2, 2, 1], [1, 1, 1, 1, 1]), [MomentumParameters(lookback_days=1)], rules
    )
    assert found.traded.tolist() == [[0, 0, 0.5, 0.5, 0]]
    assert np.allclose(found.net, [[0, 0, -0.0025, -0.0025, 0]])


@pytest.mark.parametrize(("delay", "trades", "earns"), [(1, True, True), (2, True, False), (5, False, False)])
def test_what_is_decided_too_late_to_trade_is_not_traded(delay, trades, earns):
    rules = TradingRules(delay_days=delay)
    found = run_backtests(table([1, 2, 4, 8]), [MomentumParameters(lookback_days=1)], rules)
    assert bool(found.traded.any()) is trades
    assert bool((found.net > 0).any()) is earns


@settings(max_examples=50)
@given(st.integers(0, 1000), parameter_sets(), trading_rules)
def test_no_later_price_changes_an_earlier_result(seed, parameters, rules):
    prices = market(80, symbols=3)

    def results(given_prices):
        found = run_backtests(given_prices, [parameters], rules)
        return np.stack([found.net[0], found.traded[0]], axis=1)

    assert find_look_ahead(results, prices, seed=seed) == ()
    assert find_look_ahead(lambda given_prices: positions(given_prices, parameters), prices, seed=seed) == ()
