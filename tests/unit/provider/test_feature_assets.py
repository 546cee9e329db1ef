"""Feature views as assets: addresses, equality, a place in a schedule, and events of tasks that bring them online."""

from __future__ import annotations

import json
import sys
from types import ModuleType, SimpleNamespace
from urllib.parse import urlsplit

import pytest
from airflow.sdk import DAG, Asset
from airflow.serialization.serialized_objects import DagSerialization

from airfoil.errors import ConfigurationError
from airfoil.provider.feature_assets import BROUGHT_ONLINE, FeatureView, announce, check_uri, lineage_dataset

pytestmark = pytest.mark.unit


def test_a_view_is_an_asset_with_an_address():
    asset = FeatureView("spending")
    assert isinstance(asset, Asset)
    assert (asset.name, asset.uri, asset.group) == (
        "feature view spending",
        "feast://view/spending",
        "feature view",
    )
    assert FeatureView("spending and more").uri == "feast://view/spending%20and%20more"


def test_equal_views_are_one_asset():
    assert {FeatureView("spending"), FeatureView("spending")} == {FeatureView("spending")}
    assert FeatureView("spending") != FeatureView("visits")
    assert FeatureView("spending") != "spending"


@pytest.mark.parametrize("name", ["", " ", "a/b"])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(ConfigurationError, match="is no name of a feature view"):
        FeatureView(name)


@pytest.mark.parametrize(
    "uri", ["feast://view", "feast://view/", "feast://model/x", "feast://view/a/b", "feast://view/a?b=1"]
)
def test_an_address_that_means_nothing_is_refused(uri):
    with pytest.raises(ValueError, match="feast://view/NAME"):
        check_uri(urlsplit(uri))
    assert check_uri(urlsplit("feast://view/spending")).path == "/spending"


def test_a_schedule_by_a_view_survives_serialization():
    with DAG("retrain", schedule=[FeatureView("spending")]) as dag:
        pass
    back = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))
    assert [asset.uri for _, asset in back.timetable.asset_condition.iter_assets()] == [
        "feast://view/spending"
    ]


class Event(SimpleNamespace):
    def add(self, asset, extra):
        self.added.append((asset.uri, extra))


def announced(outlets):
    events = {key: Event(extra={}, added=[]) for key in (FeatureView("spending"), BROUGHT_ONLINE)}
    announce({"outlet_events": events, "task": SimpleNamespace(outlets=outlets)}, "spending", {"rows": 3})
    return events[FeatureView("spending")].extra, events[BROUGHT_ONLINE].added


def test_an_event_says_what_was_brought_online():
    assert announced([FeatureView("spending")]) == ({"rows": 3}, [])
    assert announced([BROUGHT_ONLINE]) == ({}, [("feast://view/spending", {"rows": 3})])
    assert announced([]) == ({}, [])


def test_openlineage_is_told_of_a_dataset(monkeypatch):
    facet = ModuleType("facet")
    facet.Dataset = lambda namespace, name: (namespace, name)
    name = "airflow.providers.common.compat.openlineage"
    monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, f"{name}.facet", facet)
    assert lineage_dataset(FeatureView("my view"), None) == ("feast://view", "my view")
