"""A redirect is followed by somebody who reads nothing on the way, and takes no secret along."""

from __future__ import annotations

import httpx
import pytest

from airfoil.clients.redirects import followed
from airfoil.errors import ConfigurationError

pytestmark = pytest.mark.unit

OWN = {"Authorization": "Bearer x", "X-Api-Key": "secret"}


class Unread(httpx.SyncByteStream):
    """A body that nobody may read; knows whether it was let go."""

    def __init__(self):
        self.is_closed = False

    def __iter__(self):
        raise AssertionError("what comes with a redirect was read")

    def close(self):
        self.is_closed = True


class Web:
    """Servers that send on, by address; the rest answers. Knows what was asked, and of whom."""

    def __init__(self, **moved):
        self.moved = {f"{name.replace('_', '/')}": to for name, to in moved.items()}
        self.asked, self.bodies = [], []

    def __call__(self, request):
        self.asked.append(request)
        to = self.moved.get(request.url.path.strip("/"))
        if to is None:
            return httpx.Response(200, content=b"a,b\n")
        self.bodies.append(Unread())
        return httpx.Response(302, headers={"location": to}, stream=self.bodies[-1])

    def get(self, url, headers=None, **options):
        with httpx.Client(transport=httpx.MockTransport(self)) as client:
            request = client.build_request("GET", url, headers=headers)
            with followed(client, request, "trips", **options) as answer:
                return answer.status_code, answer.read()

    def knew(self):
        """Which of our own headers each server was told."""
        return [sorted(name for name in OWN if name in one.headers) for one in self.asked]


def test_an_answer_that_sends_nowhere_is_the_answer():
    web = Web()
    assert web.get("https://data.test/t") == (200, b"a,b\n")
    assert len(web.asked) == 1


def test_what_comes_on_the_way_is_not_read_and_let_go():
    web = Web(a="/b", b="https://other.test/c")
    assert web.get("https://data.test/a") == (200, b"a,b\n")
    assert [str(one.url) for one in web.asked] == [
        "https://data.test/a",
        "https://data.test/b",
        "https://other.test/c",
    ]
    assert [one.is_closed for one in web.bodies] == [True, True]


def test_what_is_private_stays_with_its_server():
    web = Web(a="/b", b="https://other.test/c", c="https://data.test/d")
    web.get("https://data.test/a", {**OWN, "Range": "bytes=5-"}, private=OWN)
    assert web.knew() == [sorted(OWN), sorted(OWN), [], []], "not even when it leads back"
    assert [one.headers["range"] for one in web.asked] == ["bytes=5-"] * 4


def test_a_host_that_was_given_does_not_go_along_and_is_not_lacking():
    web = Web(a="https://other.test/b")
    web.get("https://data.test/a", {"Host": "behind.test"}, private={"Host"})
    assert [one.headers["host"] for one in web.asked] == ["behind.test", "other.test"]


@pytest.mark.parametrize(
    ("before", "after", "is_told"),
    [
        ("https://data.test/a", "https://data.test:443/b", True),
        ("http://data.test/a", "https://data.test/b", True),
        ("http://data.test:8080/a", "https://data.test:8080/b", False),
        ("https://data.test/a", "https://data.test:8443/b", False),
        ("https://data.test/a", "https://data.test.evil.test/b", False),
        ("https://data.test/a", "https://DATA.test/b", True),
        ("https://data.test/a", "//other.test/b", False),
    ],
)
def test_what_the_same_server_is(before, after, is_told):
    web = Web(a=after)
    web.get(before, {"X-Api-Key": "secret"}, private={"x-api-key"})
    assert [bool(one) for one in web.knew()] == [True, is_told]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("https://data.test/a", "http://data.test/b", "from https to http"),
        ("https://data.test/a", "ftp://data.test/b", "from https to ftp"),
        ("http://data.test/a", "file:///etc/passwd", "from http to file"),
    ],
)
def test_it_leads_neither_out_of_the_web_nor_into_the_open(before, after, said):
    web = Web(a=after)
    with pytest.raises(ConfigurationError, match=f"trips leads {said}$"):
        web.get(before)
    assert len(web.asked) == 1


@pytest.mark.parametrize("most", [0, 3])
def test_a_circle_has_an_end(most):
    web = Web(a="/a")
    with pytest.raises(ConfigurationError, match=f"more than {most} times"):
        web.get("https://data.test/a", most=most)
    assert len(web.asked) == most + 1
    assert all(one.is_closed for one in web.bodies)


def test_a_redirect_without_an_address_is_an_answer():
    client = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(302)))
    with client, followed(client, client.build_request("GET", "https://data.test/a"), "trips") as answer:
        assert answer.status_code == 302


def test_who_breaks_off_lets_the_answer_go():
    body = Unread()
    client = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, stream=body)))
    request = client.build_request("GET", "https://data.test/a")
    with pytest.raises(KeyError), client, followed(client, request, "trips"):
        raise KeyError
    assert body.is_closed
