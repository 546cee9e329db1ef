"""What predictions are worth, by hour and by place."""

import numpy as np
import pytest

from airfoil.errors import TableError
from airfoil.steps.taxi.evaluation import TripEvaluation, evaluate_trips
from airfoil.steps.taxi.least_squares import fit_zone_regression, regression_error
from airfoil.steps.taxi.trip_sums import sum_trips

pytestmark = pytest.mark.unit


def always(minutes):
    return lambda pickup, dropoff, miles: np.full(len(pickup), float(minutes))


def test_errors_are_counted_over_all_and_by_group(trips):
    found = evaluate_trips([trips((132, 4, 10, 1), (4, 4, 20, 1), (4, 7, 15, 1), (4, 7, 99, 1))], always(12))
    assert (found.trips, found.mae) == (3, pytest.approx(13 / 3))
    assert found.rmse == pytest.approx(np.sqrt((4 + 64 + 9) / 3))
    assert found.bias == pytest.approx((2 - 8 - 3) / 3)
    assert [(one.name, one.trips) for one in found.by_hour] == [("8", 3)]
    assert {one.name: (one.trips, one.rmse) for one in found.by_pickup} == {
        "Manhattan": (2, pytest.approx(np.sqrt((64 + 9) / 2))),
        "Airports": (1, 2.0),
    }
    assert {one.name: one.bias for one in found.by_dropoff} == {"Manhattan": -3.0, "Queens": -3.0}
    assert found.scores["rmse"] == found.rmse
    assert TripEvaluation.from_json(found.to_json()) == found


def test_predictions_beyond_the_chart_are_in_its_outermost_bins(trips):
    scan = trips((1, 2, 60, 1))
    assert evaluate_trips([scan], always(500)).counts[29][29] == 1
    assert evaluate_trips([scan], always(-3)).counts[29][0] == 1


def test_going_through_the_trips_gives_the_error_of_their_sums(month):
    model = fit_zone_regression(sum_trips([month(1)]))
    found = evaluate_trips([month(2, variant="green-2024")], model.predict)
    assert found.rmse == pytest.approx(regression_error(sum_trips([month(2)]), model), abs=1e-9)
    assert len(found.by_hour) == 24


def test_an_empty_month_is_told(trips):
    with pytest.raises(TableError, match="no trip"):
        evaluate_trips([trips((1, 2, 90, 1))], always(1))
