"""What a feature store says of its views, turned into sources: with real views of Feast, and a registry made up."""

from __future__ import annotations

import warnings
from datetime import timedelta
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airfoil.clients.training_sets import fetch_features, resolve_features
from airfoil.errors import ConfigurationError, NotFoundError, ServiceAnswerError

pytestmark = pytest.mark.unit

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what Feast imports warns about itself
    from feast import BigQuerySource, Entity, FeatureService, FeatureView, Field, FileSource, ValueType
    from feast.data_format import DeltaFormat
    from feast.errors import FeatureServiceNotFoundException
    from feast.types import Float64, Int64, String


class Registry:
    """A store without a registry behind it: it knows the views that it is given."""

    config = SimpleNamespace(offline_store=SimpleNamespace(type="dask"))

    def __init__(self, repo_path, *views, services=(), answer=None):
        self.repo_path, self._views, self._services, self._answer = repo_path, views, services, answer

    def list_all_feature_views(self):
        return list(self._views)

    def list_feature_services(self):
        return list(self._services)

    def get_feature_service(self, name):
        for service in self._services:
            if service.name == name:
                return service
        raise FeatureServiceNotFoundException(name, "project")

    def get_historical_features(self, entity_df, features, **options):
        return SimpleNamespace(
            to_arrow=lambda: self._answer(pa.Table.from_pandas(entity_df, preserve_index=False))
        )


def view(source, name="spending", ttl=timedelta(days=1), entities=("customer",)):
    made = [Entity(name=one, join_keys=[one], value_type=ValueType.INT64) for one in entities]
    fields = [Field(name=one, dtype=Int64) for one in entities]
    fields += [Field(name="total", dtype=Float64), Field(name="city", dtype=String)]
    return FeatureView(name=name, source=source, schema=fields, entities=made, ttl=ttl)


@pytest.fixture
def facts(tmp_path):
    pq.write_table(pa.table({"total": [1.0]}), tmp_path / "facts.parquet")
    return tmp_path


def test_a_reference_becomes_a_source_with_keys_names_and_ttl(facts):
    mapping = {"t": "total", "cid": "customer"}
    source = FileSource(
        path="facts.parquet", timestamp_field="at", created_timestamp_column="written", field_mapping=mapping
    )
    plan = resolve_features(
        Registry(facts, view(source)), ["spending:total", "spending:city", "spending:total"]
    )
    assert plan.only_feast == ""
    (found,) = plan.sources
    assert found.uris == ((facts / "facts.parquet").resolve().as_uri(),)
    assert dict(found.features) == {"total": "t", "city": "city"}
    assert dict(found.keys) == {"customer": "cid"}
    assert (found.timestamp, found.created, found.ttl_seconds) == ("at", "written", 86_400)


def test_full_names_carry_the_view_and_a_ttl_of_nothing_is_for_ever(facts):
    source = FileSource(path=str(facts / "facts.parquet"), timestamp_field="at")
    for ttl in (timedelta(0), None):
        plan = resolve_features(Registry("/", view(source, ttl=ttl)), ["spending:total"], full_names=True)
        assert dict(plan.sources[0].features) == {"spending__total": "total"}
        assert plan.sources[0].ttl_seconds is None
        assert plan.sources[0].created == ""


def test_a_view_without_entities_belongs_to_everybody(facts):
    source = FileSource(path="facts.parquet", timestamp_field="at")
    plan = resolve_features(Registry(facts, view(source, entities=())), ["spending:total"])
    assert dict(plan.sources[0].keys) == {}


def test_a_service_names_features_under_aliases_and_other_keys(facts):
    known = view(FileSource(path="facts.parquet", timestamp_field="at"))
    chosen = known[["total"]].with_name("sender").with_join_key_map({"customer": "sender_id"})
    service = FeatureService(name="transfers", features=[chosen, known[["city"]]])
    plan = resolve_features(Registry(facts, known, services=[service]), "transfers", full_names=True)
    assert [dict(one.features) for one in plan.sources] == [
        {"sender__total": "total"},
        {"spending__city": "city"},
    ]
    assert [dict(one.keys) for one in plan.sources] == [{"sender_id": "customer"}, {"customer": "customer"}]
    with pytest.raises(NotFoundError, match="no feature service 'other'") as caught:
        resolve_features(Registry(facts, known, services=[service]), "other")
    assert "transfers" in caught.value.next_move


