"""The pages say what is, what is missing and what is wrong, in words; what people wrote is never run."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import httpx
import pytest
from airflow.api_fastapi.core_api import security
from fastapi import FastAPI
from starlette.testclient import TestClient

from airfoil.clients.claims import Claims
from airfoil.clients.ledger import Ledger
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.testing import FakeMlflow
from airfoil.provider.views.pages import Pages, routes

pytestmark = pytest.mark.unit

SCRIPT = "<script>alert(1)</script>"


class Viewer:
    """Somebody who is logged in."""

    def get_id(self):
        return "viewer"


class Gatekeeper:
    """An auth manager that lets people see the website, or not."""

    def __init__(self, allowed):
        self.allowed = allowed
        self.asked = []

    def is_authorized_view(self, *, access_view, user):
        self.asked.append((access_view.name, user.get_id()))
        return self.allowed


@pytest.fixture
def server():
    return FakeMlflow()


@pytest.fixture
def connect(server):
    address = MlflowServer("http://mlflow.test", tries=1)
    return lambda: MlflowHttp(address, transport=httpx.MockTransport(server))


@pytest.fixture
def wine(connect):
    """A model whose history is full of what should not be believed."""
    with connect() as http:
        http.post("api/2.0/mlflow/registered-models/create", {"name": "wine"})
        for _ in range(2):
            http.post("api/2.0/mlflow/model-versions/create", {"name": "wine", "source": "s3://b/m"})
        ledger = Ledger(Claims())
        gate = {"passed": False, "metric": SCRIPT, "reason": SCRIPT}
        http.do(ledger.move("wine", "champion", 1, who=SCRIPT, reason=SCRIPT, gate=gate, approver=SCRIPT))
        http.do(ledger.move("wine", "champion", 2, who="ada", gate={"odd": [1]}, dag_run="train/manual__1"))


@pytest.fixture
def browser(connect, monkeypatch):
    app = FastAPI()
    app.include_router(routes(connect))
    app.dependency_overrides[security.get_user] = Viewer
    gatekeeper = Gatekeeper(allowed=True)
    monkeypatch.setattr(security, "get_auth_manager", lambda: gatekeeper)
    client = TestClient(app)
    client.gatekeeper = gatekeeper
    return client


class Reader(HTMLParser):
    """The text of a page, and whether its tags are closed."""

    VOID = frozenset({"meta", "link", "br"})

    def __init__(self):
        super().__init__()
        self.open, self.words, self.links = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        self.links += [value for name, value in attrs if name in {"href", "src"}]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in {"style", "script"}:
            self.words.append(data)


def read(answer):
    reader = Reader()
    reader.feed(answer.text)
    assert reader.open == []
    return " ".join(" ".join(reader.words).split()), reader.links


def test_an_empty_registry_says_what_makes_the_first_model(browser):
    text, _ = read(browser.get("/models"))
    assert "No model is registered yet" in text


def test_the_models_page_shows_where_the_alias_stands_and_who_moved_it(browser, wine):
    text, links = read(browser.get("/models"))
    assert re.search(r"champion version 2 v1 → v2 promoted by ada just now", text)
    assert links == ["models/wine"]


def test_the_page_of_a_model_shows_every_move_with_who_when_and_why(browser, wine):
    text, _ = read(browser.get("/models/wine"))
    for said in ("none → v1", "v1 → v2", "Gate failed", "train/manual__1", "approved by", "s3://b/m"):
        assert said in text


def test_what_people_wrote_is_shown_and_never_run(browser, wine):
    for path in ("/models", "/models/wine"):
        page = browser.get(path)
        assert SCRIPT not in page.text
        read(page)
    assert SCRIPT in read(browser.get("/models/wine"))[0]


def test_long_histories_are_cut_and_can_be_shown_whole(browser, wine):
    text, links = read(browser.get("/models/wine?moves=1"))
    assert "The newest 1 of 2 moves" in text
    assert "?moves=10000" in links
    assert browser.get("/models/wine?moves=0").status_code == 422


def test_a_missing_model_and_an_absent_server_are_said_in_a_sentence(browser, server):
    missing = browser.get("/models/cider")
    assert (missing.status_code, "There is no model cider" in missing.text) == (404, True)
    server.faults.away = True
    for path in ("/models", "/models/wine"):
        away = browser.get(path)
        assert (away.status_code, "cannot be reached" in away.text) == (502, True)
    assert "cannot be reached" in browser.get("/api/models").json()["detail"]
    assert browser.get("/api/models/wine").status_code == 502


def test_the_json_is_what_the_page_shows(browser, wine):
    (model,) = browser.get("/api/models").json()["models"]
    assert model["aliases"][0]["last"]["who"] == "ada"
    assert [move["number"] for move in browser.get("/api/models/wine").json()["moves"]] == [2, 1]
    assert browser.get("/api/models/cider").status_code == 404


@pytest.mark.parametrize("path", ["/models", "/models/wine", "/api/models", "/api/models/wine"])
def test_each_route_asks_whether_this_person_may_see_the_website(browser, wine, path):
    assert browser.get(path).status_code == 200
    assert browser.gatekeeper.asked == [("WEBSITE", "viewer")]
    browser.gatekeeper.allowed = False
    assert browser.get(path).status_code == 403


def test_the_page_loads_nothing_from_elsewhere_and_may_be_framed_by_airflow_alone(browser, wine):
    page = browser.get("/models/wine")
    assert not re.search(r"https?://", page.text)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=23, minutes=59), "23 hours ago"),
        (timedelta(days=400), "400 days ago"),
    ],
)
def test_ages_are_said_in_their_largest_unit(connect, age, said):
    now = datetime(2026, 11, 21, tzinfo=UTC)
    assert Pages(connect, clock=lambda: now)._ago((now - age).isoformat()) == said
