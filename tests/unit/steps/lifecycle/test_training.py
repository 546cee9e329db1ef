"""Rows are split by class, every model type of the zoo learns from them, and what cannot be learnt is a sentence."""

from __future__ import annotations

import pytest

from airfoil.errors import ConfigurationError, TableError
from airfoil.steps.lifecycle.training import cross_validate, split_rows, train_model
from airfoil.steps.model_zoo import ZOO, plan_model

pytestmark = pytest.mark.unit
CLASSES = ("low", "high")


def table(rows=40, **more):
    import pandas as pd

    sizes = [index / rows for index in range(rows)]
    kinds = ["low" if size < 0.5 else "high" for size in sizes]
    return pd.DataFrame({"size": sizes, "other": [1.0] * rows, "kind": kinds, **more})


def test_a_quarter_of_each_class_is_held_out_as_numbers():
    parts = split_rows(table(), "kind", CLASSES)
    assert (len(parts.train), len(parts.held_out), parts.incomplete) == (30, 10, 0)
    assert parts.held_out["kind"].value_counts().to_dict() == {0: 5, 1: 5}
    assert set(parts.train.index).isdisjoint(parts.held_out.index)
    assert (parts.train["kind"] == (parts.train["size"] >= 0.5)).all()
    again = split_rows(table(), "kind", CLASSES)
    assert again.held_out.equals(parts.held_out)


def test_rows_without_a_value_are_counted_and_left_out():
    frame = table()
    frame.loc[[0, 39], "size"] = None
    parts = split_rows(frame, "kind", CLASSES)
    assert (len(parts.train) + len(parts.held_out), parts.incomplete) == (38, 2)


def test_few_rows_are_split_so_that_both_parts_know_each_class():
    parts = split_rows(table(4), "kind", CLASSES, held_out_share=0.01)
    assert sorted(parts.train["kind"]) == sorted(parts.held_out["kind"]) == [0, 1]


@pytest.mark.parametrize(
    ("change", "kind", "sentence"),
    [
        (lambda frame: frame.drop(columns="kind"), ConfigurationError, "no column 'kind' to predict"),
        (lambda frame: frame[["kind"]], ConfigurationError, "nothing to predict from"),
        (lambda frame: frame.assign(hue="red"), ConfigurationError, "'hue' holds none"),
        (lambda frame: frame.assign(kind="odd"), TableError, "'odd' is no class of 'kind'"),
        (lambda frame: frame.assign(kind="low"), TableError, "Of the class 'high' there are 0 rows"),
        (lambda frame: frame.iloc[:21], TableError, "Of the class 'high' there are 1 rows"),
    ],
)
def test_what_cannot_be_split_is_said(change, kind, sentence):
    with pytest.raises(kind, match=sentence):
        split_rows(change(table()), "kind", CLASSES)


@pytest.mark.parametrize("model_type", sorted(ZOO))
def test_every_model_type_learns_and_predicts_numbers_of_classes(model_type):
    if model_type == "xgboost":
        pytest.importorskip("xgboost", reason="xgboost-cpu has wheels for Linux only")
    parts = split_rows(table(200), "kind", CLASSES)
    small = {"random_forest": {"trees": 5}, "gradient_boosting": {"rounds": 5}, "xgboost": {"rounds": 5}}
    trained = train_model(parts.train, "kind", plan_model(model_type, small.get(model_type)))
    assert trained.seen["accuracy"] > 0.9
    assert list(trained.example.columns) == ["size", "other"]
    assert set(trained.estimator.predict(parts.held_out.drop(columns="kind"))) <= {0, 1}


def test_what_a_library_refuses_is_told_as_a_sentence():
    parts = split_rows(table(), "kind", CLASSES)
    one_class = parts.train.assign(kind=0)
    with pytest.raises(ConfigurationError, match="LogisticRegression cannot learn from this table"):
        train_model(one_class, "kind", plan_model("logistic_regression"))


def test_candidates_are_measured_on_rows_they_have_not_seen():
    parts = split_rows(table(), "kind", CLASSES)
    good = cross_validate(parts.train, "kind", plan_model("knn", {"neighbours": 1}))
    poor = cross_validate(parts.train, "kind", plan_model("knn", {"neighbours": 24}))
    assert good.rows == len(parts.train)
    assert good["accuracy"] > poor["accuracy"]
    with pytest.raises(TableError, match="one row alone"):
        cross_validate(parts.train.drop_duplicates("kind"), "kind", plan_model("knn"))
