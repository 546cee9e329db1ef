"""Files are fetched once, whole, and gone on with where they broke off."""

from __future__ import annotations

import fcntl
import json
import os
import time
from dataclasses import replace

import httpx
import pytest

from airfoil.clients.kept_files import FileKeeper
from airfoil.errors import (
    ConfigurationError,
    NotFoundError,
    ServiceAnswerError,
    ServiceRefusedError,
    ServiceUnreachableError,
    TableError,
)

pytestmark = pytest.mark.unit

URL = "https://data.example/trips/yellow_2024-01.parquet?token=secret"


class Server:
    """One file with an ETag, and what it was asked."""

    def __init__(self, content=b"PAR1" + bytes(range(200)) + b"PAR1"):
        self.content, self.etag, self.breaks_at, self.asked = content, '"one"', [], []
        self.answers = []

    def __call__(self, request):
        self.asked.append(dict(request.headers))
        if self.answers:
            return self.answers.pop(0)
        if request.headers.get("if-none-match") == self.etag:
            return httpx.Response(304)
        begin, headers, status = 0, {"etag": self.etag}, 200
        if "range" in request.headers and request.headers.get("if-range") == self.etag:
            begin, status = int(request.headers["range"].removeprefix("bytes=").rstrip("-")), 206
            headers["content-range"] = f"bytes {begin}-{len(self.content) - 1}/{len(self.content)}"
        headers["content-length"] = str(len(self.content) - begin)
        return httpx.Response(status, headers=headers, stream=Stream(self._sent(begin)))

    def _sent(self, begin):
        stops = self.breaks_at.pop(0) if self.breaks_at else len(self.content)
        yield self.content[begin:stops]
        if stops < len(self.content):
            raise httpx.ReadError("connection reset")


class Stream(httpx.SyncByteStream):
    def __init__(self, parts):
        self.parts = parts

    def __iter__(self):
        return self.parts


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def keeper(tmp_path, server, pauses):
    return FileKeeper(tmp_path, pause=pauses.append, transport=httpx.MockTransport(server))


def broken_off(keeper, server, at=60):
    """Fetch the first bytes and give up."""
    server.breaks_at = [at]
    with pytest.raises(ServiceUnreachableError):
        FileKeeper(keeper.folder, tries=1, transport=keeper.transport).fetch(URL, "trips")


def part(content, begin, end, **headers):
    sent = {"content-range": f"bytes {begin}-{end - 1}/{len(content)}"} | headers
    return httpx.Response(206, headers=sent, stream=Stream(iter([content[begin:end]])))


def test_a_file_is_fetched_once_and_then_asked_whether_it_changed(keeper, server):
    first, second = (keeper.fetch(URL, "trips") for _ in range(2))
    assert first.path.read_bytes() == server.content
    assert first.path.name.endswith("yellow_2024-01.parquet")
    assert (first.mark, first.is_new, second.is_new) == ('"one"', True, False)
    assert second.path == first.path
    assert "range" not in server.asked[1]
    server.etag, server.content = '"two"', b"PAR1 anew"
    third = keeper.fetch(URL, "trips")
    assert (third.is_new, third.mark, third.path.read_bytes()) == (True, '"two"', b"PAR1 anew")


def test_a_broken_connection_goes_on_where_it_broke(keeper, server, pauses):
    server.breaks_at = [50, 120]
    assert keeper.fetch(URL, "trips").path.read_bytes() == server.content
    assert [one.get("range") for one in server.asked] == [None, "bytes=50-", "bytes=120-"]
    assert pauses == [1.0, 2.0]


def test_what_an_earlier_task_fetched_is_not_fetched_again(keeper, server, tmp_path):
    server.breaks_at = [60] * 5
    with pytest.raises(ServiceUnreachableError, match="stopped in the middle"):
        keeper.fetch(URL, "trips")
    server.asked.clear()
    assert (
        FileKeeper(tmp_path, transport=keeper.transport).fetch(URL, "trips").path.read_bytes()
        == server.content
    )
    assert server.asked[0]["range"] == "bytes=60-"


def test_a_file_that_changed_in_between_is_fetched_anew(keeper, server):
    server.breaks_at = [60] * 5
    with pytest.raises(ServiceUnreachableError):
        keeper.fetch(URL, "trips")
    server.content, server.etag = b"PAR1 another one PAR1", '"two"'
    assert keeper.fetch(URL, "trips").path.read_bytes() == server.content


def test_a_weak_etag_is_not_trusted_for_the_rest(keeper, server):
    server.etag = 'W/"one"'
    server.breaks_at = [60]
    assert keeper.fetch(URL, "trips").path.read_bytes() == server.content
    assert "range" not in server.asked[1]


def test_a_damaged_copy_counts_as_none(keeper, server):
    kept = keeper.fetch(URL, "trips").path
    kept.write_bytes(b"PAR1")
    assert keeper.fetch(URL, "trips").path.read_bytes() == server.content


def test_a_fault_of_the_server_is_waited_for(keeper, server, pauses):
    server.answers = [httpx.Response(500), httpx.Response(503)]
    assert keeper.fetch(URL, "trips").is_new
    assert pauses == [1.0, 2.0]


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (httpx.Response(404), NotFoundError, "404"),
        (httpx.Response(403), ServiceRefusedError, "403"),
        (httpx.Response(200, html="<p>sorry</p>"), TableError, "a web page"),
        (httpx.Response(302, headers={"location": URL}), ConfigurationError, "sends us on more than"),
        (httpx.Response(200, headers={"content-length": str(9 << 30)}), TableError, "more than 8192 MiB"),
    ],
)
def test_what_is_no_file_is_told_at_once(keeper, server, pauses, tmp_path, answer, kind, message):
    server.answers = [answer] * 12
    with pytest.raises(kind, match=message):
        keeper.fetch(URL, "trips")
    assert pauses == []
    assert not list(tmp_path.rglob("file-*"))


