"""Artifacts in a real S3 store: `artifacts = "s3://..."` is all there is to set."""

from __future__ import annotations

import json

import pytest
from tests.system import leaks
from tests.system.platforms import fetch

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def on_s3(make_platform, object_store):
    """A platform that keeps artifacts in a new bucket; the keys of the store come by environment."""
    bucket = object_store.new_bucket()
    place = {"mlflow": {"artifacts": f"s3://{bucket}/some folder"}}
    platform = make_platform(place, template="training", environment=object_store.environment)
    print(f"up with S3 in {platform.up().seconds:.1f} s")
    return platform, bucket


def test_a_trained_model_lands_in_the_bucket_and_nowhere_else(on_s3, object_store):
    platform, bucket = on_s3
    done = platform.run("run", "example_dag", "--json")
    assert done.code == 0, f"{done.said}\n{platform.last_words()}"
    print(f"example_dag: {json.loads(done.out)['seconds']:.1f} s")
    keys = object_store.keys(bucket)
    print(keys)
    assert {key.split("/")[0] for key in keys} == {"some folder"}
    assert any(key.endswith("/MLmodel") for key in keys)
    assert any(key.endswith("confusion.png") for key in keys)
    assert [path for path in platform.project.artifacts.rglob("*") if path.is_file()] == []


def test_the_model_can_be_read_back_through_the_server(on_s3, object_store):
    platform, bucket = on_s3
    key = next(key for key in object_store.keys(bucket) if key.endswith("/MLmodel"))
    path = key.removeprefix("some folder/")
    answer = fetch(f"{platform.url('mlflow')}/api/2.0/mlflow-artifacts/artifacts/{path}")
    assert answer.status == 200
    assert "flavors:" in answer.body


def test_the_keys_of_the_store_are_not_told(on_s3, object_store):
    platform, _ = on_s3
    assert leaks.everywhere(platform, {**leaks.generated(platform)}) == []
    assert leaks.in_command_lines(platform, {"secret key": object_store.secret}) == []
