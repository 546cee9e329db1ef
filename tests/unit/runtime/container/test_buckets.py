"""Buckets: made once, by whoever is first."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from airfoil.runtime.container import buckets

pytestmark = pytest.mark.unit


class Store:
    """A store of which it is known what it says to each bucket."""

    def __init__(self, there=(), refuses="", first=()):
        self.there = set(there)
        self.refuses = refuses
        self.first = set(first)
        self.made = []

    def head_bucket(self, Bucket):  # noqa: N803 - boto3's name
        if self.refuses:
            raise ClientError({"Error": {"Code": self.refuses}}, "HeadBucket")
        if Bucket not in self.there:
            raise ClientError({"Error": {"Code": "404"}}, "HeadBucket")

    def create_bucket(self, Bucket):  # noqa: N803 - boto3's name
        if Bucket in self.first:
            raise ClientError({"Error": {"Code": "BucketAlreadyOwnedByYou"}}, "CreateBucket")
        self.made.append(Bucket)


def test_what_is_missing_is_made():
    store = Store(there=["mlflow"])
    assert buckets.make(store, ["mlflow", "feast"]) == ["feast"]
    assert store.made == ["feast"]


def test_somebody_else_may_be_first():
    assert buckets.make(Store(first=["feast"]), ["feast"]) == []


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (ClientError({"Error": {"Code": "403"}}, "HeadBucket"), 78),
        (EndpointConnectionError(endpoint_url="http://s3:8333"), 75),
    ],
)
def test_a_store_that_refuses_or_is_away_ends_the_job(monkeypatch, capsys, failure, code):
    def fail(_client, _names):
        raise failure

    monkeypatch.setattr(buckets, "_client", Store)
    monkeypatch.setattr(buckets, "make", fail)
    with pytest.raises(SystemExit) as ended:
        buckets.main()
    assert ended.value.code == code
    assert capsys.readouterr().err.startswith("airfoil: the S3 store ")


def test_the_job_says_what_it_did(monkeypatch, capsys):
    monkeypatch.setattr(buckets, "_client", lambda: Store(there=["a"]))
    monkeypatch.setattr("sys.argv", ["buckets", "a", "b"])
    buckets.main()
    assert capsys.readouterr().out == "buckets made: b; there already: 1\n"


def test_the_client_asks_the_store_of_the_environment(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://s3:8333")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert buckets._client().meta.endpoint_url == "http://s3:8333"
