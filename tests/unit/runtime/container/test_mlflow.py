"""MLflow in a container: what it is told, which accounts there are, and what it refuses. No server here."""

from __future__ import annotations

import configparser
import importlib.util
import os
import sys
from types import ModuleType

import pytest

from airfoil.runtime import EXIT_UNSUPPORTED, mlflow_server
from airfoil.runtime.container import mlflow

pytestmark = pytest.mark.unit

USERS = "postgresql://u:p%40ss@postgres/mlflow_auth"
GIVEN = {
    mlflow.USERS_VARIABLE: USERS,
    "MLFLOW_BACKEND_STORE_URI": "postgresql://u@postgres/mlflow",
    "MLFLOW_ARTIFACTS_DESTINATION": "s3://mlflow",
    "MLFLOW_AUTH_ADMIN_USERNAME": "admin",
    "MLFLOW_AUTH_ADMIN_PASSWORD": "long-enough-for-mlflow",
    "MLFLOW_FLASK_SERVER_SECRET_KEY": "k",
}


def read(path):
    parser = configparser.ConfigParser()
    parser.read(path)
    return parser["mlflow"]


def test_the_login_file_is_private_and_holds_the_address_as_it_is(tmp_path):
    path = mlflow.write_login_file(tmp_path / "made", GIVEN)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert read(path)["database_uri"] == USERS
    assert read(path)["default_permission"] == "NO_PERMISSIONS"
    assert int(read(path)["auth_cache_ttl_seconds"]) > 0
    assert "authorization_function" not in read(path)
    assert "long-enough" not in path.read_text()


def test_who_calls_may_be_asked_of_another_function(tmp_path):
    given = GIVEN | {mlflow.AUTHORIZATION_VARIABLE: "somewhere.doors:authorize"}
    assert (
        read(mlflow.write_login_file(tmp_path, given))["authorization_function"]
        == "somewhere.doors:authorize"
    )


def test_the_prefix_is_known_before_mlflow_is_imported(tmp_path):
    environment = GIVEN | {"MLFLOW_STATIC_PREFIX": "/mlflow"}
    mlflow.settle(environment, tmp_path)
    assert environment["_MLFLOW_STATIC_PREFIX"] == "/mlflow"
    assert environment["MLFLOW_AUTH_CONFIG_PATH"] == str(tmp_path / "auth.ini")
    assert environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"


@pytest.mark.parametrize("there", [True, False])
def test_metrics_are_there_when_their_library_is(monkeypatch, tmp_path, there):
    monkeypatch.setattr(mlflow, "find_spec", lambda _name: object() if there else None)
    environment = dict(GIVEN)
    mlflow.settle(environment, tmp_path)
    assert environment.get("prometheus_multiproc_dir") == (str(tmp_path / "metrics") if there else None)


def test_without_a_prefix_nothing_is_said_of_one(tmp_path):
    environment = dict(GIVEN)
    mlflow.settle(environment, tmp_path)
    assert "_MLFLOW_STATIC_PREFIX" not in environment


@pytest.mark.parametrize("text", ["{", "[]", '{"airflow": 5}'])
def test_accounts_that_make_no_sense_are_refused_without_telling_them(text, capsys):
    with pytest.raises(SystemExit) as ended:
        mlflow.accounts({mlflow.ACCOUNTS_VARIABLE: text})
    assert ended.value.code == mlflow.EXIT_CONFIGURATION
    said = capsys.readouterr().err
    assert (
        said == f"airfoil: {mlflow.ACCOUNTS_VARIABLE} does not hold names and passwords as one JSON object.\n"
    )


def test_no_accounts_are_no_accounts():
    assert mlflow.accounts({}) == {}
    assert mlflow.accounts({mlflow.ACCOUNTS_VARIABLE: '{"airflow": "p"}'}) == {"airflow": "p"}


class Store:
    """A stand-in for MLflow's store of users."""

    def __init__(self, users):
        self.users, self.grants = users, []

    def has_user(self, name):
        return name in self.users

    def authenticate_user(self, name, password):
        return self.users[name] == password

    def create_user(self, name, password):
        self.users[name] = password

    def update_user(self, name, password):
        self.users[name] = password

    def grant_user_permission(self, *grant):
        self.grants.append(grant)


@pytest.fixture
def environment(monkeypatch):
    monkeypatch.setattr(os, "environ", dict(GIVEN) | {mlflow.ACCOUNTS_VARIABLE: '{"airflow": "new"}'})
    return os.environ


def keep(monkeypatch, users) -> Store:
    store, auth = Store(users), ModuleType("mlflow.server.auth")
    auth.store = store
    for name in ("mlflow", "mlflow.server"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "mlflow.server.auth", auth)
    mlflow.keep_accounts()
    return store


def test_a_machine_gets_its_account_and_may_manage_what_tasks_make(monkeypatch, environment, capsys):
    store = keep(monkeypatch, {"admin": GIVEN["MLFLOW_AUTH_ADMIN_PASSWORD"]})
    assert store.users["airflow"] == "new"
    assert {(name, pattern, level) for name, _, pattern, level in store.grants} == {
        ("airflow", "*", "MANAGE")
    }
    assert {"experiment", "registered_model"} <= {kind for _, kind, _, _ in store.grants}
    assert capsys.readouterr().err == ""


def test_a_changed_password_is_taken_over_and_the_change_is_told(monkeypatch, environment, capsys):
    store = keep(monkeypatch, {"admin": "older", "airflow": "old"})
    assert store.users == {"admin": GIVEN["MLFLOW_AUTH_ADMIN_PASSWORD"], "airflow": "new"}
    said = capsys.readouterr().err
    assert "user admin" in said
    assert "user airflow" in said
    assert "old" not in said.replace("older", "")


@pytest.mark.parametrize("name", sorted(GIVEN))
def test_what_must_be_set_is_named(monkeypatch, capsys, name):
    monkeypatch.setattr(os, "environ", {key: value for key, value in GIVEN.items() if key != name})
    with pytest.raises(SystemExit) as ended:
        mlflow.main()
    assert ended.value.code == mlflow.EXIT_CONFIGURATION
    assert capsys.readouterr().err.startswith(f"airfoil: {name} must be set;")


@pytest.fixture
def served(monkeypatch, environment, tmp_path):
    calls = []
    monkeypatch.setattr(mlflow, "FOLDER", tmp_path)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(
        mlflow_server, "main", lambda argv, before_serving: calls.append((argv, before_serving))
    )
    monkeypatch.setattr(os, "execv", lambda _path, argv: calls.append(argv))
    return calls


def test_it_listens_inside_the_network_and_keeps_the_accounts_before(served):
    mlflow.main()
    ((argv, before),) = served
    assert argv[-5:] == ["--host", mlflow.ANYWHERE, "--port", "5000", "--auth"]
    assert before is mlflow.keep_accounts


def test_a_release_that_is_not_known_is_started_by_its_own_command(served, monkeypatch):
    def unknown(_argv, before_serving):
        raise SystemExit(EXIT_UNSUPPORTED)

    monkeypatch.setattr(mlflow_server, "main", unknown)
    mlflow.main()
    assert served[0][1:3] == ["-m", "airfoil.runtime.mlflow_database"]
    assert served[0][-2:] == ["--app-name", "basic-auth"]


def test_any_other_end_is_its_own(served, monkeypatch):
    def refuse(_argv, before_serving):
        raise SystemExit(78)

    monkeypatch.setattr(mlflow_server, "main", refuse)
    with pytest.raises(SystemExit) as ended:
        mlflow.main()
    assert ended.value.code == 78
    assert served == []
