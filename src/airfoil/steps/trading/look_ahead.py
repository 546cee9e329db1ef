"""Find out whether a computation on prices knows the future: change later prices, and see whether earlier results move.

Whatever a strategy is made of, what it decided on a day cannot depend on prices after that day. Must not know what the
computation does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airfoil.errors import ConfigurationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from airfoil.steps.trading.prices import PriceTable

CUTS = 8
_WILDNESS = 0.2
_LEAST_DAYS = 2


@dataclass(frozen=True)
class LookAhead:
    """A result of `day` that changed when only prices after `known_until` did."""

    day: str
    known_until: str


def find_look_ahead(
    compute: Callable[[PriceTable], NDArray[np.float64]],
    prices: PriceTable,
    *,
    cuts: int = CUTS,
    seed: int = 7,
) -> tuple[LookAhead, ...]:
    """Compute again on other futures, and return where the past changed; `compute` gives one row for each day.

    What depends on a single later day is found when the cut lies right before it, so the days before the end are
    always among the cuts, and the others are spread over the table and chosen by the seed.
    """
    import numpy as np

    days = prices.days.size
    if days < _LEAST_DAYS:
        return ()
    random = np.random.default_rng(seed)
    drawn = random.integers(0, days - 1, size=max(0, cuts - 1))
    before = np.array(compute(prices), copy=True)
    found = []
    for cut in sorted({*(int(one) for one in drawn), days - 2}):
        close = prices.close.copy()
        close[cut + 1 :] *= np.exp(_WILDNESS * random.standard_normal(close[cut + 1 :].shape))
        after = compute(prices.with_close(close))
        is_same = (before == after) | (np.isnan(before) & np.isnan(after))
        moved = np.flatnonzero(~is_same[: cut + 1].reshape(cut + 1, -1).all(axis=1))
        if moved.size:
            found.append(LookAhead(str(prices.days[moved[-1]]), str(prices.days[cut])))
    return tuple(found)


def refuse_look_ahead(
    compute: Callable[[PriceTable], NDArray[np.float64]], prices: PriceTable, *, what: str, cuts: int = CUTS
) -> int:
    """Fail when a computation knows the future; return at how many moments it was asked."""
    found = find_look_ahead(compute, prices, cuts=cuts)
    if found:
        raise ConfigurationError(
            f"The {what} of {found[0].day} change when only prices after {found[0].known_until} do",
            "They know the future. Look for a shift in the wrong direction, or a mean over all days.",
        )
    return cuts
