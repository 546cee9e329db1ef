"""Something lies there, nothing does yet, or nobody can tell."""

from __future__ import annotations

import httpx
import pytest

from airfoil.clients import publication
from airfoil.clients.publication import Sighting, look_for
from airfoil.clients.table_sources import TableSource
from airfoil.errors import (
    ConfigurationError,
    NotFoundError,
    ServiceAnswerError,
    ServiceRefusedError,
    ServiceUnreachableError,
)

pytestmark = pytest.mark.unit

URL = "https://data.example/2024-01.parquet"


def seen(answer, **more):
    def answered(request):
        return answer(request) if callable(answer) else httpx.Response(answer)

    return look_for(TableSource(URL, **more), transport=httpx.MockTransport(answered))


@pytest.mark.parametrize(
    ("status", "found"), [(200, True), (206, True), (403, False), (404, False), (410, False)]
)
def test_a_server_says_that_it_has_it_or_not_yet(status, found):
    """Amazon's answer for a file that is not there is 403, and the city's files lie behind it."""
    assert seen(status).found is found
    assert found or str(status) in seen(status).said


@pytest.mark.parametrize(("status", "kind"), [(401, ServiceRefusedError), (500, ServiceAnswerError)])
def test_other_answers_do_not_tell(status, kind):
    with pytest.raises(kind, match=str(status)):
        seen(status)


def test_a_server_that_knows_no_head_is_asked_for_one_byte():
    asked = []

    def answer(request):
        asked.append((request.method, request.headers.get("range"), request.headers.get("authorization")))
        return httpx.Response(405 if request.method == "HEAD" else 206)

    assert seen(answer, headers={"Authorization": "Bearer x"}).found
    assert asked == [("HEAD", None, "Bearer x"), ("GET", "bytes=0-0", "Bearer x")]


def test_a_header_that_opens_one_server_is_not_told_to_the_next():
    asked = []

    def answer(request):
        asked.append((request.method, request.headers.get("x-api-key")))
        to = "https://mirror.example/2024-01.parquet"
        return (
            httpx.Response(200) if str(request.url) == to else httpx.Response(302, headers={"location": to})
        )

    assert seen(answer, headers={"X-Api-Key": "secret"}).found
    assert asked == [("HEAD", "secret"), ("HEAD", None)]


def test_a_server_that_leads_nowhere_is_not_waited_for():
    with pytest.raises(ConfigurationError, match="sends us on more than"):
        seen(lambda _: httpx.Response(302, headers={"location": URL}))


def test_a_server_that_is_away_is_told():
    def answer(request):
        raise httpx.ConnectError("refused")

    with pytest.raises(ServiceUnreachableError, match="does not answer: refused"):
        seen(answer)
    with pytest.raises(NotFoundError, match="is none"):
        look_for(TableSource("https://x:port/t"))


def test_local_files_are_there_or_not(tmp_path):
    path = tmp_path / "2024-01.parquet"
    assert look_for(TableSource(str(path))) == Sighting(found=False, said="nothing lies there")
    path.write_bytes(b"PAR1")
    assert look_for(TableSource(str(path))).found
    assert look_for(TableSource(path.as_uri())).found
    assert look_for(TableSource(str(tmp_path))).found


def test_a_store_is_asked(monkeypatch):
    asked = []
    monkeypatch.setattr(publication, "lies_on_s3", lambda *given: asked.append(given) or len(asked) > 1)
    source = TableSource("s3://lake/trips/2024-01.parquet")
    assert [look_for(source).found for _ in range(2)] == [False, True]
    assert asked[0][:2] == ("lake/trips/2024-01.parquet", "2024-01.parquet")


def test_a_database_is_not_asked():
    assert look_for(TableSource("sqlite:///x.db", query="trips")).found
