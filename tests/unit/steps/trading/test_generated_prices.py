"""Made-up prices: the same seed gives the same ones, and time only adds to them."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from airfoil.steps.trading.generated_prices import GeneratedMarket, generate_prices
from airfoil.steps.trading.price_faults import find_faults

pytestmark = pytest.mark.unit

FIRST = dt.date(2020, 1, 1)


def generate(days, seed=7, symbols=3):
    last = FIRST + dt.timedelta(days=days)
    return generate_prices(GeneratedMarket(symbols=symbols, first_day=FIRST, last_day=last, seed=seed))


@settings(max_examples=30)
@given(st.integers(2, 400), st.integers(0, 400), st.integers(0, 5), st.integers(1, 6))
def test_a_longer_history_begins_with_the_shorter_one(days, more, seed, symbols):
    short, long = generate(days, seed, symbols), generate(days + more, seed, symbols)
    assert (long.days[: short.days.size] == short.days).all()
    assert (long.close[: short.days.size] == short.close).all()


def test_another_seed_gives_other_prices():
    assert (generate(50).close != generate(50, seed=8).close).all()


def test_days_are_weekdays_and_prices_sound():
    prices = generate(3000)
    assert np.is_busday(prices.days).all()
    assert find_faults(prices, days_needed=2000) == ()


def test_prices_rise_and_fall_for_months_as_regimes_say():
    """Returns of half-years spread more than independent days would: that is what momentum lives on."""
    last = FIRST + dt.timedelta(days=7000)
    market = GeneratedMarket(symbols=40, first_day=FIRST, last_day=last, shared=0)
    moves = np.diff(np.log(generate_prices(market).close), axis=0)
    halves = moves[: len(moves) // 126 * 126].reshape(-1, 126, 40).sum(axis=1)
    assert halves.std() > 1.05 * moves.std() * np.sqrt(126)


def test_symbols_move_together_in_part():
    seen = np.corrcoef(np.diff(np.log(generate(4000).close), axis=0).T)
    assert 0.2 < seen[0, 1] < 0.4


def test_a_market_without_days_is_refused():
    with pytest.raises(ValidationError, match="has no days"):
        GeneratedMarket(first_day=FIRST, last_day=FIRST)
