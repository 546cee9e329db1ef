from __future__ import annotations

from types import SimpleNamespace

import pyarrow as pa
import pytest

from airfoil.clients.feature_store import plan
from airfoil.clients.feature_store.encoding import View
from airfoil.clients.feature_store.latest_rows import Source
from airfoil.clients.feature_store.plan import Plan

pytestmark = [pytest.mark.unit, pytest.mark.filterwarnings("ignore::RuntimeWarning")]

CONFIG = SimpleNamespace(entity_key_serialization_version=3)


def view(path="rows.parquet", **more):
    from feast import FileSource

    return SimpleNamespace(batch_source=FileSource(path=path, timestamp_field="at"), online=True) | more


class SimpleNamespace(SimpleNamespace):
    def __or__(self, other):
        return (
            SimpleNamespace(**vars(self), **other)
            if not set(vars(self)) & set(other)
            else SimpleNamespace(**{**vars(self), **other})
        )


def test_a_plain_view_of_local_parquet_is_ours():
    assert plan.reason_for_feast(view(), CONFIG) is None
    assert plan.reason_for_feast(view("file:///tmp/rows.parquet"), CONFIG) is None


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"feature_transformation": object()}, "transforms"),
        ({"aggregations": [1]}, "aggregates"),
        ({"source_views": [1]}, "other views"),
        ({"enable_validation": True}, "validates"),
        ({"offline": True}, "offline store too"),
        ({"filter": "x > 1"}, "filters"),
        ({"online": False}, "not online"),
        ({"batch_source": object()}, "its source is a object"),
    ],
)
def test_every_other_view_is_feasts_with_a_reason(more, reason):
    assert reason in plan.reason_for_feast(view() | more, CONFIG)


def test_a_file_elsewhere_and_old_keys_are_feasts():
    assert "not on this machine (s3)" in plan.reason_for_feast(view("s3://bucket/rows.parquet"), CONFIG)
    assert "version 2" in plan.reason_for_feast(view(), SimpleNamespace(entity_key_serialization_version=2))


def test_rows_get_their_online_names_and_a_view_without_entities_its_key():
    made = Plan(
        Source((), (), ("x_raw",), "at"),
        View("v", {"__dummy_id": "STRING"}, {"x": "INT64"}, "at"),
        {"x_raw": "x"},
    )
    found = made.renamed(pa.RecordBatch.from_arrays([pa.array([1, 2]), pa.array([3, 4])], ["x_raw", "at"]))
    assert found.to_pydict() == {"x": [1, 2], "at": [3, 4], "__dummy_id": ["", ""]}
