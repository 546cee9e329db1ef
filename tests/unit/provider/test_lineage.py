"""What OpenLineage is told. Its own package is not in the lock, so a stand-in with the same names takes its place."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace

import pytest

from airfoil.clients.table_sources import TableSource
from airfoil.provider.lineage import Claim, Lineage, Place, openlineage

pytestmark = pytest.mark.unit


@dataclass
class Event:
    namespace: str
    name: str
    inputFacets: dict = field(default_factory=dict)  # noqa: N815 - OpenLineage's name


@pytest.fixture
def installed(monkeypatch):
    """The modules that Airflow's OpenLineage provider brings, as far as they are used."""
    parts = {
        "airflow.providers.openlineage.extractors": {"OperatorLineage": SimpleNamespace},
        "openlineage.client.event_v2": {"InputDataset": Event, "OutputDataset": Event},
        "openlineage.client.generated.data_quality_assertions_dataset": {
            "Assertion": SimpleNamespace,
            "DataQualityAssertionsDatasetFacet": SimpleNamespace,
        },
    }
    for name, members in parts.items():
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)


@pytest.mark.parametrize(
    ("source", "place"),
    [
        (TableSource("/data/t.csv"), Place("file", "/data/t.csv")),
        (TableSource("file:///data/a%20b.csv"), Place("file", "/data/a b.csv")),
        (TableSource("s3a://lake/trips/"), Place("s3://lake", "trips")),
        (TableSource("https://u:p@host:8/a/b.csv?token=x"), Place("https://host:8", "a/b.csv")),
        (
            TableSource("postgresql+psycopg://u:p@db/shop", query="public.orders"),
            Place("postgres://db:5432", "shop.public.orders"),
        ),
        (TableSource("mssql://db:1/shop", query="orders"), Place("mssql://db:1", "shop.orders")),
        (TableSource("sqlite:////data/shop.db", query="orders"), Place("sqlite", "data/shop.db.orders")),
    ],
)
def test_a_table_is_named_by_the_rules_and_without_a_login(source, place):
    assert Place.of(source) == place


def test_what_was_read_and_what_holds_of_it_is_told(installed):
    seen = Lineage(
        [Place("file", "/t"), Place("file", "/reference")],
        [Claim("range", holds=False, column="fare"), Claim("rows", holds=True)],
        [Place.of_dataset("trips")],
    )
    told = openlineage(seen)
    first, second = told.inputs
    assert (first.name, second.name, second.inputFacets) == ("/t", "/reference", {})
    claims = first.inputFacets["dataQualityAssertions"].assertions
    assert [vars(one) for one in claims] == [
        {"assertion": "range", "success": False, "column": "fare"},
        {"assertion": "rows", "success": True, "column": None},
    ]
    assert (told.outputs[0].namespace, told.outputs[0].name) == ("airfoil", "dataset/trips")


def test_without_the_provider_or_without_anything_seen_there_is_none(monkeypatch, installed):
    assert openlineage(None) is None
    assert openlineage(Lineage([Place("file", "/t")])).inputs[0].inputFacets == {}
    monkeypatch.setitem(sys.modules, "openlineage.client.event_v2", None)
    assert openlineage(Lineage([Place("file", "/t")])) is None