def test_a_body_that_is_packed_unasked_is_not_unpacked(keeper, server, pauses):
    bomb = httpx.Response(
        200, headers={"content-encoding": "gzip"}, stream=Stream(iter([b"\x1f\x8b" + b"0" * 50]))
    )
    server.answers = [bomb]
    with pytest.raises(ServiceAnswerError, match="packs what it sends"):
        keeper.fetch(URL, "trips")
    assert server.asked[0]["accept-encoding"] == "identity"
    assert pauses == []


def test_a_header_that_opens_one_server_is_not_told_to_the_next(keeper, server):
    server.answers = [httpx.Response(302, headers={"location": "https://mirror.example/trips.parquet"})]
    kept = keeper.fetch(URL, "trips", {"X-Api-Key": "secret"})
    assert kept.path.read_bytes() == server.content
    assert ["x-api-key" in one for one in server.asked] == [True, False]
    assert server.asked[1]["accept-encoding"] == "identity"


def test_an_endless_body_ends_at_the_limit(tmp_path):
    def endless():
        while True:
            yield b"0" * 1000

    keeper = FileKeeper(
        tmp_path,
        most_bytes=50_000,
        transport=httpx.MockTransport(lambda _: httpx.Response(200, stream=Stream(endless()))),
    )
    with pytest.raises(TableError, match="more than is fetched"):
        keeper.fetch(URL, "trips")


def test_a_server_that_forgets_a_part_is_asked_for_all(keeper, server):
    broken_off(keeper, server)
    server.answers = [httpx.Response(416)]
    assert keeper.fetch(URL, "trips").path.read_bytes() == server.content


def test_a_server_that_goes_on_with_another_version_is_not_believed(keeper, server, pauses):
    broken_off(keeper, server)
    server.content, server.etag = b"PAR1" + b"2" * 200 + b"PAR1", '"two"'
    server.answers = [part(server.content, 60, 208, etag='"two"')]
    assert keeper.fetch(URL, "trips").path.read_bytes() == server.content
    assert pauses == [1.0]


def test_a_server_that_sends_less_than_the_rest_is_asked_on(keeper, server, pauses):
    broken_off(keeper, server)
    server.answers = [part(server.content, 60, 100, etag=server.etag)]
    assert keeper.fetch(URL, "trips").path.read_bytes() == server.content
    assert server.asked[-1]["range"] == "bytes=100-"


def test_a_rest_need_not_say_again_which_file_it_is(keeper, server):
    broken_off(keeper, server)
    server.answers = [part(server.content, 60, 208)]
    assert keeper.fetch(URL, "trips").mark == '"one"'
    assert not keeper.fetch(URL, "trips").is_new


def test_marks_that_are_damaged_are_forgotten(keeper, server, tmp_path):
    keeper.fetch(URL, "trips")
    for path in tmp_path.rglob("kept.json"):
        path.write_text("{")
    assert keeper.fetch(URL, "trips").is_new


def test_no_secret_is_written_beside_the_file(keeper, tmp_path):
    keeper.fetch(URL, "trips")
    texts = [path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file()]
    assert not any("secret" in text for text in texts)
    (marks,) = tmp_path.rglob("kept.json")
    assert json.loads(marks.read_text())["etag"] == '"one"'


DAY = 86_400.0
NOW = time.time()


def month(number):
    return f"https://data.example/trips/{number}.parquet"


def asked(folder, number, days_ago):
    """Have a month that was asked for some days ago."""
    (found,) = [path for path in folder.glob("*/address") if path.read_text() == month(number)]
    os.utime(found, (NOW - days_ago * DAY,) * 2)
    return found.parent


@pytest.fixture
def months(keeper):
    """A keeper of two addresses, and the folders of months 1 to 4, asked for 40, 30, 20 and 10 days ago."""
    for number in range(1, 5):
        keeper.fetch(month(number), "trips")
    return replace(keeper, keep=2), [asked(keeper.folder, number, 50 - 10 * number) for number in range(1, 5)]


def holds(folder):
    return {path.name for path in folder.iterdir()} - {"lock", "address"} != set()


def test_addresses_that_others_were_asked_for_after_are_let_go_when_a_file_comes(months, server):
    keeper, folders = months
    keeper.fetch(month(1), "trips")
    asked(keeper.folder, 1, 0)
    assert all(map(holds, folders)), "nothing came"
    keeper.fetch(month(5), "trips")
    assert [holds(folder) for folder in folders] == [True, False, False, False]
    known = len(server.asked)
    assert keeper.fetch(month(3), "trips").is_new, "it is fetched again when somebody asks"
    assert "if-none-match" not in server.asked[known]


def test_what_was_asked_for_today_stays_however_many_there_are(months):
    keeper, folders = months
    for number in (2, 3):
        asked(keeper.folder, number, 0.9)
    for number in (5, 6):
        keeper.fetch(month(number), "trips")
    assert [holds(folder) for folder in folders] == [False, True, True, False]


def test_what_another_task_holds_and_what_is_not_ours_stays(months):
    keeper, folders = months
    mine = keeper.folder / "of somebody"
    mine.mkdir()
    (mine / "notes.txt").touch()
    with (folders[0] / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        keeper.fetch(month(5), "trips")
    assert [holds(folder) for folder in folders] == [True, False, False, True]
    assert holds(mine)


def test_an_address_that_is_none_is_told(tmp_path):
    with pytest.raises(NotFoundError, match="is none"):
        FileKeeper(tmp_path).fetch("https://x:port/t", "trips")
