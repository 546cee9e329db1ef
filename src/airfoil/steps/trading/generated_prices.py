"""Prices of companies that do not exist: geometric Brownian motion whose drift and volatility change with the regime.

Each symbol rises, falls or goes sideways for some months at a time, which is what momentum lives on; a part of each
day's shock is shared by all. The same seed gives the same prices, and a longer history begins with the shorter one.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import Self

from pydantic import Field, model_validator

from airfoil.records import Record
from airfoil.steps.trading.prices import PriceTable

DAYS_PER_YEAR = 252


class Regime(Record):
    """How prices move as long as it lasts, per year."""

    drift: float
    volatility: float = Field(gt=0)


REGIMES = (
    Regime(drift=0.30, volatility=0.18),
    Regime(drift=0.04, volatility=0.14),
    Regime(drift=-0.22, volatility=0.28),
)


class GeneratedMarket(Record):
    """What decides the prices. Days are weekdays."""

    symbols: int = Field(default=50, ge=1, le=10_000)
    first_day: dt.date = dt.date(2006, 1, 2)
    last_day: dt.date = dt.date(2025, 12, 31)
    seed: int = Field(default=7, ge=0)
    regime_days: float = Field(default=120.0, ge=1)
    """How long a regime lasts on average."""
    shared: float = Field(default=0.3, ge=0, le=1)
    """Which part of the variance all symbols share."""

    @model_validator(mode="after")
    def _has_days(self) -> Self:
        if self.last_day <= self.first_day:
            message = f"a market from {self.first_day} to {self.last_day} has no days"
            raise ValueError(message)
        return self


def generate_prices(market: GeneratedMarket) -> PriceTable:
    """Make the closing prices of a market."""
    import numpy as np

    every = np.arange(np.datetime64(market.first_day), np.datetime64(market.last_day) + 1)
    days = every[np.is_busday(every)]
    shape = (days.size, market.symbols)
    changes, together, alone = (np.random.default_rng((market.seed, stream)) for stream in range(3))

    # One draw decides whether a regime ends, and which of the two others follows.
    draw, ends = changes.random(shape), 1 / market.regime_days
    moves = np.where(draw < ends / 2, 2, np.where(draw < ends, 1, 0))
    regime = (np.arange(market.symbols) + np.cumsum(moves, axis=0)) % len(REGIMES)
    drift = np.array([one.drift for one in REGIMES])[regime] / DAYS_PER_YEAR
    volatility = np.array([one.volatility for one in REGIMES])[regime] / math.sqrt(DAYS_PER_YEAR)
    shock = math.sqrt(market.shared) * together.standard_normal(days.size)[:, None]
    shock = shock + math.sqrt(1 - market.shared) * alone.standard_normal(shape)
    close = 100 * np.exp(np.cumsum(drift - volatility**2 / 2 + volatility * shock, axis=0))
    digits = len(str(market.symbols))
    names = tuple(f"GEN{number:0{digits}d}" for number in range(1, market.symbols + 1))
    return PriceTable("generated", days, names, close)
