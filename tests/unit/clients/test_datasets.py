"""Datasets: what MLflow is told about the data of a run."""

import json

import pytest

from airfoil.clients.datasets import dataset_input
from airfoil.errors import ConfigurationError
from airfoil.records import DataRef

pytestmark = pytest.mark.unit


def test_a_reference_is_told_with_its_hash_and_size():
    row = dataset_input(
        "wine", DataRef(uri="s3://lake/wine", content_hash="sha256:" + "ab" * 32, rows=178), "training"
    )
    assert row["dataset"] == {
        "name": "wine",
        "digest": "ab" * 18,
        "source_type": "s3",
        "source": json.dumps({"uri": "s3://lake/wine"}),
        "profile": json.dumps({"num_rows": 178}),
    }
    assert {tag["key"]: tag["value"] for tag in row["tags"]} == {
        "mlflow.data.context": "training",
        "airfoil.content_hash": "sha256:" + "ab" * 32,
    }


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        ("/data/a.parquet", "local"),
        ("file:///a", "local"),
        ("C:/a", "local"),
        ("gs://a/b", "gs"),
        ("https://a/b", "http"),
    ],
)
def test_the_kind_of_source_follows_from_the_address(uri, kind):
    dataset = dataset_input("wine", uri, "evaluation")["dataset"]
    assert dataset["source_type"] == kind
    assert uri in dataset["source"]
    assert 0 < len(dataset["digest"]) <= 36


@pytest.mark.parametrize("ref", [None, "", 7, object(), {"uri": "a"}])
def test_what_is_no_reference_says_how_to_get_one(ref):
    with pytest.raises(ConfigurationError, match="DataRef") as caught:
        dataset_input("wine", ref, "training")
    assert "work.write" in caught.value.next_move


@pytest.mark.parametrize("name", ["", "x" * 501])
def test_a_dataset_needs_a_name(name):
    with pytest.raises(ConfigurationError, match="name"):
        dataset_input(name, "/a", "training")
