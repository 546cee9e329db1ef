"""Training sets of a real Feast repository: as its duckdb store makes them, with the rows that its dask store loses."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airfoil.clients.training_sets import fetch_features, resolve_features
from airfoil.errors import ServiceAnswerError
from airfoil.steps.scans import Scan
from airfoil.steps.training_sets import FeatureTable, join_features

pytestmark = [
    pytest.mark.integration,
    # Feast, dask and ibis use what pandas and DuckDB have deprecated.
    pytest.mark.filterwarnings("ignore"),
]
START = datetime(2026, 1, 1, tzinfo=UTC)
REFERENCES = ["spending:total", "spending:city", "weather:rain"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two views with ties, nulls and future rows; no two rows of a key are equal in both moments."""
    place, make = tmp_path_factory.mktemp("features"), random.Random(3)  # noqa: S311 - made-up rows, no secrets
    written = list(range(4000))
    make.shuffle(written)
    spending = {
        "cid": [make.randrange(60) for _ in written],
        "shop": [make.choice("ab") for _ in written],
        "at": [START + timedelta(minutes=make.randrange(300)) for _ in written],
        "written": [START + timedelta(seconds=one) for one in written],
        "t": [make.choice([None, make.random()]) for _ in written],
        "city": [make.choice([None, "Ulm", "Bonn"]) for _ in written],
    }
    pq.write_table(pa.table(spending), place / "spending.parquet")
    weather = {
        "shop": ["a", "b"] * 40,
        "at": [START + timedelta(minutes=7 * number) for number in range(80)],
        "rain": [make.random() for _ in range(80)],
    }
    pq.write_table(pa.table(weather), place / "weather.parquet")
    return place


def store_in(folder, kind):
    from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
    from feast.types import Float64, Int64, String

    config = RepoConfig(
        project="shop",
        provider="local",
        registry=str(folder / f"{kind}.db"),
        offline_store={"type": kind},
        online_store={"type": "sqlite", "path": str(folder / "online.db")},
        entity_key_serialization_version=3,
    )
    store = FeatureStore(config=config)
    customer = Entity(name="customer", join_keys=["customer"], value_type=ValueType.INT64)
    shop = Entity(name="shop", join_keys=["shop"], value_type=ValueType.STRING)
    spending = FileSource(
        path=str(folder / "spending.parquet"),
        timestamp_field="at",
        created_timestamp_column="written",
        field_mapping={"t": "total", "cid": "customer"},
    )
    weather = FileSource(path=str(folder / "weather.parquet"), timestamp_field="at")
    store.apply(
        [
            customer,
            shop,
            FeatureView(
                name="spending",
                source=spending,
                entities=[customer, shop],
                ttl=timedelta(minutes=45),
                schema=[
                    Field(name="customer", dtype=Int64),
                    Field(name="shop", dtype=String),
                    Field(name="total", dtype=Float64),
                    Field(name="city", dtype=String),
                ],
            ),
            FeatureView(
                name="weather",
                source=weather,
                entities=[shop],
                ttl=timedelta(0),
                schema=[Field(name="shop", dtype=String), Field(name="rain", dtype=Float64)],
            ),
        ]
    )
    return store


@pytest.fixture(scope="module")
def entities():
    make = random.Random(4)  # noqa: S311 - made-up rows, no secrets
    rows = [
        (make.randrange(70), make.choice("abc"), START + timedelta(minutes=make.randrange(-20, 320)), number)
        for number in range(2000)
    ]
    rows += rows[:50]
    names = ("customer", "shop", "event_timestamp", "label")
    table = pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
    return table.cast(table.schema.set(2, pa.field("event_timestamp", pa.timestamp("us", "UTC"))))


def joined(store, entities, *, known_by_then=False):
    plan = resolve_features(store, REFERENCES)
    tables = [
        FeatureTable.of(one, Scan.of_parquet([Path(urlsplit(uri).path) for uri in one.uris]))
        for one in plan.sources
    ]
    return join_features(Scan.of_table(entities), tables, known_by_then=known_by_then).read_all()


@pytest.mark.parametrize("known_by_then", [False, True])
def test_our_training_set_is_that_of_feasts_duckdb_store(folder, entities, known_by_then):
    store = store_in(folder, "duckdb")
    ours = pl.DataFrame(joined(store, entities, known_by_then=known_by_then))
    theirs = pl.DataFrame(fetch_features(store, entities, REFERENCES, known_by_then=known_by_then))
    assert ours["label"].to_list() == entities["label"].to_pylist()
    for feature in ("total", "city", "rain"):
        assert ours[feature].to_list() == theirs[feature].to_list()
        assert 0 < ours[feature].null_count() < len(ours)


def test_rows_that_feasts_default_store_loses_are_noticed(folder, entities):
    with pytest.raises(ServiceAnswerError, match=r"dask offline store made .+ rows of 2050"):
        fetch_features(store_in(folder, "dask"), entities, REFERENCES)
    assert joined(store_in(folder, "dask"), entities).num_rows == 2050
