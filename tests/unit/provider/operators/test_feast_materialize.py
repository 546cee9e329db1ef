"""Bringing a view online as a task: which window, side by side or not, and what is told to others."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException
from airflow.serialization.serialized_objects import DagSerialization
from tests.unit.provider.feature_tasks import NOON

from airfoil.errors import StorageError
from airfoil.provider.feature_assets import BROUGHT_ONLINE, FeatureView
from airfoil.provider.operators.feast_materialize import FeastMaterializeOperator
from airfoil.records import MaterializedView

pytestmark = pytest.mark.unit
DAY = dt.timedelta(days=1)


def task(view="spending", **given):
    return FeastMaterializeOperator(task_id="online", view=view, **{"last": 7 * DAY, **given})


def test_the_last_week_of_a_view_is_brought_online(features, execute):
    found = MaterializedView.from_json(execute(task()))
    assert features.windows == [("spending", NOON - 7 * DAY, NOON)]
    assert (found.view, found.entities, found.rows, found.end) == ("spending", 10, 7, NOON)


def test_pieces_go_in_order_and_are_counted_together(features, execute):
    found = MaterializedView.from_json(execute(task(pieces=3 * DAY)))
    assert [start for _, start, _ in features.windows] == [NOON - 7 * DAY, NOON - 4 * DAY, NOON - DAY]
    assert (found.entities, found.rows) == (None, 3)


def test_its_asset_is_updated_with_what_was_done(features, execute):
    operator = task()
    assert operator.outlets == [FeatureView("spending")]
    execute(operator)
    assert execute.context["outlet_events"][FeatureView("spending")].extra["rows"] == 7


def test_a_mapped_task_tells_of_its_view_through_the_alias(features, execute):
    with DAG("nightly", schedule=None) as dag:
        FeastMaterializeOperator.partial(task_id="online", last=DAY).expand(view=["spending", "visits"])
    assert BROUGHT_ONLINE in dag.get_task("online").outlets
    execute(task(outlets=[BROUGHT_ONLINE]), map_index=1)
    ((uri, extra),) = execute.context["outlet_events"][BROUGHT_ONLINE].added
    assert (uri, extra["view"]) == ("feast://view/spending", "spending")


def test_views_side_by_side_are_asked_for_unless_they_take_turns(features, execute):
    execute(task())
    assert features.parallel == 0
    execute(task(max_active_tis_per_dagrun=1), map_index=0)
    assert features.parallel == 0
    execute(task(), map_index=0)
    assert features.parallel == 2


def test_a_view_that_does_not_exist_is_not_tried_again(features, execute):
    with pytest.raises(AirflowFailException, match="no feature view 'nope'"):
        execute(task("nope"))


def test_a_store_that_is_full_is_tried_again(features, execute):
    features.error = StorageError("Redis at x is full", "Raise maxmemory.")
    with pytest.raises(StorageError, match="Redis at x is full"):
        execute(task())


@pytest.mark.parametrize(
    "wrong", [{"last": None}, {"last": DAY, "start": "2026-01-01"}, {"end": "2999-01-01"}]
)
def test_what_is_no_window_is_not_tried_again(features, execute, wrong):
    with pytest.raises(AirflowFailException):
        execute(task(**wrong))


def test_it_survives_serialization():
    with DAG("nightly", schedule=None) as dag:
        task(start=NOON - DAY, last=None, end="{{ data_interval_end }}")
        FeastMaterializeOperator.partial(task_id="many", last=DAY).expand(view=["spending", "visits"])
    back = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))
    one = back.get_task("online")
    assert (one.view, one.start, one.end) == ("spending", (NOON - DAY).isoformat(), "{{ data_interval_end }}")
    assert [asset.uri for asset in one.outlets] == ["feast://view/spending"]
    assert back.get_task("many").task_type == "FeastMaterializeOperator"
