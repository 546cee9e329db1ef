"""Exact least squares beside numpy's, on one-hot matrices of all shapes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression

from airfoil.errors import TableError
from airfoil.steps.taxi.least_squares import fit_zone_regression, regression_error
from airfoil.steps.taxi.trip_sums import TripSums, sum_trips

pytestmark = pytest.mark.unit

TRIP = st.tuples(
    st.integers(1, 6),
    st.integers(1, 6),
    st.integers(1, 60),
    st.integers(0, 200).map(lambda hundredths: hundredths / 10),
)


def sums_of(given):
    """The sums of trips, added up one by one."""
    pickup, dropoff, minutes, miles = (np.array(column) for column in zip(*given, strict=True))
    pairs, place = np.unique(pickup * 100 + dropoff, return_inverse=True)
    return TripSums(
        pickup_zones=pairs // 100,
        dropoff_zones=pairs % 100,
        trips=np.bincount(place).astype(float),
        minutes=np.bincount(place, minutes),
        squared_minutes=float((minutes**2).sum()),
        distance=np.bincount(place, miles),
        squared_distance=float((miles**2).sum()),
        minutes_by_distance=float((miles * minutes).sum()),
        rows=len(given),
    )


def one_hot(given):
    pickup, dropoff, _, miles = (np.array(column) for column in zip(*given, strict=True))
    columns = [pickup == zone for zone in np.unique(pickup)] + [
        dropoff == zone for zone in np.unique(dropoff)
    ]
    return np.column_stack([*columns, miles]).astype(float)


def coefficients(model):
    return np.concatenate([model.pickup_minutes, model.dropoff_minutes, [model.minutes_per_mile]])


@settings(max_examples=150, deadline=None)
@given(st.lists(TRIP, min_size=1, max_size=60))
def test_the_solution_is_numpy_s_of_smallest_norm(given):
    matrix, minutes = one_hot(given), np.array([one[2] for one in given], dtype=float)
    centre = matrix.mean(axis=0)
    wanted = np.linalg.lstsq(matrix - centre, minutes - minutes.mean(), rcond=1e-10)[0]
    model = fit_zone_regression(sums_of(given))
    assert coefficients(model) == pytest.approx(wanted, abs=1e-6)
    errors = (matrix - centre) @ wanted + minutes.mean() - minutes
    # Squared, for sums of squares leave a rounding of which the root is a millionth where the fit is perfect.
    assert regression_error(sums_of(given), model) ** 2 == pytest.approx((errors**2).mean(), abs=1e-9)


def test_it_is_what_scikit_learn_finds_on_the_whole_matrix(month):
    scan = month(rows=6000)
    table = scan.backing.table.to_pandas()
    minutes = (table.tpep_dropoff_datetime - table.tpep_pickup_datetime).dt.total_seconds() / 60
    table, minutes = table[minutes.between(1, 60)], minutes[minutes.between(1, 60)].to_numpy()
    rows = list(zip(table.PULocationID, table.DOLocationID, minutes, table.trip_distance, strict=True))
    matrix = one_hot(rows)
    linear = LinearRegression().fit(matrix, minutes)
    sums = sum_trips([scan])
    model = fit_zone_regression(sums)
    assert coefficients(model) == pytest.approx(linear.coef_, abs=1e-8)
    assert model.constant == pytest.approx(linear.intercept_, abs=1e-8)
    error = np.sqrt(((linear.predict(matrix) - minutes) ** 2).mean())
    assert regression_error(sums, model) == pytest.approx(error, abs=1e-9)


def test_islands_of_zones_are_solved_apart():
    given = [(1, 1, 10, 1.0), (1, 2, 12, 2.5), (3, 4, 30, 1.5), (5, 4, 35, 2.0), (6, 6, 7, 0.5)]
    model = fit_zone_regression(sums_of(given))
    assert regression_error(sums_of(given), model) ** 2 == pytest.approx(0, abs=1e-9)


def test_miles_that_the_zones_tell_share_the_effect_with_them():
    given = [(1, 2, 10, 1.0), (1, 2, 14, 1.0), (3, 2, 20, 2.0)]
    matrix = one_hot(given)
    minutes = np.array([10.0, 14, 20])
    wanted = np.linalg.lstsq(matrix - matrix.mean(axis=0), minutes - minutes.mean(), rcond=None)[0]
    assert coefficients(fit_zone_regression(sums_of(given))) == pytest.approx(wanted)


def test_without_miles_there_is_no_slope(month):
    model = fit_zone_regression(sum_trips([month(rows=3000)], with_distance=False))
    assert model.minutes_per_mile == 0


def test_one_trip_is_enough():
    model = fit_zone_regression(sums_of([(132, 7, 30, 10.0)]))
    assert (model.constant, coefficients(model).tolist()) == (30, [0, 0, 0])


def test_zones_that_are_none_are_too_many():
    count = 3000
    numbers = np.arange(count)
    sums = TripSums(
        numbers, numbers, np.ones(count), np.ones(count), 1.0, np.ones(count), 1.0, 1.0, rows=count
    )
    with pytest.raises(TableError, match="6000 zones"):
        fit_zone_regression(sums)
