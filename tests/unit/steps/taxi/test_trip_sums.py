"""Sums of trips by pair of zones, and the error that follows from them."""

import numpy as np
import pytest

from airfoil.errors import TableError
from airfoil.steps.taxi.trip_sums import sum_trips

pytestmark = pytest.mark.unit


def test_each_pair_of_zones_has_its_sums(trips):
    found = sum_trips([trips((1, 2, 10, 1.5), (3, 1, 5, 1.0), (1, 2, 20, 2.5), (1, 2, 99, 2.5))])
    assert found.pickup_zones.tolist() == [1, 3]
    assert found.dropoff_zones.tolist() == [2, 1]
    assert found.trips.tolist() == [2, 1]
    assert found.minutes.tolist() == [30, 5]
    assert found.distance.tolist() == [4.0, 1.0]
    assert (found.squared_minutes, found.squared_distance) == (525, 1.5**2 + 2.5**2 + 1)
    assert found.minutes_by_distance == 15 + 50 + 5
    assert (found.total, found.rows) == (3, 4)


def test_the_error_of_sums_is_that_of_the_trips(trips):
    given = [(1, 2, 10, 1.5), (3, 1, 5, 1.0), (1, 2, 20, 2.5)]
    constants = {(1, 2): 8.0, (3, 1): 6.0}
    errors = [constants[one[:2]] + 0.5 * one[3] - one[2] for one in given]
    found = sum_trips([trips(*given)]).squared_error(np.array([8.0, 6.0]), 0.5)
    assert found == pytest.approx(np.square(errors).sum())


def test_months_add_up(month):
    parts = [sum_trips([month(number, rows=3000)]) for number in (1, 2)]
    whole = sum_trips([month(1, rows=3000), month(2, variant="yellow-2019", rows=3000)])
    assert whole.total == sum(part.total for part in parts)
    assert whole.rows == 6000
    assert whole.minutes.sum() == pytest.approx(sum(part.minutes.sum() for part in parts), rel=1e-13)


def test_without_miles_they_are_not_read(trips):
    found = sum_trips([trips((1, 2, 10, None), (1, 2, 20, float("inf")))], with_distance=False)
    assert (found.total, found.squared_distance, found.distance.tolist()) == (2, 0.0, [0.0])


def test_a_month_without_a_trip_beside_one_with_trips_is_none(trips):
    found = sum_trips([trips((1, 2, 90, 1)), trips((1, 2, 10, 1.5)), trips((1, 2, 20, 2.5), (0, 9, 5, 1.0))])
    assert list(zip(found.pickup_zones, found.dropoff_zones, found.minutes, strict=True)) == [
        (0, 9, 5),
        (1, 2, 30),
    ]
    assert found.rows == 4


def test_no_month_is_told():
    with pytest.raises(TableError, match="no table was named"):
        sum_trips([])


def test_an_empty_month_is_told(trips):
    with pytest.raises(TableError, match="no trip of 1 to 60 minutes in january"):
        sum_trips([trips((1, 2, 90, 1), name="january")])
