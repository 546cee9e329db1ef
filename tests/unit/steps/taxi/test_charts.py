"""Charts of an evaluation, drawn without a display."""

import io

import numpy as np
import pytest

from airfoil.steps.taxi.charts import draw_coefficients, draw_hours, draw_predictions, draw_zone_groups
from airfoil.steps.taxi.evaluation import evaluate_trips
from airfoil.steps.taxi.least_squares import fit_zone_regression
from airfoil.steps.taxi.trip_sums import sum_trips

pytestmark = pytest.mark.unit


def drawn(figure):
    file = io.BytesIO()
    figure.savefig(file)
    assert file.tell() > 5000
    return figure


def test_every_chart_is_drawn_and_says_what_it_shows(month):
    model = fit_zone_regression(sum_trips([month(1, rows=3000)]))
    found = evaluate_trips([month(2, rows=3000)], model.predict)
    axes = drawn(draw_predictions(found)).axes[0]
    assert f"RMSE {found.rmse:.3f}" in axes.get_title()
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted minutes", "true minutes")
    assert len(drawn(draw_hours(found)).axes[0].patches) == 24
    assert len(drawn(draw_zone_groups(found)).axes) == 2
    points = [len(one.get_offsets()) for one in drawn(draw_coefficients(model)).axes[0].collections]
    assert points == [len(model.pickup_zones), len(model.dropoff_zones)]


def test_a_single_trip_can_be_drawn(trips):
    scan = trips((1, 264, 12, 3.0))
    model = fit_zone_regression(sum_trips([scan]))
    found = evaluate_trips([scan], lambda pickup, dropoff, miles: np.full(len(pickup), 12.0))
    for figure in (
        draw_predictions(found),
        draw_hours(found),
        draw_zone_groups(found),
        draw_coefficients(model),
    ):
        drawn(figure)