def test_a_folder_of_files_is_read_in_order_of_their_names(facts):
    for name in ("b", "a"):
        pq.write_table(pa.table({"total": [1.0]}), facts / f"{name}.parquet")
    registry = Registry(facts, view(FileSource(path=".", timestamp_field="at")))
    uris = resolve_features(registry, ["spending:total"]).sources[0].uris
    assert [uri.rpartition("/")[2] for uri in uris] == ["a.parquet", "b.parquet", "facts.parquet"]
    (facts / "day=1").mkdir()
    assert "partitioned" in resolve_features(registry, ["spending:total"]).only_feast


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            FileSource(path="s3://bucket/facts.parquet", timestamp_field="at"),
            "not in a folder of this machine",
        ),
        (FileSource(path="facts", timestamp_field="at", file_format=DeltaFormat()), "not Parquet"),
        (BigQuerySource(name="b", table="p.d.t", timestamp_field="at"), "read from a BigQuerySource"),
    ],
)
def test_what_only_feast_can_read_is_said(facts, source, words):
    plan = resolve_features(Registry(facts, view(source)), ["spending:total"])
    assert words in plan.only_feast
    assert plan.sources == ()


def test_versions_and_computed_views_are_left_to_feast(facts):
    known = view(FileSource(path="facts.parquet", timestamp_field="at"))
    assert "version" in resolve_features(Registry(facts, known), ["spending@v2:total"]).only_feast
    computed = type("OnDemandFeatureView", (), {"name": "ratio"})()
    plan = resolve_features(Registry(facts, known, computed), ["spending:total", "ratio:x"])
    assert plan.only_feast == "'ratio' is an on-demand view, whose features Feast computes itself"


@pytest.mark.parametrize(
    ("references", "words"),
    [
        (["total"], "no reference of a feature"),
        ([":total"], "no reference of a feature"),
        ([], "No features were asked for"),
        (["other:total"], "no feature view 'other'"),
        (["spending:other"], "has no feature 'other'"),
    ],
)
def test_what_does_not_exist_is_named_with_what_does(facts, references, words):
    known = view(FileSource(path="facts.parquet", timestamp_field="at"))
    with pytest.raises(ConfigurationError, match=words) as caught:
        resolve_features(Registry(facts, known), references)
    assert caught.value.next_move


@pytest.mark.parametrize("path", ["missing.parquet", "empty"])
def test_data_that_is_not_there_is_told_before_anything_is_read(facts, path):
    (facts / "empty").mkdir()
    known = view(FileSource(path=path, timestamp_field="at"))
    with pytest.raises(NotFoundError, match="feature view 'spending'"):
        resolve_features(Registry(facts, known), ["spending:total"])


ENTITIES = pa.table(
    {"customer": [1, 1, 2], "event_timestamp": pa.array([1, 1, 2], pa.timestamp("us", "UTC"))}
)


def test_rows_of_feast_come_back_in_their_order():
    def mixed(table):
        return table.take([2, 0, 1]).append_column("total", pa.array([3.0, 1.0, 2.0]))

    found = fetch_features(Registry("/", answer=mixed), ENTITIES, ["spending:total"])
    assert found["total"].to_pylist() == [1.0, 2.0, 3.0]
    assert found.column_names == ["customer", "event_timestamp", "total"]


@pytest.mark.parametrize("rows", [[0, 2], [0, 0, 1, 2], [0, 1, 1], [None, 1, 2], []])
def test_a_lost_or_doubled_row_is_an_error_that_names_the_store(rows):
    registry = Registry("/", answer=lambda table: table.take(pa.array(rows, pa.int64())))
    with pytest.raises(
        ServiceAnswerError, match=f"Feast's dask offline store made {len(rows)} rows of 3"
    ) as caught:
        fetch_features(registry, ENTITIES, ["spending:total"])
    assert "duckdb" in caught.value.next_move


def test_what_feast_raises_is_told_in_one_sentence():
    def fail(table):
        raise KeyError("total\nand a long story")

    with pytest.raises(ServiceAnswerError, match="cannot join these features: ") as caught:
        fetch_features(Registry("/", answer=fail), ENTITIES, ["spending:total"])
    assert isinstance(caught.value.__cause__, KeyError)
