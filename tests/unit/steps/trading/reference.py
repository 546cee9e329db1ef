"""The strategy again, slow and obvious: one day, one symbol, one rule at a time, with nothing but Python's floats."""

from __future__ import annotations

import datetime as dt
import math
import statistics

EPOCH = dt.date(1970, 1, 1)


def positions(days, close, parameters):
    """close[day][symbol] -> position[day][symbol]."""
    found = []
    current = [0.0] * len(close[0])
    for today, day in enumerate(days):
        looks_again = today > 0 and is_new_period(days[today - 1], day, parameters.rebalance_days)
        if looks_again and today >= parameters.lookback_days:
            current = [decide(close, today, symbol, parameters) for symbol in range(len(close[0]))]
        found.append(current)
    return found


def is_new_period(yesterday, today, length):
    return (today - EPOCH).days // length != (yesterday - EPOCH).days // length


def decide(close, today, symbol, parameters):
    ratio = close[today - parameters.skip_days][symbol] / close[today - parameters.lookback_days][symbol]
    if ratio > 1 + parameters.threshold:
        return 1.0
    if ratio < 1 - parameters.threshold and not parameters.long_only:
        return -1.0
    return 0.0


def trade(close, decided, rules):
    """Return the net return and the traded share of each day."""
    symbols = len(close[0])
    held = [0.0] * symbols
    net, traded = [], []
    for today in range(len(close)):
        earned = 0.0
        if today:
            for symbol in range(symbols):
                earned += held[symbol] / symbols * (close[today][symbol] / close[today - 1][symbol] - 1)
        wanted = decided[today - rules.delay_days] if today >= rules.delay_days else [0.0] * symbols
        bought_or_sold = sum(abs(new - old) / symbols for new, old in zip(wanted, held, strict=True))
        held = wanted
        net.append(earned - (rules.cost_bps + rules.slippage_bps) / 10_000 * bought_or_sold)
        traded.append(bought_or_sold)
    return net, traded


def measures(net, traded, capital):
    mean = sum(net) / len(net)
    spread = statistics.stdev(net)
    losses = math.sqrt(sum(min(one, 0) ** 2 for one in net) / len(net))
    money = peak = 1.0
    deepest = 0.0
    for one in net:
        money = max(money * (1 + one), 0.0)
        peak = max(peak, money)
        deepest = max(deepest, 1 - money / peak)
    return {
        "sharpe_ratio": mean / spread * math.sqrt(252) if spread > 1e-12 else math.nan,
        "sortino_ratio": mean / losses * math.sqrt(252) if losses > 1e-12 else math.nan,
        "max_drawdown": deepest,
        "turnover_per_year": sum(traded) / len(traded) * 252,
        "profit": capital * (money - 1),
    }


def plain(prices):
    """The days and the prices of a table as lists."""
    return prices.days.tolist(), prices.close.tolist()
