"""Measuring as a task: on a table, beside the holder of an alias, on the same rows."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException
from airflow.serialization.serialized_objects import DagSerialization

from airfoil.clients.object_store import FolderStore
from airfoil.provider.assets import Model
from airfoil.provider.operators import evaluate_model as module
from airfoil.provider.operators.evaluate_model import EvaluateModelOperator
from airfoil.records import Comparison, DataRef, ModelRef, Scores

pytestmark = pytest.mark.unit
FOREST = ModelRef(name="forest", uri="models:/m-1", run_id="r")


@pytest.fixture
def data(tmp_path):
    pytest.importorskip("pyarrow")
    import pandas as pd

    frame = pd.DataFrame({"x": [0, 1] * 10, "target": [0, 1] * 10})
    return FolderStore(tmp_path).write("wine", frame)


@pytest.fixture
def shares():
    """What each address says of probabilities: nothing."""
    return {}


@pytest.fixture
def models(monkeypatch, shares):
    """What each address predicts; loading for real is an integration test."""
    known = {"models:/m-1": lambda frame: frame["x"]}

    def load(_, uri, *, trusted_types):
        return SimpleNamespace(predict=known[uri], probabilities=shares.get(uri, lambda frame: None))

    monkeypatch.setattr(module, "load_model", load)
    return known


def evaluate(data, **given):
    given = {"task_id": "evaluate", "model": FOREST, "target": "target", **given}
    return EvaluateModelOperator(data=data, **given)


def test_a_model_is_measured_on_a_table(registry, run, data, models):
    found = Comparison.from_json(run(evaluate(data)))
    assert found.scores == Scores(values={"accuracy": 1.0, "f1_macro": 1.0}, rows=20)
    assert (found.champion, found.against) == (None, "")
    logged = {point["key"]: point["value"] for one in registry.runs.values() for point in one["metrics"]}
    assert logged == dict.fromkeys(("accuracy", "f1_macro", "precision_macro", "recall_macro"), 1.0)
    found = Comparison.from_json(run(evaluate(data, kind="regression", task_id="again")))
    assert found.scores["rmse"] == 0


def test_charts_and_numbers_of_its_errors_are_in_the_run(registry, run, data, models, shares):
    shares["models:/m-1"] = lambda frame: ([0, 1], [[0.9 - 0.8 * x, 0.1 + 0.8 * x] for x in frame["x"]])
    run(evaluate(data))
    names = {name.rpartition("/artifacts/")[2] for name in registry.artifacts}
    assert names == {"evaluation.json", "confusion.png", "roc.png", "calibration.png"}
    run(evaluate(data, kind="regression", task_id="again"))
    assert any(name.endswith("residuals.png") for name in registry.artifacts)


def test_the_holder_of_an_alias_is_measured_on_the_same_rows(registry, run, data, models):
    registry.add_versions("wine", 1)
    registry.point("wine", 1)
    models["models:/wine/1"] = lambda frame: [0] * len(frame)
    found = Comparison.from_json(run(evaluate(data, against=Model("wine").at("champion"))))
    assert (found.champion["accuracy"], found.against, found.against_version) == (0.5, "wine@champion", 1)
    assert 0 < found.gains["accuracy"].low < 0.5 < found.gains["accuracy"].high < 1


def test_a_holder_that_cannot_predict_here_is_known_and_its_scores_are_not(registry, run, data, models):
    registry.add_versions("wine", 1)
    registry.point("wine", 1)
    models["models:/wine/1"] = lambda frame: frame["gone"]
    found = Comparison.from_json(run(evaluate(data, against=Model("wine").at("champion"))))
    assert (found.champion, found.against_version) == (Scores(values={}, rows=20), 1)


def test_without_a_holder_there_is_nobody(registry, run, data, models):
    found = Comparison.from_json(run(evaluate(data, against=Model("wine").at("champion"))))
    assert (found.champion, found.against) == (None, "wine@champion")


def test_a_column_that_is_not_there_is_said(registry, run, data, models):
    task = evaluate(data)
    task.target = "targt"
    with pytest.raises(AirflowFailException, match=r"no column 'targt'. There are: x, target"):
        run(task)


def test_it_survives_serialization():
    with DAG("one", schedule=None) as dag:
        evaluate(DataRef(uri="/data", content_hash="x"), against=Model("wine").at("champion"))
    back = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag)))).get_task(
        "evaluate"
    )
    assert (back.target, back.against) == ("target", "mlflow://model/wine@champion")
