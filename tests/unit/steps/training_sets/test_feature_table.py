"""What a feature table is called and how its names are read."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pytest

from airfoil.records import FeatureSource
from airfoil.steps.scans import Scan
from airfoil.steps.training_sets import FeatureTable

pytestmark = pytest.mark.unit
SCAN = Scan.of_table(pa.table({"id": [1], "at": pa.nulls(1, pa.timestamp("us")), "value": [1.0]}), "facts")


def test_a_list_of_names_means_the_same_on_both_sides():
    table = FeatureTable(SCAN, "at", ["value"], ["id"])
    assert table == FeatureTable(SCAN, "at", {"value": "value"}, {"id": "id"}, name="facts")
    assert table.ttl is None


def test_a_table_of_a_feature_store_brings_its_names_and_its_ttl():
    source = FeatureSource(
        name="view",
        uris=("file:///facts.parquet",),
        timestamp="at",
        keys={"customer": "id"},
        features={"view__spent": "value"},
        ttl_seconds=90,
    )
    table = FeatureTable.of(FeatureSource.from_json(source.to_json()), SCAN)
    assert table.key_columns == {"customer": "id"}
    assert table.feature_columns == {"view__spent": "value"}
    assert (table.name, table.ttl, table.created) == ("view", timedelta(seconds=90), "")
