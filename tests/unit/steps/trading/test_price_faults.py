"""Each fault of prices has its own sentence; sound prices have none."""

import numpy as np
import pytest
from tests.unit.steps.trading.markets import market, table

from airfoil.errors import NotFoundError, TableError
from airfoil.steps.trading.price_faults import (
    PriceLimits,
    Split,
    adjust_for_splits,
    check_prices,
    find_faults,
)

pytestmark = pytest.mark.unit

NAN = float("nan")


def fault(*columns, days_needed=2, limits=None):
    (found,) = find_faults(table(*columns), days_needed=days_needed, limits=limits)
    return found


def test_sound_prices_have_no_fault():
    check_prices(market(), days_needed=300)


def test_a_table_shorter_than_the_window_is_refused_as_a_whole():
    assert (
        "cover 3 days, and the longest window needs 10"
        in fault([1, 2, 3], [1, NAN, 3], days_needed=10).message
    )


@pytest.mark.parametrize(
    ("series", "sentence"),
    [
        ([1, NAN, 1, 1, 1], "B has no price on 2024-01-02"),
        ([1, NAN, 1, NAN, 1], "B has no price on 2024-01-02 and on 1 more days"),
        ([NAN, NAN, NAN, 1, 1], "B has 2 prices (2024-01-04 to 2024-01-05), and the longest window needs 3"),
        ([NAN, 1, 1, 1, 1], "B has prices from 2024-01-02 to 2024-01-05 only; the table goes from 2024-01-01"),
        ([NAN] * 5, "B has no price at all"),
        ([1, 0, 1, 1, 1], "B has the price 0 on 2024-01-02"),
        ([1, -3, -4, 1, 1], "B has the price -3 on 2024-01-02, and 1 more such prices"),
        ([1, 1, float("inf"), 1, 1], "B has the price inf on 2024-01-03"),
        ([100, 101, 50.2, 50, 50], "B moves by -50% on 2024-01-03, as after a split of 2 for 1"),
        ([1, 1, 10.1, 10, 10], "B moves by +910% on 2024-01-03, as after a reverse split of 1 for 10"),
        ([1, 1, 1, 2.5, 1], "B moves by +150% on 2024-01-04 (and 1 more such days)"),
    ],
)  # fmt: skip
def test_one_sentence_for_each_kind_of_fault(series, sentence):
    assert sentence in fault([1, 1, 1, 1, 1], series, days_needed=3).message


def test_the_first_fault_is_the_error_and_the_others_are_its_details():
    with pytest.raises(TableError, match="A has no price") as caught:
        check_prices(table([1, NAN, 1], [1, 0, 1]), days_needed=2)
    assert caught.value.details == ("B has the price 0 on 2024-01-02",)


def test_a_wild_move_can_be_allowed():
    limits = PriceLimits(largest_fall=0.6, largest_rise=3)
    assert find_faults(table([100, 50, 150]), days_needed=2, limits=limits) == ()


def test_prices_that_are_adjusted_for_their_splits_are_sound():
    raw = table([100, 102, 51, 52], [10, 10, 10, 10])
    sound = adjust_for_splits(raw, [Split(symbol="A", day="2024-01-03", ratio=2)])
    assert find_faults(sound, days_needed=2) == ()
    assert sound.close[:, 0].tolist() == [50, 51, 51, 52]
    assert raw.close[0, 0] == 100


def test_a_split_of_an_unknown_symbol_is_refused():
    with pytest.raises(NotFoundError, match="no prices of C"):
        adjust_for_splits(table([1, 2], [1, 2]), [Split(symbol="C", day="2024-01-02", ratio=2)])


def test_a_price_that_stays_is_no_fault():
    assert find_faults(table(np.ones(5)), days_needed=5) == ()
