"""The door between the proxy and the pages beside Airflow."""

from __future__ import annotations

import pytest
from airflow.api_fastapi.core_api import security
from fastapi import FastAPI
from starlette.testclient import TestClient

from airfoil.provider.views.door import PAGES, Role, needed, page_of, path_of, routes

pytestmark = pytest.mark.unit


class Person:
    def __init__(self, name, role):
        self.name = name
        self.role = role

    def get_name(self):
        return self.name


PEOPLE = {
    "vera": Person("vera", Role.VIEWER),
    "emil": Person("emil", Role.EDITOR),
    "joerg": Person("Jörg Müller@x", Role.ADMIN),
    "nobody": Person("nobody", 0),
}


class Gatekeeper:
    """An auth manager with one login of each kind."""

    async def get_user_from_token(self, token):
        if token not in PEOPLE:
            raise security.InvalidTokenError
        return PEOPLE[token]

    def is_authorized_connection(self, *, method, user):
        return method == "PUT" and user.role >= Role.ADMIN

    def is_authorized_dag(self, *, method, access_entity, user):
        return method == "POST" and access_entity.value == "RUN" and user.role >= Role.EDITOR

    def is_authorized_view(self, *, access_view, user):
        del access_view
        return user.role >= Role.VIEWER

    def get_url_login(self, *, next_url):
        return f"https://ml.example.com/auth/login/?next={next_url}"


@pytest.fixture
def ask(monkeypatch):
    gatekeeper = Gatekeeper()
    monkeypatch.setattr(security, "get_auth_manager", lambda: gatekeeper)
    app = FastAPI()
    app.include_router(routes(lambda: gatekeeper))

    def ask(uri, who=None, method="GET", accept="*/*", **headers):
        client = TestClient(app, cookies={"_token": who} if who else {})
        headers |= {"X-Forwarded-Uri": uri, "X-Forwarded-Method": method, "Accept": accept}
        return client.get("/door", headers=headers, follow_redirects=False)

    return ask


@pytest.mark.parametrize(
    ("who", "name", "role"),
    [("vera", "vera", "viewer"), ("emil", "emil", "editor"), ("joerg", "J%C3%B6rg M%C3%BCller@x", "admin")],
)
def test_who_is_logged_in_passes_with_name_and_role(ask, who, name, role):
    said = ask("/mlflow/", None, Authorization=f"Bearer {who}")
    assert said.status_code == 204
    assert (said.headers["X-Airfoil-User"], said.headers["X-Airfoil-Role"]) == (name, role)
    assert said.headers["Cache-Control"] == "no-store"


def test_the_cookie_of_airflows_login_is_enough(ask):
    assert ask("/mlflow/", "vera").status_code == 204


def test_a_name_that_a_visitor_sends_is_not_believed(ask):
    said = ask("/mlflow/", "vera", **{"X-Airfoil-User": "emil", "X-Airfoil-Role": "admin"})
    assert said.headers["X-Airfoil-User"] == "vera"
    assert said.headers["X-Airfoil-Role"] == "viewer"


def test_a_person_without_login_is_sent_to_it_and_back(ask):
    said = ask("/mlflow/?x=1", accept="text/html,*/*")
    assert said.status_code == 302
    assert said.headers["Location"].endswith("/auth/login/?next=/mlflow/?x=1")


@pytest.mark.parametrize(
    "uri", ["//evil.example.com/", "https://evil.example.com/", "/\\evil.example.com", ""]
)
def test_the_way_back_stays_here(ask, uri):
    assert ask(uri, accept="text/html").headers["Location"].endswith("?next=/")


@pytest.mark.parametrize(("method", "accept"), [("GET", "application/json"), ("POST", "text/html")])
def test_a_program_without_login_is_told_so(ask, method, accept):
    said = ask("/mlflow/api/2.0/mlflow/runs/search", method=method, accept=accept)
    assert said.status_code == 401
    assert said.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_that_is_none_is_no_login(ask):
    assert ask("/mlflow/", "forged").status_code == 401


def test_a_login_that_may_not_see_airflow_sees_nothing_beside_it(ask):
    assert ask("/mlflow/", "nobody").status_code == 403


