"""Who passes MLflow's door, as whom."""

from __future__ import annotations

import pytest
from tests.unit.runtime.mlflow_accounts import FakeAccounts
from werkzeug.datastructures import Headers

from airfoil.provider.views import door as airflows
from airfoil.runtime import mlflow_door as module
from airfoil.runtime.mlflow_door import KEPT_SECONDS, Door, Visitor

pytestmark = pytest.mark.unit

SECRET = "between-proxy-and-mlflow"


class Store(FakeAccounts):
    """MLflow's users with what they may do."""

    def update_user(self, username, *, is_admin):
        self.users[username].is_admin = is_admin

    def admins(self):
        return {name: user.is_admin for name, user in self.users.items()}


@pytest.fixture
def door():
    return Door(SECRET, "t0ken", "admin", frozenset({"airflow"}), lambda: 0.0)


def said(name, role, secret=SECRET):
    return Headers({"X-Airfoil-User": name, "X-Airfoil-Role": role, "X-Airfoil-Proxy-Secret": secret})


def test_both_sides_of_the_door_use_the_same_headers_and_roles():
    assert (module.USER_HEADER, module.ROLE_HEADER) == (airflows.USER_HEADER, airflows.ROLE_HEADER)
    assert set(module.PERMISSIONS) == {role.name.lower() for role in airflows.Role}


def test_the_proxy_is_believed(door):
    assert door.visitor(said("J%C3%B6rg@x", "editor")) == Visitor("Jörg@x", "editor")


@pytest.mark.parametrize(
    "headers",
    [
        said("vera", "admin", "guessed"),
        said("vera", "admin", ""),
        said("", "admin"),
        said("vera", "king"),
        Headers({"X-Airfoil-User": "vera", "X-Airfoil-Role": "admin"}),
        Headers(),
    ],
)
def test_nobody_else_is(door, headers):
    assert door.visitor(headers) is None


def test_without_a_secret_no_proxy_is_believed():
    assert Door("").visitor(said("vera", "admin", "")) is None


def test_a_person_never_becomes_a_service_account_of_the_same_name(door):
    assert door.visitor(said("airflow", "admin")).name == "airflow.person"
    assert door.visitor(said("admin", "viewer")).name == "admin.person"
    assert door.visitor(said("admin", "admin")).name == "admin"
    assert door.visitor(said("airflow.person", "admin")).name == "airflow.person.person", "nor another person"


def test_a_service_account_that_an_administrator_made_is_left_as_it_is(door):
    store = Store()
    store.create_user("ci", "of an administrator's own choice")
    store.grant_user_permission("ci", "experiment", "*", "EDIT")
    for _ in range(2):
        assert door.account(Visitor("ci", "admin"), store) == "ci.person"
    assert store.admins() == {"ci": False, "ci.person": True}
    assert store.granted("ci") == {"experiment": "EDIT"}
    store.create_user("bot", "of an administrator's own choice")
    store.create_user("bot.person", "of an administrator's own choice")
    assert door.account(Visitor("bot", "admin"), store) is None
    assert store.granted("bot") == store.granted("bot.person") == {}


@pytest.mark.parametrize(
    ("role", "permission"), [("viewer", "READ"), ("editor", "EDIT"), ("admin", "MANAGE")]
)
def test_an_account_is_made_with_the_rights_of_the_role(door, role, permission):
    store = Store()
    assert door.account(Visitor("vera", role), store) == "vera"
    assert store.admins() == {"vera": role == "admin"}
    assert store.granted("vera") == dict.fromkeys(("experiment", "registered_model", "prompt"), permission)


def test_an_account_is_looked_at_once_a_minute_and_whenever_the_role_is_another():
    now = [0.0]
    door, store = Door(SECRET, clock=lambda: now[0]), Store()
    for _ in range(5):
        door.account(Visitor("vera", "admin"), store)
    assert store.asked == 1
    door.account(Visitor("vera", "viewer"), store)
    assert (store.admins(), store.granted("vera")["experiment"]) == ({"vera": False}, "READ")
    door.account(Visitor("vera", "admin"), store)
    assert store.admins() == {"vera": True}
    now[0] = KEPT_SECONDS
    door.account(Visitor("vera", "admin"), store)
    assert store.asked == 4


def test_two_processes_may_make_the_same_account(door):
    store = Store()
    store.raced = True
    assert door.account(Visitor("vera", "editor"), store) == "vera"
    assert store.granted("vera")["experiment"] == "EDIT"


def test_a_store_that_fails_is_not_taken_for_a_race(door):
    store = Store()
    store.create_user = lambda *_: (_ for _ in ()).throw(RuntimeError("no database"))
    with pytest.raises(RuntimeError, match="no database"):
        door.account(Visitor("vera", "editor"), store)


def test_the_first_account_is_left_as_it_is(door):
    store = Store()
    assert door.account(Visitor("admin", "admin"), store) == "admin"
    assert (store.users, store.asked) == ({}, 0)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/mlflow/ajax-api/2.0/mlflow/registered-models/alias"),
        ("HEAD", "/mlflow/"),
        ("POST", "/mlflow/ajax-api/2.0/mlflow/runs/search"),
        ("POST", "/mlflow/ajax-api/2.0/mlflow/experiments/search-datasets"),
        ("POST", "/mlflow/graphql"),
    ],
)
def test_a_viewer_looks(method, path):
    assert Visitor("vera", "viewer").may(method, path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/mlflow/ajax-api/2.0/mlflow/registered-models/alias"),
        ("POST", "/mlflow/ajax-api/2.0/mlflow/experiments/create"),
        ("POST", "/mlflow/ajax-api/2.0/mlflow/runs/search/delete"),
        ("PATCH", "/mlflow/ajax-api/2.0/mlflow/runs/search"),
        ("DELETE", "/mlflow/ajax-api/2.0/mlflow/model-versions/search"),
        ("PUT", "/mlflow/api/2.0/mlflow-artifacts/artifacts/1/x"),
    ],
)
def test_and_does_nothing_else(method, path):
    assert not Visitor("vera", "viewer").may(method, path)
    assert Visitor("emil", "editor").may(method, path)


@pytest.mark.parametrize(
    ("path", "given", "passes"),
    [
        ("/metrics", "Bearer t0ken", True),
        ("/metrics", "bearer t0ken", True),
        ("/metrics", "Bearer other", False),
        ("/metrics", "Basic t0ken", False),
        ("/metrics", "", False),
        ("/api/2.0/mlflow/experiments/search", "Bearer t0ken", False),
    ],
)
def test_prometheus_reads_metrics_by_its_token_and_nothing_else(door, path, given, passes):
    assert door.is_prometheus(path, Headers({"Authorization": given})) is passes
    assert not Door(SECRET).is_prometheus(path, Headers({"Authorization": "Bearer "}))


def test_the_environment_says_who_may_come_in():
    found = Door.from_environment(
        {
            "AIRFOIL_MLFLOW_PROXY_SECRET": "a",
            "AIRFOIL_METRICS_TOKEN": "b",
            "MLFLOW_AUTH_ADMIN_USERNAME": "root",
            "AIRFOIL_MLFLOW_ACCOUNTS": '{"airflow": "x", "ci": "y"}',
        }
    )
    assert (found.proxy_secret, found.metrics_token, found.admin) == ("a", "b", "root")
    assert found.accounts == {"airflow", "ci"}
    assert Door.from_environment({}) == Door("", "", "admin")
