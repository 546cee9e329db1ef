"""Small markets for tests, and markets that hypothesis makes up."""

from __future__ import annotations

import datetime as dt

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from airfoil.steps.trading.backtest import TradingRules
from airfoil.steps.trading.generated_prices import GeneratedMarket, generate_prices
from airfoil.steps.trading.momentum import MomentumParameters
from airfoil.steps.trading.prices import PriceTable


def market(days=300, symbols=4, seed=7):
    """Prices of so many weekdays, counted from 2020 on."""
    first = dt.date(2020, 1, 1)
    whole = generate_prices(
        GeneratedMarket(
            symbols=symbols,
            first_day=first,
            last_day=first + dt.timedelta(days=days * 2),
            seed=seed,
            regime_days=40,
        )
    )
    return PriceTable("market", whole.days[:days], whole.symbols, whole.close[:days])


def table(*columns, first="2024-01-01"):
    """Prices of symbols A, B, ... on consecutive days."""
    close = np.array(columns, dtype=float).T
    days = np.datetime64(first) + np.arange(len(close))
    return PriceTable("shares", days, tuple("ABCDEFGH"[: len(columns)]), close)


@st.composite
def price_tables(draw):
    """Up to 60 days of up to 4 symbols; prices repeat, so that momentum is often exactly nothing."""
    days = draw(st.integers(3, 60))
    symbols = draw(st.integers(1, 4))
    price = st.one_of(st.sampled_from([1.0, 1.05, 1.1, 2.0, 100.0]), st.floats(0.5, 200, allow_nan=False))
    close = draw(hnp.arrays(np.float64, (days, symbols), elements=price))
    gaps = draw(hnp.arrays(np.int64, days, elements=st.integers(1, 5)))
    return PriceTable(
        "made up", np.datetime64("2019-12-30") + np.cumsum(gaps), tuple("ABCD"[:symbols]), close
    )


@st.composite
def parameter_sets(draw):
    lookback = draw(st.integers(1, 20))
    return MomentumParameters(
        lookback_days=lookback,
        skip_days=draw(st.integers(0, lookback - 1)),
        threshold=draw(st.sampled_from([0.0, 0.05, 0.1])),
        rebalance_days=draw(st.sampled_from([1, 2, 7, 30])),
        long_only=draw(st.booleans()),
    )


trading_rules = st.builds(
    TradingRules,
    cost_bps=st.sampled_from([0.0, 5.0, 100.0]),
    slippage_bps=st.sampled_from([0.0, 5.0]),
    delay_days=st.integers(1, 3),
)