VISITS = [
    ("/status/", "GET", Role.VIEWER),
    ("/status/api/status", "POST", Role.ADMIN),
    ("/mlflow/ajax-api/2.0/mlflow/runs/delete", "POST", Role.VIEWER),  # MLflow itself refuses a viewer
    ("/features/get-online-features", "POST", Role.VIEWER),
    ("/features/push", "POST", Role.EDITOR),
    ("/prometheus/api/v1/query_range", "POST", Role.VIEWER),
    ("/prometheus/api/v1/admin/tsdb/delete_series", "POST", Role.ADMIN),
    ("/alertmanager/api/v2/alerts", "GET", Role.VIEWER),
    ("/alertmanager/api/v2/silences", "POST", Role.EDITOR),
    ("/flower/", "GET", Role.EDITOR),
    ("/flower/api/worker/shutdown/x", "POST", Role.ADMIN),
    ("/grafana/api/ds/query", "POST", Role.VIEWER),
    ("/buckets/airflow-logs/?limit=100", "GET", Role.ADMIN),
    ("/seaweedfsstatic/bootstrap/css/bootstrap.min.css", "GET", Role.ADMIN),
]


@pytest.mark.parametrize(("uri", "method", "role"), VISITS)
def test_a_role_that_is_enough_passes_and_the_one_below_does_not(ask, uri, method, role):
    for token, person in PEOPLE.items():
        said = ask(uri, None, method, Authorization=f"Bearer {token}")
        assert said.status_code == (204 if person.role >= role else 403), token


def test_every_page_is_visited():
    assert {page_of(path_of(uri)) for uri, *_ in VISITS} == set(PAGES.values())


@pytest.mark.parametrize(
    "uri", ["/", "", "/airfoil/models", "/mlflowish/", "/status/../flower/", "/fl%6Fwer/", "flower/"]
)
def test_what_is_no_page_of_ours_is_closed_to_everybody(ask, uri):
    assert page_of(path_of(uri)) is None
    assert ask(uri, None, Authorization="Bearer joerg").status_code == 403


@pytest.mark.parametrize(
    "uri",
    [
        "//buckets/mlflow/x",
        "///mlflow/",
        "/mlflow//../buckets/x",
        "/mlflow/../buckets/x",
        "/mlflow/..",
        "/mlflow/./x",
        "/mlflow/%2e%2e/buckets/x",
        "/mlflow/.%2E/buckets/x",
        "/mlflow%2f..%2fbuckets/x",
        "/mlflow/x%2f%2e%2e%2f..%2fbuckets/x",
        "/mlflow/%252e%252e/buckets/x",
        "/mlflow/%25252e%25252e/buckets/x",
        f"/mlflow/%{'25' * 9}2e./buckets/x",
        "/mlflow/..\\buckets/x",
        "/mlflow/..%5cbuckets/x",
        "/%2fbuckets/x",
        "/mlflow/%2f/x",
        "https://ml.example.com/mlflow/",
    ],
)
def test_a_path_that_somebody_may_take_for_another_one_is_closed_to_everybody(ask, uri):
    assert path_of(uri) == ""
    assert ask(uri, None, Authorization="Bearer joerg").status_code == 403


@pytest.mark.parametrize(
    "uri",
    [
        "/mlflow/api/2.0/mlflow-artifacts/artifacts/1/a%20b/100%25.txt",
        "/mlflow/get-artifact?path=../x//y%2F..",
        "/flower/worker/celery%40host",
        "/mlflow/.hidden/..x/x../...",
        "/prometheus/api/v1/label/job/values",
    ],
)
def test_names_may_hold_dots_and_what_is_encoded(ask, uri):
    assert path_of(uri) == uri.partition("?")[0]
    assert ask(uri, None, Authorization="Bearer joerg").status_code == 204


def test_grafana_is_told_the_role_in_its_own_words(ask):
    said = {who: ask("/grafana/", who).headers["X-Airfoil-Grafana-Role"] for who in ("vera", "emil", "joerg")}
    assert said == {"vera": "Viewer", "emil": "Editor", "joerg": "Admin"}


def test_a_question_is_a_whole_path():
    page = PAGES["features"]
    assert needed(page, "POST", "/features/get-online-features-of/everything") == Role.EDITOR
