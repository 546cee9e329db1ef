"""Months back and forth, and what a run learns from."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airfoil.errors import ConfigurationError
from airfoil.steps.taxi.months import TLC_PATTERN, Month, MonthPair, choose_months

pytestmark = pytest.mark.unit

MAY = datetime(2024, 5, 1, tzinfo=UTC)
MONTHS = st.builds(Month, year=st.integers(1900, 2100), number=st.integers(1, 12))


def test_a_run_of_may_trains_on_january_and_is_tested_on_february():
    pair = choose_months(MAY)
    assert (str(pair.train), str(pair.validation)) == ("2024-01", "2024-02")
    assert pair.train_location.endswith("/trip-data/yellow_tripdata_2024-01.parquet")
    assert pair.tags == {"train_month": "2024-01", "validation_month": "2024-02"}
    assert MonthPair.from_json(pair.to_json()) == pair


def test_a_run_of_march_reaches_back_over_the_turn_of_the_year():
    pair = choose_months(datetime(2024, 3, 31, 23, 59, tzinfo=UTC))
    assert (str(pair.train), str(pair.validation)) == ("2023-11", "2023-12")


def test_months_that_are_named_win_one_by_one():
    assert str(choose_months(MAY, train_month=" 2019-7 ").train) == "2019-07"
    pair = choose_months(
        MAY, train_month="2019-07", validation_month="2019-08", pattern="/data/{year}/{month}.pq"
    )
    assert (pair.train_location, pair.validation_location) == ("/data/2019/07.pq", "/data/2019/08.pq")


@pytest.mark.parametrize(
    "text", ["", "May", "2024-13", "2024-00", "0000-01", "2024/05", "24-05", "2024-05-01"]
)
def test_what_is_no_month_is_told(text):
    with pytest.raises(ConfigurationError, match="is no month"):
        Month.parse(text)


def test_a_model_is_not_tested_on_what_it_learned():
    with pytest.raises(ConfigurationError, match="same month"):
        choose_months(MAY, train_month="2024-02")


@pytest.mark.parametrize("pattern", ["/data/trips.parquet", "/data/{month}.parquet", "{year}.parquet", ""])
def test_a_pattern_names_another_file_for_each_month(pattern):
    with pytest.raises(ConfigurationError, match="same file"):
        choose_months(MAY, pattern=pattern)


def test_other_braces_of_a_pattern_are_left_alone():
    assert Month.parse("2024-03").location("{year}-{month}-{x}{") == "2024-03-{x}{"
    assert Month.parse("2024-03").location(TLC_PATTERN).endswith("2024-03.parquet")


@given(MONTHS, st.integers(-500, 500))
def test_going_back_and_forth_ends_where_it_began(month, months):
    assert month.back(months).back(-months) == month


@given(MONTHS)
def test_twelve_months_back_is_the_same_month_of_the_year_before(month):
    assert month.back(12) == Month(year=month.year - 1, number=month.number)
    assert Month.parse(str(month)) == month


def test_before_the_first_year_there_is_nothing():
    with pytest.raises(ConfigurationError, match="no month"):
        Month(year=1, number=1).back(1)
