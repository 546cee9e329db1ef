"""Moments as numbers: exact in both directions, in order even where a unit cannot hold them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airfoil.errors import TableError
from airfoil.steps.training_sets import instants
from airfoil.steps.training_sets.instants import EARLIEST, LATEST, Instants

pytestmark = pytest.mark.unit
ticks = st.integers(EARLIEST, LATEST)


def of(numbers, unit):
    return Instants.of(pl.Series("at", numbers, pl.Int64).cast(pl.Datetime(unit)), "facts")


@given(st.lists(ticks, min_size=1, max_size=20))
def test_a_finer_moment_lies_between_the_two_coarser_ones(numbers):
    found = of(numbers, "ns")
    for number, down, up in zip(numbers, found.down_to("us"), found.up_to("us"), strict=True):
        assert int(down) * 1000 <= number <= int(up) * 1000
        assert int(up) - int(down) == bool(number % 1000)


@given(st.lists(ticks, min_size=2, max_size=20))
def test_a_coarser_moment_keeps_its_order_even_where_it_does_not_fit(numbers):
    found = of(sorted(numbers), "us").down_to("ns")
    assert list(found) == sorted(found)
    assert [int(one) for one in of([0, 5, -5], "us").up_to("ns")] == [0, 5000, -5000]


def test_what_is_not_known_is_marked_and_dates_are_midnights():
    found = Instants.of(pl.Series("day", [date(1970, 1, 2), None]), "facts")
    assert list(found.ticks) == [86_400_000_000, 0]
    assert list(found.known) == [True, False]
    assert list(of([7, None], "ms").down_to("us")) == [7000, 0]


def test_a_zone_is_another_name_for_the_same_moment():
    here = pl.Series("at", [datetime(2026, 1, 1, tzinfo=UTC)])
    there = here.dt.convert_time_zone("Asia/Tokyo")
    assert list(Instants.of(here, "a").ticks) == list(Instants.of(there, "b").ticks)


@pytest.mark.parametrize("dtype", [pl.String, pl.Int64, pl.Time, pl.Duration("us")])
def test_what_is_no_moment_is_refused(dtype):
    with pytest.raises(TableError, match="'at' of facts holds"):
        Instants.of(pl.Series("at", [], dtype), "facts")


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (pl.Datetime("ns", "UTC"), 1_999_999),
        (pl.Datetime("us"), 1999),
        (pl.Datetime("ms", "Asia/Tokyo"), 1),
        (pl.Date(), 0),
    ],
)
def test_a_limit_is_rounded_down_to_the_columns_own_unit(dtype, expected):
    found = pl.select(instants.literal(1_999_999, "ns", dtype)).to_series()
    assert found.dtype == dtype
    assert found.to_physical().item() == expected


@given(ticks, st.integers(0, LATEST))
def test_going_back_never_wraps_around(number, span):
    import numpy as np

    assert int(instants.minus(np.array([number]), span)[0]) == max(number - span, EARLIEST)


def test_a_span_has_at_most_all_ticks():
    assert instants.ticks_in(timedelta(milliseconds=1), "ns") == 1_000_000
    assert instants.ticks_in(timedelta.max, "ns") == LATEST
