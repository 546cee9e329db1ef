"""A source is fetched when it is new, from a real server on this machine that misbehaves in every way we know."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import threading
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from airfoil.clients.crawled_bodies import CrawlLimits
from airfoil.clients.crawling import LATEST, USER_AGENT, Crawled, Crawler
from airfoil.errors import (
    ConfigurationError,
    NotFoundError,
    ServiceAnswerError,
    ServiceRefusedError,
    ServiceUnreachableError,
    StorageError,
)

pytestmark = pytest.mark.unit

IRIS = b"a,b\n1,2\n"
BOMB = gzip.compress(bytes(10**7))
NOW = datetime(2026, 11, 22, tzinfo=UTC)
LIMITS = CrawlLimits(most_bytes=100_000, silence_seconds=20)  # on a busy machine our own server is slow


class Site:
    """Answers each request by the next function of a list; the last one is repeated."""

    def __init__(self, url):
        self.url, self.answers, self.asked = url, [], []

    def says(self, *answers):
        self.answers = list(answers)

    def next(self):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def site():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            found.asked.append(dict(self.headers))
            with suppress(ConnectionError):  # the client has seen enough, which is what is tested
                found.next()(self)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found = Site(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


def answer(body=IRIS, status=200, **headers):
    given = {"Content-Type": "text/csv", "Content-Length": str(len(body))}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}

    def send(handler):
        handler.send_response(status)
        for name, value in given.items():
            if value is not None:
                handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return send


def endless(handler):
    handler.send_response(200)
    handler.send_header("Content-Type", "text/csv")
    handler.end_headers()
    for _ in itertools.count():
        handler.wfile.write(b"1,2\n" * 1000)


def endless_redirect(handler):
    handler.send_response(302)
    handler.send_header("Location", "/elsewhere.csv")
    handler.end_headers()
    for _ in itertools.count():
        handler.wfile.write(b"moved " * 1000)


def cut_short(handler):
    answer(IRIS, Content_Length="1000")(handler)


def silent(handler):
    threading.Event().wait(1)


def by_etag(handler):
    if handler.headers.get("If-None-Match") == '"one"':
        answer(b"", 304, Content_Length=None)(handler)
    else:
        answer(ETag='"one"')(handler)


def by_date(handler):
    changed = "Mon, 02 Nov 2026 10:00:00 GMT"
    if handler.headers.get("If-Modified-Since") == changed:
        answer(b"", 304, Content_Length=None)(handler)
    else:
        answer(Last_Modified=changed)(handler)


@pytest.fixture
def waits():
    return []


@pytest.fixture
def crawler(tmp_path, waits):
    return Crawler(tmp_path / "raw", LIMITS, now=lambda: NOW, pause=waits.append)


def left(crawler):
    """Every file below the folder."""
    return sorted(path.name for path in crawler.folder.rglob("*") if path.is_file())


def test_a_source_is_kept_as_a_version_with_its_hash(site, crawler):
    site.says(answer(ETag='"one"'))
    found = crawler.fetch(f"{site.url}/data/iris.csv?x=1", "iris")
    assert Path(found.path).read_bytes() == IRIS
    assert Path(found.path).suffix == ".csv"
    assert found.content_hash == f"sha256:{hashlib.sha256(IRIS).hexdigest()}"
    assert (found.is_new, found.size_bytes, found.content_type, found.etag) == (True, 8, "text/csv", '"one"')
    assert found.ref.uri == Path(found.path).as_uri()
    assert left(crawler) == sorted([Path(found.path).name, LATEST])


def test_who_asks_says_so(site, crawler):
    site.says(answer())
    crawler.fetch(f"{site.url}/iris.csv", "iris")
    assert site.asked[0]["User-Agent"] == USER_AGENT
    assert "+https://" in USER_AGENT


@pytest.mark.parametrize("server", [by_etag, by_date], ids=["etag", "date"])
def test_an_unchanged_source_costs_one_short_answer(server, site, crawler):
    site.says(server)
    first, second = (crawler.fetch(f"{site.url}/iris.csv", "iris") for _ in range(2))
    assert second == first.model_copy(update={"is_new": False})
    assert len(left(crawler)) == 2


def test_the_same_content_of_a_server_that_marks_nothing_is_not_new(site, crawler):
    site.says(answer())
    first, second = (crawler.fetch(f"{site.url}/iris.csv", "iris") for _ in range(2))
    assert (second.is_new, second.path) == (False, first.path)


def test_a_changed_source_is_another_version_beside_the_first(site, tmp_path):
    site.says(answer(ETag='"one"'), answer(b"a,b\n3,4\n", ETag='"two"'))
    crawler = Crawler(tmp_path, LIMITS, now=lambda: NOW)
    first, second = (crawler.fetch(f"{site.url}/iris.csv", "iris") for _ in range(2))
    assert second.is_new
    assert Path(first.path).read_bytes() == IRIS
    assert Path(second.path).read_bytes() == b"a,b\n3,4\n"
    assert Path(second.path).name.startswith("20261122T000000Z-")


@pytest.mark.parametrize("harm", ["remove", "cut", "scribble"])
def test_a_version_that_is_damaged_here_is_fetched_again(harm, site, crawler):
    site.says(by_etag)
    first = crawler.fetch(f"{site.url}/iris.csv", "iris")
    if harm == "remove":
        Path(first.path).unlink()
    elif harm == "cut":
        Path(first.path).write_bytes(b"a")
    else:
        (crawler.folder / "iris" / LATEST).write_text("{not json")
    assert crawler.fetch(f"{site.url}/iris.csv", "iris").is_new
    assert Path(first.path).read_bytes() == IRIS


def test_another_address_under_the_same_name_is_not_asked_with_old_marks(site, crawler):
    site.says(by_etag)
    crawler.fetch(f"{site.url}/iris.csv", "iris")
    crawler.fetch(f"{site.url}/other.csv", "iris")
    assert "If-None-Match" not in site.asked[1]


def test_a_server_that_recovers_is_asked_again_with_growing_pauses(site, crawler, waits):
    site.says(answer(status=500), answer(status=503), cut_short, answer())
    assert crawler.fetch(f"{site.url}/iris.csv", "iris").is_new
    assert waits == [1, 2, 4]
    assert len(left(crawler)) == 2


def test_a_server_that_says_how_long_is_given_that_long_within_reason(site, crawler, waits):
    odd = answer(status=503, Retry_After="\N{SUPERSCRIPT TWO}")
    site.says(answer(status=429, Retry_After="7"), answer(status=503, Retry_After="100000"), odd, answer())
    crawler.fetch(f"{site.url}/iris.csv", "iris")
    assert waits == [7, 60, 4]


def test_a_date_to_wait_for_is_understood(site, tmp_path, waits):
    site.says(answer(status=503, Retry_After="Sun, 22 Nov 2026 00:00:09 GMT"), answer())
    Crawler(tmp_path, LIMITS, pause=waits.append, now=lambda: NOW).fetch(f"{site.url}/iris.csv", "iris")
    assert waits == [9]


@pytest.mark.parametrize(
    ("answers", "kind", "sentence", "asked"),
    [
        ([answer(status=500)], ServiceAnswerError, "answered 500", 4),
        ([cut_short], ServiceUnreachableError, "stopped in the middle", 4),
        ([answer(status=404)], NotFoundError, "nothing there", 1),
        ([answer(status=403)], ServiceRefusedError, "does not let us in", 1),
        ([answer(status=418)], ServiceAnswerError, "answered 418", 1),
        ([answer(status=206)], ServiceAnswerError, "answered 206", 1),
        ([answer(b"", 302, Location="/again")], ConfigurationError, "sends us on more than 5 times", 6),
        ([answer(b"", 302, Location="file:///etc/passwd")], ConfigurationError, "leads from http to file", 1),
        ([endless], ConfigurationError, "does not end, and at most 100000 bytes are taken", 1),
        ([answer(Content_Length="99999999")], ConfigurationError, "has 95 MiB", 1),
        ([answer(b"<html>", Content_Type="text/html; charset=utf-8")], ConfigurationError, "a web page", 1),
        ([answer(b" <!DOCTYPE html><p>Sign in</p>")], ConfigurationError, "a web page", 1),
        ([answer(gzip.compress(b"<html>"), Content_Encoding="gzip")], ConfigurationError, "a web page", 1),
        ([answer(Content_Type="image/png")], ConfigurationError, "answered 'image/png', not data", 1),
        ([answer(BOMB, Content_Encoding="gzip")], ConfigurationError, "unpacks to more and more", 1),
        ([answer(BOMB)], ConfigurationError, "unpacks to more and more", 1),
        ([answer(gzip.compress(IRIS)[:-9], Content_Encoding="gzip")], ServiceAnswerError, "in the middle", 1),
        ([answer(IRIS, Content_Encoding="gzip")], ServiceAnswerError, "is damaged", 1),
        ([answer(IRIS, Content_Encoding="br")], ServiceAnswerError, "packs its answer as 'br'", 1),
    ],
)  # fmt: skip
def test_whatever_the_other_side_does_is_told_in_a_sentence_and_nothing_is_left(
    answers, kind, sentence, asked, site, crawler
):
    site.says(*answers)
    with pytest.raises(kind, match="iris") as caught:
        crawler.fetch(f"{site.url}/iris.csv", "iris")
    assert sentence in str(caught.value)
    assert caught.value.next_move
    assert len(site.asked) == asked
    assert left(crawler) == []


def test_a_server_that_is_silent_is_asked_again_and_then_told(site, tmp_path, waits):
    site.says(silent)
    impatient = Crawler(tmp_path, CrawlLimits(silence_seconds=0.5), pause=waits.append)
    with pytest.raises(ServiceUnreachableError, match="does not answer"):
        impatient.fetch(f"{site.url}/iris.csv", "iris")
    assert waits == [1, 2, 4]
    assert left(impatient) == []


def test_a_failure_leaves_the_version_before(site, crawler):
    site.says(answer(ETag='"one"'))
    first = crawler.fetch(f"{site.url}/iris.csv", "iris")
    before = left(crawler)
    site.says(endless)
    with pytest.raises(ConfigurationError):
        crawler.fetch(f"{site.url}/iris.csv", "iris")
    assert left(crawler) == before
    assert Crawled.from_json((crawler.folder / "iris" / LATEST).read_text()) == first


def test_an_answer_that_drips_for_ever_is_given_up(site, tmp_path):
    ticks = itertools.count()

    def drip(handler):
        handler.send_response(200)
        handler.end_headers()
        for _ in range(100_000):
            handler.wfile.write(b"1")

    site.says(drip)
    with pytest.raises(ServiceUnreachableError, match="sending for more than 2 s"):
        Crawler(tmp_path, CrawlLimits(whole_seconds=2), elapsed=lambda: float(next(ticks))).fetch(
            f"{site.url}/iris.csv", "iris"
        )


def test_a_redirect_is_followed(site, crawler):
    site.says(answer(b"", 302, Location="/elsewhere.csv"), answer())
    assert crawler.fetch(f"{site.url}/iris.csv", "iris").size_bytes == 8


def test_what_comes_with_a_redirect_is_not_read(site, crawler):
    site.says(endless_redirect, answer())
    assert crawler.fetch(f"{site.url}/iris.csv", "iris").size_bytes == 8


def test_who_asks_in_secret_is_not_led_into_the_open(tmp_path):
    asked = []

    def server(request):
        asked.append(str(request.url))
        return httpx.Response(302, headers={"Location": "http://other.test/2"})

    crawler = Crawler(tmp_path, LIMITS, transport=httpx.MockTransport(server))
    with pytest.raises(ConfigurationError, match="iris leads from https to http"):
        crawler.fetch("https://first.test/1", "iris")
    assert asked == ["https://first.test/1"]


def test_a_file_that_has_no_room_is_not_begun(site, tmp_path):
    site.says(answer(Content_Length=str(10**17)))
    with pytest.raises(StorageError, match="has room for"):
        Crawler(tmp_path, CrawlLimits(most_bytes=10**18)).fetch(f"{site.url}/iris.csv", "iris")


def test_what_is_packed_for_the_way_is_unpacked_and_a_packed_file_is_kept(site, crawler):
    packed = gzip.compress(IRIS)
    site.says(answer(packed, Content_Encoding="gzip"))
    unpacked = Path(crawler.fetch(f"{site.url}/iris.csv.gz", "iris").path)
    assert unpacked.read_bytes() == IRIS
    assert unpacked.suffixes == [".csv"]
    site.says(answer(packed, Content_Type="application/gzip"))
    kept = Path(crawler.fetch(f"{site.url}/iris.csv.gz", "packed").path)
    assert kept.read_bytes() == packed
    assert kept.name.endswith(".csv.gz")


def test_a_checksum_is_held_against_what_came(site, crawler):
    site.says(answer())
    right = hashlib.sha256(IRIS).hexdigest()
    with pytest.raises(ServiceAnswerError, match="has the checksum"):
        crawler.fetch(f"{site.url}/iris.csv", "iris", sha256="0" * 64)
    assert left(crawler) == []
    assert crawler.fetch(f"{site.url}/iris.csv", "iris", sha256=f"SHA256:{right.upper()}").is_new


def test_what_is_kept_does_not_pass_for_something_else(site, crawler):
    """An unchanged answer is not taken for a version with another checksum."""
    site.says(by_etag)
    crawler.fetch(f"{site.url}/iris.csv", "iris")
    with pytest.raises(ServiceAnswerError, match="has the checksum"):
        crawler.fetch(f"{site.url}/iris.csv", "iris", sha256="0" * 64)


def test_a_password_in_an_address_is_not_written_down(site, crawler):
    site.says(answer())
    found = crawler.fetch(f"{site.url.replace('http://', 'http://ana:secret@')}/iris.csv", "iris")
    assert "secret" not in found.model_dump_json()


@pytest.mark.parametrize(
    "url", ["", "iris.csv", "ftp://x/iris.csv", "file:///etc/passwd", "http://", "http://[::1"]
)
def test_what_is_no_web_address_is_refused(url, crawler):
    with pytest.raises(ConfigurationError, match="no address of a web server"):
        crawler.fetch(url, "iris")


@pytest.mark.parametrize("name", ["", "..", "a/b", "/etc", ".hidden"])
def test_a_name_stays_in_its_folder(name, crawler):
    with pytest.raises(ConfigurationError, match="no name for a source"):
        crawler.fetch("http://127.0.0.1:1/iris.csv", name)


def test_nobody_there_is_told(tmp_path, waits):
    with pytest.raises(ServiceUnreachableError, match="does not answer"):
        Crawler(tmp_path, LIMITS, pause=waits.append).fetch("http://127.0.0.1:1/iris.csv", "iris")
    assert len(waits) == 3


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "raw").write_text("a file")
    with pytest.raises(StorageError, match="cannot be written"):
        Crawler(tmp_path / "raw", LIMITS).fetch("http://127.0.0.1:1/iris.csv", "iris")
