"""Trees from weighted pairs and bins, beside trees of the whole one-hot matrix."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from airfoil.clients.model_files import save_xgboost_model
from airfoil.clients.model_loading import read_model
from airfoil.errors import TableError
from airfoil.steps.scans import Scan
from airfoil.steps.taxi.boosted_trees import (
    BINS,
    TreeParameters,
    columns_of,
    train_trees,
    tree_example,
    tree_predictions,
)
from airfoil.steps.taxi.evaluation import evaluate_trips

xgboost = pytest.importorskip("xgboost")
pytestmark = pytest.mark.unit

FEW = TreeParameters(rounds=8, max_depth=6, threads=1)


def tutorial(scan, *, with_distance):
    """The error of trees of one-hot columns, one row for each trip."""
    from sklearn.feature_extraction import DictVectorizer

    table = scan.backing.table.to_pandas()
    minutes = (table.tpep_dropoff_datetime - table.tpep_pickup_datetime).dt.total_seconds() / 60
    table, minutes = table[minutes.between(1, 60)], minutes[minutes.between(1, 60)]
    names = columns_of(TreeParameters(with_distance=with_distance))
    table[names[:2]] = table[names[:2]].astype(str)
    matrix = DictVectorizer().fit_transform(table[names].to_dict(orient="records"))
    rows = xgboost.DMatrix(matrix, label=minutes)
    settings = {"max_depth": 6, "learning_rate": 0.1, "objective": "reg:squarederror", "nthread": 1}
    booster = xgboost.train(settings, rows, num_boost_round=8)
    return float(np.sqrt(((booster.predict(rows) - minutes) ** 2).mean()))


@pytest.mark.parametrize("with_distance", [False, True])
def test_trees_are_as_good_as_those_of_the_one_hot_matrix(month, with_distance):
    told = FEW.model_copy(update={"with_distance": with_distance})
    found = evaluate_trips(
        [month()], tree_predictions(train_trees([month()], told), told), with_distance=with_distance
    )
    # Bins of miles are cut at quantiles here and by a sketch of them there.
    tolerance = 0.02 if with_distance else 1e-5
    assert found.rmse == pytest.approx(tutorial(month(), with_distance=with_distance), abs=tolerance)


def with_miles(scan, change):
    """The same trips with other distances."""
    table = scan.backing.table
    place = table.column_names.index("trip_distance")
    return Scan.of_table(table.set_column(place, "trip_distance", change(table["trip_distance"])), "trips")


def test_where_distances_are_few_nothing_is_lost(month):
    few = with_miles(month(), lambda miles: pc.min_element_wise(pc.round(miles, 1), 15.0))
    assert pc.count_distinct(few.backing.table["trip_distance"]).as_py() <= BINS
    told = FEW.model_copy(update={"with_distance": True})
    found = evaluate_trips([few], tree_predictions(train_trees([few], told), told))
    assert found.rmse == pytest.approx(tutorial(few, with_distance=True), abs=1e-5)


def test_a_bin_is_known_by_its_least_distance(month):
    """A split lies there, so trips that are asked for later fall into the bins that were learned from."""
    told = FEW.model_copy(update={"with_distance": True})
    booster = train_trees([month()], told)
    rows = booster.trees_to_dataframe().query("Feature == 'trip_distance'")
    assert len(rows) > 10
    known = set(month().backing.table["trip_distance"].to_numpy().astype(np.float32).tolist())
    assert set(rows.Split.astype(np.float32).tolist()) <= known


@pytest.mark.parametrize("with_distance", [False, True])
def test_what_is_predicted_once_is_what_each_trip_gets(month, with_distance):
    told = FEW.model_copy(update={"with_distance": with_distance})
    booster = train_trees([month()], told)
    random = np.random.default_rng(3)
    at_bins = month().backing.table["trip_distance"].to_numpy()[:2000]
    miles = np.concatenate([at_bins, np.nextafter(at_bins, 0), random.normal(5, 20, 2000)])
    zones = random.integers(1, 266, (2, len(miles)))
    columns = [*zones, miles] if with_distance else [*zones]
    each = booster.inplace_predict(np.column_stack(columns).astype(np.float32), validate_features=False)
    assert np.array_equal(tree_predictions(booster, told)(*zones, miles), each)


@pytest.mark.parametrize(
    "change",
    [
        lambda miles: pa.array([1.5] * len(miles)),
        lambda miles: pa.array(np.random.default_rng(1).normal(0, 1e6, len(miles))),
        lambda miles: pc.cast(pc.round(miles), pa.int64()),
        lambda miles: pc.cast(pc.round(miles, 2), pa.decimal128(12, 2), safe=False),
    ],
    ids=["one", "any", "whole", "decimal"],
)
def test_distances_may_be_of_any_kind(month, change):
    told = FEW.model_copy(update={"with_distance": True})
    scan = with_miles(month(rows=4000), change)
    found = evaluate_trips([scan], tree_predictions(train_trees([scan], told), told))
    assert 1 < found.rmse < 12


def test_sets_of_zones_tell_more(month):
    one, many = (FEW.model_copy(update={"sets_of_zones": value}) for value in (False, True))
    errors = [
        evaluate_trips([month()], tree_predictions(train_trees([month()], told), told)).rmse
        for told in (one, many)
    ]
    assert errors[1] < errors[0]


@pytest.mark.parametrize("with_distance", [False, True])
def test_the_stored_model_takes_raw_columns(month, tmp_path, with_distance):
    told = FEW.model_copy(update={"with_distance": with_distance})
    booster = train_trees([month(rows=4000)], told)
    example = tree_example(told)
    save_xgboost_model(booster, tmp_path / "model", example=example)
    loaded = read_model(tmp_path / "model", "the model")
    columns = [example[name].to_numpy() for name in example]
    wanted = tree_predictions(booster, told)(*columns, *([np.zeros(3)] if not with_distance else []))
    assert loaded.predict(example).tolist() == wanted.tolist()
    assert "PULocationID" in (tmp_path / "model" / "MLmodel").read_text()


def test_a_zone_that_was_never_seen_is_predicted_all_the_same(month):
    found = tree_predictions(train_trees([month(rows=4000)], FEW), FEW)(
        np.array([9999]), np.array([9999]), np.array([1.0])
    )
    assert 1 < found[0] < 60


@pytest.mark.parametrize("with_distance", [False, True])
def test_an_empty_month_is_told(trips, with_distance):
    with pytest.raises(TableError, match="no trip"):
        train_trees([trips((1, 2, 90, 1))], TreeParameters(with_distance=with_distance))
