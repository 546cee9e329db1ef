"""What is wrong with prices before anybody trades on them: gaps, short series, impossible values, splits.

A back-test takes every price for true: a split that was not adjusted for is a loss of half of everything, and a gap is
no return at all. One sentence for each symbol and kind of fault. Nothing is mended without being asked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from airfoil.errors import NotFoundError, TableError
from airfoil.records import Record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from airfoil.steps.trading.prices import PriceTable

SPLITS = (2, 3, 4, 5, 7, 8, 10, 15, 20, 25, 30, 50, 100)
_NEAR = 0.08
"""How far a price may move on the day of a split and still look like one."""


class PriceLimits(Record):
    """How far a price may move from one day to the next before it is taken for a fault."""

    largest_fall: float = Field(default=0.45, gt=0, le=1)
    largest_rise: float = Field(default=0.8, gt=0)


class Split(Record):
    """From this day on, `ratio` new shares stand for each old one; below 1 after a reverse split."""

    symbol: str
    day: dt.date
    ratio: float = Field(gt=0)


class PriceFault(Record):
    """One thing that is wrong, and what helps."""

    message: str
    next_move: str


def check_prices(prices: PriceTable, *, days_needed: int, limits: PriceLimits | None = None) -> None:
    """Refuse prices that cannot be traded on; the first fault is the error, all others are its details."""
    faults = find_faults(prices, days_needed=days_needed, limits=limits)
    if faults:
        others = [fault.message for fault in faults[1:]]
        raise TableError(faults[0].message, faults[0].next_move, details=others)


def find_faults(
    prices: PriceTable, *, days_needed: int, limits: PriceLimits | None = None
) -> tuple[PriceFault, ...]:
    """Return all faults of a table, symbol by symbol."""
    if prices.days.size < days_needed:
        return (
            PriceFault(
                message=f"The prices of {prices.name} cover {prices.days.size} days, and the longest window needs "
                f"{days_needed}",
                next_move="Give more history, or shorter windows.",
            ),
        )
    return tuple(
        fault
        for number in range(len(prices.symbols))
        for fault in _of_symbol(prices, number, days_needed, limits or PriceLimits())
    )


def adjust_for_splits(prices: PriceTable, splits: Sequence[Split]) -> PriceTable:
    """Return prices as if there had always been as many shares as after the last split."""
    import numpy as np

    close = prices.close.copy()
    for split in splits:
        if split.symbol not in prices.symbols:
            raise NotFoundError(
                f"There are no prices of {split.symbol}, which is said to have split on {split.day}",
                f"Known are {', '.join(prices.symbols[:20])}.",
            )
        is_before = prices.days < np.datetime64(split.day)
        close[is_before, prices.symbols.index(split.symbol)] /= split.ratio
    return prices.with_close(close)


def _of_symbol(
    prices: PriceTable, number: int, days_needed: int, limits: PriceLimits
) -> Iterator[PriceFault]:
    symbol, close = prices.symbols[number], prices.close[:, number]
    gap = _gap(symbol, prices.days, close, days_needed)
    if gap:
        yield gap
        return
    impossible = _impossible(symbol, prices.days, close)
    if impossible:
        yield impossible
        return
    jump = _jump(symbol, prices.days, close, limits)
    if jump:
        yield jump


def _gap(
    symbol: str, days: NDArray[np.datetime64], close: NDArray[np.float64], days_needed: int
) -> PriceFault | None:
    import numpy as np

    there = np.flatnonzero(~np.isnan(close))
    if there.size == close.size:
        return None
    if not there.size:
        return PriceFault(message=f"{symbol} has no price at all", next_move=f"Leave {symbol} out.")
    first, last = there[0], there[-1]
    if there.size < days_needed:
        return PriceFault(
            message=f"{symbol} has {there.size} prices ({days[first]} to {days[last]}), and the longest window needs "
            f"{days_needed}",
            next_move=f"Leave {symbol} out, or give shorter windows.",
        )
    if there.size == last - first + 1:
        return PriceFault(
            message=f"{symbol} has prices from {days[first]} to {days[last]} only; the table goes from {days[0]} to "
            f"{days[-1]}",
            next_move=f"Leave {symbol} out, or look at the time that all symbols share.",
        )
    missing = np.flatnonzero(np.isnan(close[first : last + 1])) + first
    more = f" and on {missing.size - 1} more days" if missing.size > 1 else ""
    return PriceFault(
        message=f"{symbol} has no price on {days[missing[0]]}{more}",
        next_move="Fill the gap at the source, or leave the symbol out: a made-up price is a made-up return.",
    )


def _impossible(symbol: str, days: NDArray[np.datetime64], close: NDArray[np.float64]) -> PriceFault | None:
    import numpy as np

    wrong = np.flatnonzero(~np.isfinite(close) | (close <= 0))
    if not wrong.size:
        return None
    more = f", and {wrong.size - 1} more such prices" if wrong.size > 1 else ""
    return PriceFault(
        message=f"{symbol} has the price {close[wrong[0]]:g} on {days[wrong[0]]}{more}",
        next_move="Prices are positive numbers; correct them at the source.",
    )


def _jump(
    symbol: str, days: NDArray[np.datetime64], close: NDArray[np.float64], limits: PriceLimits
) -> PriceFault | None:
    import numpy as np

    moves = close[1:] / close[:-1]
    wild = np.flatnonzero((moves < 1 - limits.largest_fall) | (moves > 1 + limits.largest_rise))
    if not wild.size:
        return None
    place = int(wild[0])
    looks = _split_like(float(moves[place]))
    more = f" (and {wild.size - 1} more such days)" if wild.size > 1 else ""
    change = f"{moves[place] - 1:+.0%}"
    return PriceFault(
        message=f"{symbol} moves by {change} on {days[place + 1]}{looks}{more}",
        next_move="Take closing prices that are adjusted for splits, or name the splits: "
        f'Split(symbol="{symbol}", day="{days[place + 1]}", ratio=...). If the move is real, allow it in PriceLimits.',
    )


def _split_like(move: float) -> str:
    for ratio in SPLITS:
        if abs(move * ratio - 1) < _NEAR:
            return f", as after a split of {ratio} for 1"
        if abs(move / ratio - 1) < _NEAR:
            return f", as after a reverse split of 1 for {ratio}"
    return ""
