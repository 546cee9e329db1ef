"""The detector finds planted leaks, and is quiet about honest strategies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.steps.trading.markets import market, table

from airfoil.errors import ConfigurationError
from airfoil.steps.trading.backtest import TradingRules, daily_moves, trade_positions
from airfoil.steps.trading.look_ahead import find_look_ahead, refuse_look_ahead
from airfoil.steps.trading.momentum import MomentumParameters, positions

pytestmark = pytest.mark.unit

HONEST = MomentumParameters(lookback_days=10)


def honest(prices):
    return positions(prices, HONEST)


def tomorrow(prices):
    """The classic: positions shifted the wrong way."""
    return np.roll(honest(prices), -1, axis=0)


def whole_mean(prices):
    """Prices held against their mean over all days."""
    return (prices.close > prices.close.mean(axis=0)).astype(float)


def same_day(prices):
    """A position earns the move that made it."""
    moves = np.vstack([np.zeros((1, len(prices.symbols))), daily_moves(prices)])
    return np.roll((moves > 0) * moves, -1, axis=0)


def filled_backwards(prices):
    """A gap filled with the price that came after it."""
    return np.maximum.accumulate(prices.close[::-1], axis=0)[::-1]


@pytest.mark.parametrize("leak", [tomorrow, whole_mean, same_day, filled_backwards])
def test_a_planted_leak_is_found(leak):
    found = find_look_ahead(leak, market())
    assert found
    assert all(one.day <= one.known_until for one in found)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 5))
def test_a_leak_of_any_number_of_days_is_found_with_any_seed(seed, ahead):
    def leak(prices):
        return np.vstack([prices.close[ahead:], prices.close[-1:].repeat(ahead, axis=0)])

    assert find_look_ahead(leak, market(60), seed=seed)


@pytest.mark.parametrize(
    "fair",
    [
        honest,
        lambda prices: trade_positions(prices, honest(prices), TradingRules()).net[0],
        lambda prices: np.full(prices.days.size, np.nan),
    ],
    ids=["positions", "returns", "nothing"],
)
def test_an_honest_computation_is_not_suspected(fair):
    assert find_look_ahead(fair, market()) == ()


def test_a_strategy_that_knows_the_future_is_refused():
    with pytest.raises(
        ConfigurationError, match=r"The positions of 20.* change when only prices after"
    ) as caught:
        refuse_look_ahead(tomorrow, market(), what="positions")
    assert "know the future" in caught.value.next_move


def test_a_single_day_has_no_future():
    assert find_look_ahead(whole_mean, table([1])) == ()
