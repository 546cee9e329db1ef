"""A training set as a task: every row once, by our join or by Feast's, and nothing of tomorrow."""

from __future__ import annotations

import datetime as dt
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException
from airflow.serialization.serialized_objects import DagSerialization

from airfoil.clients import training_sets
from airfoil.clients.training_sets import FeaturePlan
from airfoil.errors import InternalError, ServiceAnswerError
from airfoil.provider.operators.training_set import TrainingSetOperator
from airfoil.records import DataRef, FeatureSource

pytestmark = pytest.mark.unit
NOON = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
REFERENCES = ["spending:spent"]


@pytest.fixture
def orders(tmp_path, monkeypatch):
    """Orders of two customers and of nobody, and a work area."""
    monkeypatch.setenv("AIRFLOW__AIRFOIL__WORK_AREA", str(tmp_path / "work"))
    table = pa.table(
        {"customer": [7, 8, None], "event_timestamp": [NOON, NOON, NOON], "returned": [True, False, False]}
    )
    pq.write_table(table, tmp_path / "orders.parquet")
    return tmp_path / "orders.parquet"


@pytest.fixture
def plan(monkeypatch, features, tmp_path):
    """Where the features lie: change it."""
    table = pa.table({"who": [7, 7], "at": [NOON - DAY, NOON + DAY], "spent": [25.0, 99.0]})
    pq.write_table(table, tmp_path / "my spending.parquet")
    source = FeatureSource(
        name="spending", uris=((tmp_path / "my spending.parquet").as_uri(),), timestamp="at",
        keys={"customer": "who"}, features={"spent": "spent"},
    )  # fmt: skip
    plans = [FeaturePlan((source,))]
    monkeypatch.setattr(training_sets, "resolve_features", lambda *_, **__: plans[0])
    return plans


def joined(ref):
    return pq.read_table(DataRef.from_json(ref).uri.removeprefix("file://")).to_pydict()


def test_each_order_comes_out_once_with_what_was_known(orders, plan, execute):
    ref = execute(TrainingSetOperator(task_id="set", entities=str(orders), features=REFERENCES))
    assert DataRef.from_json(ref).rows == 3
    found = joined(ref)
    assert found["customer"] == [7, 8, None]
    assert found["spent"] == [25.0, None, None]


def test_rows_may_be_what_a_task_before_has_written(orders, plan, execute):
    entities = DataRef(uri=orders.as_uri(), content_hash="sha256:0", rows=3)
    ref = execute(TrainingSetOperator(task_id="set", entities=entities, features=REFERENCES, name="train"))
    assert ref["uri"].endswith("/set/train.parquet")
    assert ref == execute(
        TrainingSetOperator(task_id="set", entities=entities, features=REFERENCES, name="train")
    )


def test_feast_joins_what_only_feast_can_and_the_log_says_why(orders, plan, execute, monkeypatch, capsys):
    plan[0] = FeaturePlan(only_feast="'spending' is an on-demand view, whose features Feast computes itself")

    def fetch(_store, rows, features, **_):
        assert features == REFERENCES
        return rows.append_column("spent", pa.array([1.0, 2.0, 3.0]))

    monkeypatch.setattr(training_sets, "fetch_features", fetch)
    ref = execute(TrainingSetOperator(task_id="set", entities=str(orders), features=REFERENCES))
    assert joined(ref)["spent"] == [1.0, 2.0, 3.0]
    assert "an on-demand view" in capsys.readouterr().out


def test_a_row_that_feast_loses_is_an_error(orders, plan, execute, monkeypatch):
    plan[0] = FeaturePlan(only_feast="it is so")
    monkeypatch.setattr(
        training_sets, "fetch_features", lambda _store, rows, _features, **_: rows.slice(0, 2)
    )
    with pytest.raises(InternalError, match="2 rows were made of 3"):
        execute(TrainingSetOperator(task_id="set", entities=str(orders), features=REFERENCES))

    def refuse(*_, **__):
        raise ServiceAnswerError("Feast's dask offline store made 2 rows of 3", "Set duckdb.")

    monkeypatch.setattr(training_sets, "fetch_features", refuse)
    with pytest.raises(ServiceAnswerError, match="2 rows of 3"):
        execute(TrainingSetOperator(task_id="set", entities=str(orders), features=REFERENCES))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"entities": "/nowhere/orders.parquet"}, "nothing lies at /nowhere/orders.parquet"),
        ({"entities": {"rows": 3}}, "'entities' says 'rows', which means nothing about a table"),
        ({"timestamp": "ordered_at"}, "no column 'ordered_at'"),
    ],
)
def test_what_cannot_be_joined_is_not_tried_again(orders, plan, execute, change, message):
    given = {"entities": str(orders), "features": REFERENCES, **change}
    with pytest.raises(AirflowFailException, match=message):
        execute(TrainingSetOperator(task_id="set", **given))


def test_an_order_of_tomorrow_is_refused(orders, plan, execute):
    moments = pa.array([NOON, NOON, dt.datetime(2999, 1, 1, tzinfo=dt.UTC)])
    pq.write_table(pq.read_table(orders).set_column(1, "event_timestamp", moments), orders)
    with pytest.raises(
        AirflowFailException, match=r"1 of 3 entity rows in orders\.parquet lie in the future"
    ):
        execute(TrainingSetOperator(task_id="set", entities=str(orders), features=REFERENCES))


def test_it_survives_serialization():
    with DAG("weekly", schedule=None) as dag:
        TrainingSetOperator(
            task_id="set", entities="s3://lake/orders", features="returns_v1", full_names=True
        )
    back = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag)))).get_task("set")
    assert (back.entities, back.features, back.name) == ("s3://lake/orders", "returns_v1", "training_set")
