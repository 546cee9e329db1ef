"""A bucket as a place, over a client that only pretends; a real store is an integration test."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from airfoil.clients.bucket import Bucket, Item, _Readable
from airfoil.errors import (
    ConfigurationError,
    NotFoundError,
    ServiceAnswerError,
    ServiceRefusedError,
    ServiceUnreachableError,
)

pytest.importorskip("boto3")
pytestmark = pytest.mark.unit
WHEN = datetime(2026, 11, 22, tzinfo=UTC)


class FakeClient:
    """As much of boto3's client as is used."""

    def __init__(self):
        self.files = {}
        self.in_parts = []
        self.error = None

    def _fail(self):
        if self.error is not None:
            raise self.error

    def get_paginator(self, name):
        assert name == "list_objects_v2"
        return self

    def paginate(self, **asked):
        self._fail()
        rows = [
            {"Key": key, "Size": len(content), "LastModified": WHEN}
            for key, content in sorted(self.files.items())
            if key.startswith(asked["Prefix"])
        ]
        yield {"Contents": rows[:1]}
        yield {"Contents": rows[1:]}
        yield {}

    def get_object(self, **asked):
        self._fail()
        if asked["Key"] not in self.files:
            raise refusal("NoSuchKey")
        return {"Body": io.BytesIO(self.files[asked["Key"]])}

    def upload_fileobj(self, content, bucket, key, **_):
        self._fail()
        assert not hasattr(content, "close"), "it is not boto3's to close"
        self.files[key] = content.read()
        self.in_parts.append(key)

    def put_object(self, **asked):
        self._fail()
        self.files[asked["Key"]] = asked["Body"]

    def delete_object(self, **asked):
        self.files.pop(asked["Key"], None)


def refusal(code):
    from botocore.exceptions import ClientError

    return ClientError({"Error": {"Code": code, "Message": "said"}}, "GetObject")


@pytest.fixture
def client():
    return FakeClient()


def test_names_are_below_the_prefix(client):
    bucket = Bucket("s3://shop/some folder/", {}, client=client)
    client.files = {"other": b"x", "some folder/a/": b""}
    bucket.put("a/b", io.BytesIO(b"content"))
    assert set(client.files) == {"other", "some folder/a/", "some folder/a/b"}
    assert list(bucket.items()) == [Item("a/b", 7, WHEN.timestamp())]
    assert list(bucket.items("c/")) == []
    with bucket.open("a/b") as stream:
        assert stream.read(3) == b"con"
    bucket.delete("a/b")
    bucket.delete("a/b")
    assert list(bucket.items()) == []
    with bucket.held():
        pass


class Trickle(io.BytesIO):
    """A stream that gives a few bytes at a time, as one from a network may."""

    def read(self, size=-1):
        return super().read(min(size, 7) if size > 0 else size)


@pytest.mark.parametrize("size", [0, 3, 9, 10, 11, 20, 64])
def test_large_and_small_files_arrive_whole(client, monkeypatch, size):
    monkeypatch.setattr("airfoil.clients.bucket._PARTS_OF_BYTES", 10)
    content = bytes(range(size))
    Bucket("s3://shop", {}, client=client).put("a", Trickle(content))
    assert client.files == {"a": content}
    assert client.in_parts == (["a"] if size >= 10 else [])


@pytest.mark.parametrize("size", [1, 4, 100, -1])
def test_what_was_read_ahead_is_read_once(size):
    stream = _Readable(b"abcdef", io.BytesIO(b"ghij"))
    found = b""
    while more := stream.read(size):
        found += more
    assert found == b"abcdefghij"


def test_a_whole_bucket_has_no_prefix(client):
    bucket = Bucket("s3://shop", {}, client=client)
    bucket.put("a", io.BytesIO(b""))
    assert client.files == {"a": b""}


def test_what_is_missing_is_told(client):
    with (
        pytest.raises(NotFoundError, match="There is no a in s3://shop"),
        Bucket("s3://shop", {}, client=client).open("a"),
    ):
        pass


@pytest.mark.parametrize(
    ("code", "kind", "sentence"),
    [
        ("NoSuchBucket", ConfigurationError, "There is no bucket shop"),
        ("AccessDenied", ServiceRefusedError, "does not let us in"),
        ("SlowDown", ServiceAnswerError, "answered SlowDown"),
    ],
)
def test_refusals_are_told_in_our_words(client, code, kind, sentence):
    client.error = refusal(code)
    with pytest.raises(kind, match=sentence):
        list(Bucket("s3://shop", {}, client=client).items())


def test_a_store_that_is_not_there_is_told(client):
    from botocore.exceptions import EndpointConnectionError

    client.error = EndpointConnectionError(endpoint_url="http://nowhere")
    with pytest.raises(ServiceUnreachableError, match="s3://shop cannot be used"):
        Bucket("s3://shop", {}, client=client).put("a", io.BytesIO(b""))


def test_the_keys_are_those_of_the_mapping_and_not_of_the_process(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of the process")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the process, too")
    own = {"AWS_ACCESS_KEY_ID": "own", "AWS_SECRET_ACCESS_KEY": "own, too"}
    client = Bucket("s3://bucket", own | {"MLFLOW_S3_ENDPOINT_URL": "http://127.0.0.1:1"})._client
    keys = client._request_signer._credentials
    assert (keys.access_key, keys.secret_key, keys.token) == ("own", "own, too", None)
    assert client.meta.endpoint_url == "http://127.0.0.1:1"
    usual = Bucket("s3://bucket", {})._client
    assert usual._request_signer._credentials.access_key == "of the process"
