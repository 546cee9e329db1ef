"""Prices become a table of days by symbols, whatever order and types they come in, or a sentence says why not."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airfoil.errors import TableError
from airfoil.steps.scans import Scan
from airfoil.steps.trading.prices import PriceColumns, PriceTable, read_prices

pytestmark = pytest.mark.unit

ROWS = {
    "date": ["2024-01-03", "2024-01-02", "2024-01-02", "2024-01-03"],
    "symbol": ["B", "B", "A", "A"],
    "close": [4.0, 3.0, 1.0, 2.0],
}


def read(columns=None, **changed):
    return read_prices(Scan.of_table(pa.table({**ROWS, **changed}), "shares"), columns)


def test_rows_in_any_order_become_days_by_symbols():
    prices = read()
    assert prices.days.tolist() == [dt.date(2024, 1, 2), dt.date(2024, 1, 3)]
    assert prices.symbols == ("A", "B")
    assert prices.close.tolist() == [[1, 3], [2, 4]]


@pytest.mark.parametrize(
    "dates",
    [
        pa.array([dt.date(2024, 1, day) for day in (3, 2, 2, 3)]),
        pa.array([dt.datetime(2024, 1, day, 16, tzinfo=dt.UTC) for day in (3, 2, 2, 3)]),
        pa.array(ROWS["date"]).dictionary_encode(),
        pa.array(ROWS["date"], pa.large_string()),
    ],
    ids=["dates", "moments", "dictionary", "large text"],
)
def test_dates_of_any_type_are_read(dates):
    assert read(date=dates).close.tolist() == [[1, 3], [2, 4]]


@pytest.mark.parametrize(
    "close", [pa.array([4, 3, 1, 2]), pa.array([Decimal(one) for one in ("4.00", "3.00", "1.00", "2.00")])]
)
def test_whole_numbers_and_decimals_are_prices(close):
    assert read(close=close).close.tolist() == [[1, 3], [2, 4]]


def test_symbols_may_be_numbers_or_a_dictionary():
    assert read(symbol=pa.array([2, 2, 1, 1])).symbols == ("1", "2")
    assert read(symbol=pa.array(["B", "B", "A", "A"]).dictionary_encode()).symbols == ("A", "B")


def test_capital_letters_of_column_names_do_not_matter():
    table = pa.table({"Date": ROWS["date"], "Symbol": ROWS["symbol"], "Close ": ROWS["close"]})
    assert read_prices(Scan.of_table(table, "shares")).close.tolist() == [[1, 3], [2, 4]]


def test_a_table_without_symbols_holds_one_that_is_called_as_the_table():
    table = pa.table({"date": ["2024-01-02", "2024-01-03"], "close": [1.0, 2.0]})
    assert read_prices(Scan.of_table(table, "gold")).symbols == ("gold",)
    adjusted = table.rename_columns(["date", "adj close"])
    assert read_prices(Scan.of_table(adjusted, "gold"), PriceColumns(close="adj close")).symbols == ("gold",)
    with pytest.raises(TableError, match="no column 'ticker'"):
        read_prices(Scan.of_table(table, "gold"), PriceColumns(symbol="ticker"))


def test_other_column_names_can_be_said():
    table = pa.table({"Day": ROWS["date"], "Ticker": ROWS["symbol"], "Adj Close": ROWS["close"]})
    columns = PriceColumns(day="day", symbol="ticker", close="adj close")
    assert read_prices(Scan.of_table(table, "shares"), columns).symbols == ("A", "B")


def test_a_missing_row_and_a_missing_value_are_no_price():
    table = pa.table({"date": ["2024-01-02", "2024-01-03"], "symbol": ["A", "B"], "close": [1.0, None]})
    assert np.isnan(read_prices(Scan.of_table(table, "shares")).close).tolist() == [
        [False, True],
        [True, True],
    ]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"date": ["2024-01-02"] * 4}, "have A on 2024-01-02 more than once, and 1 more like it"),
        ({"date": ["2024-01-03", None, "2024-01-02", "2024-01-03"]}, "'date' of shares is empty in 1 rows"),
        ({"symbol": ["B", None, None, "A"]}, "'symbol' of shares is empty in 2 rows"),
        ({"date": ["yesterday"] * 4}, "'date' of shares has a date that is none"),
        ({"date": [20240102] * 4}, "'date' of shares is no date but int64"),
        ({"date": pa.array([1, 2, 3, 4], pa.time32("s"))}, "'date' of shares has a date that is none"),
        ({"close": ["4", "3", "1", "$2"]}, "'close' of shares is no number but string"),
    ],
)
def test_what_cannot_be_read_is_told_in_a_sentence(changed, sentence):
    with pytest.raises(TableError, match=sentence.replace("(", r"\(")):
        read(**changed)


def test_a_table_without_the_column_says_which_it_has():
    table = pa.table({"date": ["2024-01-02"], "price": [1.0]})
    with pytest.raises(TableError, match="no column 'close', only date, price") as caught:
        read_prices(Scan.of_table(table, "shares"))
    assert "PriceColumns" in caught.value.next_move


def test_a_table_without_rows_is_refused():
    table = pa.table({name: pa.array(values)[:0] for name, values in ROWS.items()})
    with pytest.raises(TableError, match="shares have no rows"):
        read_prices(Scan.of_table(table, "shares"))


@given(st.randoms(use_true_random=False), st.integers(1, 12), st.integers(1, 5))
def test_what_is_written_is_read_again_in_any_order(random, days, symbols):
    close = np.arange(1.0, days * symbols + 1).reshape(days, symbols)
    prices = PriceTable(
        "shares", np.datetime64("2024-02-27") + np.arange(days), tuple("ABCDE"[:symbols]), close
    )
    order = list(range(days * symbols))
    random.shuffle(order)
    again = read_prices(Scan.of_table(prices.to_arrow().take(order), "shares"))
    assert again.symbols == prices.symbols
    assert (again.days == prices.days).all()
    assert (again.close == close).all()
