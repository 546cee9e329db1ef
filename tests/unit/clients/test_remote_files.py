"""Files of other machines arrive whole, or with one sentence."""

from __future__ import annotations

import shutil
from collections import namedtuple

import httpx
import pytest
from pyarrow.fs import LocalFileSystem

from airfoil.clients.remote_files import S3Access, copy_files, fetch_http, fetch_s3, lies_on_s3
from airfoil.errors import (
    NotFoundError,
    ServiceAnswerError,
    ServiceRefusedError,
    ServiceUnreachableError,
    StorageError,
)

pytestmark = pytest.mark.unit


def served(answer):
    return httpx.MockTransport(answer if callable(answer) else lambda _: answer)


def test_what_lies_at_an_address_is_copied_with_the_headers_that_open_it(tmp_path):
    def answer(request):
        assert request.headers["authorization"] == "Bearer x"
        return httpx.Response(200, content=b"a,b\n1,2\n")

    url = "https://data.example/some%20trips.csv?token=secret"
    path = fetch_http(url, tmp_path, "trips", {"authorization": "Bearer x"}, transport=served(answer))
    assert path == tmp_path / "some trips.csv"
    assert path.read_bytes() == b"a,b\n1,2\n"


def test_a_header_that_opens_one_server_is_not_told_to_the_next(tmp_path):
    asked = []

    def answer(request):
        asked.append(request.headers.get("x-api-key"))
        if request.url.host == "mirror.example":
            return httpx.Response(200, content=b"a,b\n")
        return httpx.Response(307, headers={"location": "https://mirror.example/trips.csv"})

    path = fetch_http("https://x/t.csv", tmp_path, "trips", {"X-Api-Key": "y"}, transport=served(answer))
    assert (path.name, path.read_bytes(), asked) == ("t.csv", b"a,b\n", ["y", None])


@pytest.mark.parametrize(
    ("status", "kind"),
    [(403, ServiceRefusedError), (404, NotFoundError), (503, ServiceAnswerError)],
)
def test_an_answer_that_is_no_file_is_told(tmp_path, status, kind):
    with pytest.raises(kind, match=f"trips.*{status}"):
        fetch_http("https://x/t.csv", tmp_path, "trips", transport=served(httpx.Response(status)))


def test_a_server_that_stops_in_the_middle_is_told(tmp_path):
    def broken():
        yield b"PAR1"
        raise httpx.RemoteProtocolError("peer closed connection")

    with pytest.raises(ServiceUnreachableError, match="stopped in the middle: peer closed"):
        fetch_http(
            "https://x/t",
            tmp_path,
            "trips",
            transport=served(lambda _: httpx.Response(200, content=broken())),
        )


def test_a_file_that_does_not_fit_is_not_begun(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")  # noqa: PYI024 - as shutil has it
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, 3))
    with pytest.raises(StorageError, match="trips has 0 MiB, and the disk of"):
        fetch_http("https://x/t", tmp_path, "trips", transport=served(httpx.Response(200, content=b"four")))


def test_objects_below_a_prefix_or_of_a_pattern_are_copied_in_order(tmp_path):
    store, work = tmp_path / "bucket", tmp_path / "work"
    work.mkdir()
    for name in ("trips/b.csv", "trips/a.csv", "trips/_tmp/c.csv", "trips/readme.md", "one"):
        (store / name).parent.mkdir(parents=True, exist_ok=True)
        (store / name).write_text(name)

    def copied(path):
        return [one.name for one in copy_files(LocalFileSystem(), str(store / path), work, "trips")]

    assert copied("trips/") == ["000000-a.csv", "000001-b.csv"]
    assert copied("trips/*.csv")[0] == "000000-_tmp/c.csv".replace("_tmp/", "") or copied("trips/[ab].csv")
    assert copied("trips/[ab].csv") == ["000000-a.csv", "000001-b.csv"]
    assert copied("one") == ["000000-one"]
    with pytest.raises(NotFoundError, match="There is no table trips"):
        copied("gone")


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("AWS Error ACCESS_DENIED during HeadObject operation", ServiceRefusedError),
        ("AWS Error NO_SUCH_BUCKET during ListObjectsV2", NotFoundError),
        ("AWS Error NETWORK_CONNECTION: curlCode: 7", ServiceUnreachableError),
        ("AWS Error UNKNOWN", ServiceAnswerError),
    ],
)
def test_what_the_store_refuses_is_told(tmp_path, said, kind):
    class Refusing:
        def get_file_info(self, _):
            raise OSError(said)

    with pytest.raises(kind, match="trips"):
        copy_files(Refusing(), "bucket/key", tmp_path, "trips")


def test_a_store_that_nobody_runs_is_told_and_the_secret_is_not(tmp_path):
    access = S3Access(key="k", secret="hidden", endpoint="http://127.0.0.1:1")
    with pytest.raises(ServiceUnreachableError, match="does not answer") as caught:
        fetch_s3("bucket/key", tmp_path, "trips", access)
    assert "hidden" not in caught.value.in_full


def test_a_bucket_that_is_not_there_has_nothing_and_other_faults_are_told(monkeypatch):
    def listed(error):
        def fail(*_):
            raise error

        monkeypatch.setattr("airfoil.clients.remote_files._listed", fail)
        return lies_on_s3("lake/trips.parquet", "trips", S3Access(region="us-east-1", anonymous=True))

    assert listed(OSError("AWS Error NO_SUCH_BUCKET: no such bucket")) is False
    with pytest.raises(ServiceRefusedError, match="does not let us in"):
        listed(OSError("AWS Error ACCESS_DENIED"))
    monkeypatch.setattr("airfoil.clients.remote_files._listed", lambda *_: ["one"])
    assert lies_on_s3("lake/trips.parquet", "trips", S3Access(region="us-east-1", anonymous=True)) is True
