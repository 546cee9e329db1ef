"""Bodies within limits: the same bytes come out, however they come in, until a limit says stop."""

import gzip
import itertools

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airfoil.clients.crawled_bodies import CrawlLimits, check_head, content_type, read_body
from airfoil.errors import AirfoilError, ConfigurationError, ServiceUnreachableError

pytestmark = pytest.mark.unit


def pieces_of(body, step):
    return (body[at : at + step] for at in range(0, len(body), step))


def read(body, step=1000, limits=None, elapsed=lambda: 0.0, **headers):
    given_headers = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = httpx.Response(200, headers=given_headers, content=pieces_of(body, step))
    return b"".join(read_body(answer, "rows", limits or CrawlLimits(), elapsed))


@given(st.binary(max_size=3000), st.integers(1, 700))
def test_a_body_in_pieces_of_any_size_is_the_same(body, step):
    body = b"x" + body  # neither a page nor packed
    assert read(body, step) == body
    assert read(gzip.compress(body), step, content_encoding="gzip") == body
    assert read(gzip.compress(body), step) == gzip.compress(body)


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 700))
def test_not_one_byte_more_than_the_limit_is_given(size, most, step):
    limits = CrawlLimits(most_bytes=most)
    if size <= most:
        assert len(read(b"x" * size, step, limits)) == size
        return
    taken = 0
    answer = httpx.Response(200, content=pieces_of(b"x" * size, step))
    with pytest.raises(ConfigurationError, match="does not end"):
        for piece in read_body(answer, "rows", limits, lambda: 0.0):
            taken += len(piece)
    assert taken <= most


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a byte order mark"])
@pytest.mark.parametrize("step", [1, 5, 1000])
def test_a_page_is_known_by_its_first_bytes_however_they_come(step, mark):
    page = mark + b"\n <HTML><body>Please sign in</body></html>" * 20
    with pytest.raises(ConfigurationError, match="a web page"):
        read(page, step)
    with pytest.raises(ConfigurationError, match="a web page"):
        read(gzip.compress(page), step, content_encoding="gzip")


def test_a_bomb_gives_no_more_than_the_limit():
    limits, given_bytes = CrawlLimits(most_bytes=1 << 20), 0
    answer = httpx.Response(
        200, headers={"content-encoding": "gzip"}, content=pieces_of(gzip.compress(bytes(50 << 20)), 999)
    )
    with pytest.raises(ConfigurationError, match="unpacks to more and more"):
        for piece in read_body(answer, "rows", limits, lambda: 0.0):
            given_bytes += len(piece)
    assert given_bytes <= 1 << 20


def test_time_is_looked_at_with_every_piece():
    ticks = itertools.count()
    with pytest.raises(ServiceUnreachableError, match="more than 10 s"):
        read(b"x" * 100, 1, CrawlLimits(whole_seconds=10), elapsed=lambda: float(next(ticks)))


def test_an_empty_body_is_empty():
    assert read(b"") == b""


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ({"content-type": "text/html"}, "a web page"),
        ({"content-type": "IMAGE/PNG; x=y"}, "'image/png', not data"),
        ({"content-length": str(1 << 40)}, "has 1048576 MiB"),
    ],
)
def test_headers_alone_can_be_enough(headers, sentence):
    with pytest.raises(AirfoilError, match=sentence):
        check_head(httpx.Response(200, headers=headers), "rows", CrawlLimits())


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/csv; charset=utf-8"},
        {"content-length": "many"},
        {"content-length": "9" * 5000},
    ],
)
def test_other_headers_are_no_reason_to_refuse(headers):
    check_head(httpx.Response(200, headers=headers), "rows", CrawlLimits())
    assert content_type(httpx.Response(200, headers=headers)) in {"", "text/csv"}
