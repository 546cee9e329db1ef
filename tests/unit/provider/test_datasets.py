"""Datasets as assets: what they are called, and that Airflow takes them."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization

from airfoil.errors import ConfigurationError
from airfoil.provider.datasets import Dataset, check_uri, uri_of

pytestmark = pytest.mark.unit


def test_a_dataset_is_known_by_its_name_or_lies_somewhere_for_good():
    trips = Dataset("trips")
    assert (trips.name, trips.uri, trips.group, trips.has_place) == (
        "trips",
        "airfoil://dataset/trips",
        "dataset",
        False,
    )
    lake = Dataset("trips", "s3://lake/trips")
    assert (lake.uri, lake.has_place) == ("s3://lake/trips", True)
    assert Dataset("trips") == trips != lake
    assert uri_of("a b/ü") == "airfoil://dataset/a%20b%2F%C3%BC"


@pytest.mark.parametrize("name", ["", "  ", " trips"])
def test_a_name_is_one(name):
    with pytest.raises(ConfigurationError, match="no name of a dataset"):
        Dataset(name)


def test_an_address_of_ours_is_checked():
    parts = urlsplit("airfoil://dataset/trips")
    assert check_uri(parts) == parts
    for wrong in ("airfoil://model/x", "airfoil://dataset/", "airfoil://dataset/a/b"):
        with pytest.raises(ValueError, match="is no dataset"):
            check_uri(urlsplit(wrong))


def test_a_dag_that_waits_for_a_dataset_survives_serialization():
    dag = DAG("after", schedule=[Dataset("trips")])
    back = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))
    assert "airfoil://dataset/trips" in json.dumps(DagSerialization.to_dict(back))
