"""The linear model as such, and as a pipeline that loads anywhere."""

import numpy as np
import pandas as pd
import pytest

from airfoil.clients.model_files import save_sklearn_model
from airfoil.clients.model_loading import read_model
from airfoil.steps.taxi.zone_regression import ZoneRegression

pytestmark = pytest.mark.unit

MODEL = ZoneRegression(
    constant=5.0,
    minutes_per_mile=2.0,
    pickup_zones=np.array([3, 132]),
    pickup_minutes=np.array([1.0, 10.0]),
    dropoff_zones=np.array([7, 8, 9]),
    dropoff_minutes=np.array([0.5, -0.5, 0.25]),
)
TRIPS = pd.DataFrame(
    {
        "PULocationID": [3, 132, 132, 4, 0, 265, -1],
        "DOLocationID": [7, 9, 100, 8, 1, 9, 10_000],
        "trip_distance": [0.0, 1.0, 1.0, 2.0, 0.5, 1.0, 1.0],
    }
)
MINUTES = [6.5, 17.25, 17.0, 8.5, 6.0, 7.25, 7.0]


def test_zones_and_miles_become_minutes_and_unknown_zones_add_nothing():
    assert MODEL.predict(*(TRIPS[name].to_numpy() for name in TRIPS)).tolist() == MINUTES


def test_the_pipeline_predicts_the_same_from_raw_columns():
    pipeline = MODEL.to_pipeline()
    assert pipeline.predict(TRIPS).tolist() == MINUTES
    assert list(pipeline.feature_names_in_) == list(TRIPS)


def test_it_is_stored_without_a_pickle_and_without_our_classes(tmp_path):
    save_sklearn_model(MODEL.to_pipeline(), tmp_path / "model", example=MODEL.example())
    assert not list(tmp_path.rglob("*.pkl"))
    assert b"airfoil" not in (tmp_path / "model" / "model.skops").read_bytes()
    loaded = read_model(tmp_path / "model", "the model")
    assert loaded.predict(TRIPS[["trip_distance", "DOLocationID", "PULocationID"]]).tolist() == MINUTES
    described = (tmp_path / "model" / "MLmodel").read_text()
    assert all(name in described for name in TRIPS)
