"""`airfoil connections` over the API of what runs: kept encrypted there, shown nowhere."""

from __future__ import annotations

import io

import pytest

from airfoil.stack import servers

pytestmark = pytest.mark.unit

API = "/api/v2/connections"


@pytest.fixture
def pipe(monkeypatch):
    """Hand text to the command's stdin."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_a_connection_comes_from_the_usual_variable(airfoil, running, answer, monkeypatch):
    running.server.on("POST", API, answer({}, 201))
    monkeypatch.setenv("SHOP_DB_URL", "postgres://ann:s3cret@db/shop")

    outcome = airfoil("connections", "set", "shop-db", "--from-env")

    assert (outcome.code, outcome.out) == (0, "shop-db is kept, encrypted by Airflow.\n")
    assert running.server.asked(API)[0].body["password"] == "s3cret"


def test_one_that_we_made_is_the_users_from_now_on(airfoil, running, answer, pipe):
    running.server.on("POST", API, answer({}, 201))
    pipe("smtp://mail:25")
    assert "leaves yours alone from now on" in airfoil("connections", "set", "smtp_default").out


def test_what_is_no_connection_is_refused_without_showing_it(airfoil, running, pipe):
    pipe("s3cret")
    outcome = airfoil("connections", "set", "shop")
    assert outcome.code == 1
    assert "neither an address nor a JSON object" in outcome.err
    assert "s3cret" not in outcome.err + outcome.out
    assert running.server.asked(API) == []


def test_a_list_is_masked(airfoil, running, answer):
    rows = [
        {"connection_id": "mlflow_default", "conn_type": "mlflow", "host": "http://u:s3cret@h", "port": 5000},
        {
            "connection_id": "shop",
            "conn_type": "http",
            "login": "s3cret-name",
            "password": "s3cret",
            "extra": '{"k": "s3cret"}',
        },
    ]
    running.server.on("GET", API, answer({"connections": rows}))
    text = airfoil("connections", "list").out
    assert text.splitlines()[1].split()[-1] == "airfoil"
    assert "•••" in text
    found = airfoil("connections", "list", "--json")
    assert found.json()["connections"][1]["has_password"] is True
    assert "s3cret" not in text + found.out


def test_deleting(airfoil, running, answer):
    running.server.on("DELETE", f"{API}/shop", answer("", 204), answer({}, 404))
    assert airfoil("connections", "delete", "shop").out == "shop is deleted.\n"
    assert "There is no connection shop." in airfoil("connections", "delete", "shop").err


def test_before_the_first_start_there_is_nothing_to_keep_it_in(airfoil, project, pipe, stack):
    pipe("http://h")
    outcome = airfoil("connections", "set", "shop")
    assert outcome.code == 1
    assert "Airflow" in outcome.err


# -- logins at servers that are not ours


def test_the_login_at_a_foreign_mlflow_is_kept_privately(airfoil, project, http_server, answer, pipe):
    project.toml.write_text(f'[mlflow]\nurl = "{http_server.url}"\nusername = "ann"\n')
    http_server.on("GET", "/version", answer("3.17.2"))
    http_server.on("POST", "/api/2.0/mlflow/experiments/search", answer({}))
    pipe("s3cret-pw\n")

    outcome = airfoil("connections", "set", "mlflow_default")

    assert outcome.code == 0
    assert "MLflow 3.17.2 lets you in." in outcome.out
    assert "s3cret-pw" not in outcome.out + outcome.err
    assert servers.stored_file(project).stat().st_mode & 0o777 == 0o600
    assert "s3cret-pw" in servers.stored_file(project).read_text()
    assert airfoil("connections", "delete", "mlflow_default").code == 0
    assert "No login is kept" in airfoil("connections", "delete", "mlflow_default").err


def test_a_wrong_password_is_kept_and_told(airfoil, project, http_server, answer, pipe):
    project.toml.write_text(f'[airflow]\nurl = "{http_server.url}"\nusername = "ann"\n')
    http_server.on("GET", "/api/v2/version", answer({"version": "3.3.2"}))
    http_server.on("POST", "/auth/token", answer({}, 401))
    pipe("wrong")
    outcome = airfoil("connections", "set", "airflow")
    assert outcome.code == 0
    assert "refused the password of ann" in outcome.err


def test_a_login_without_a_name_needs_one(airfoil, project, pipe):
    project.toml.write_text('[airflow]\nurl = "http://127.0.0.1:9"\n')
    pipe("pw")
    assert "Set airflow.username in airfoil.toml." in airfoil("connections", "set", "airflow").err


def test_our_own_airflow_needs_no_login(airfoil, project, pipe):
    pipe("pw")
    assert "is started by this project" in airfoil("connections", "set", "airflow").err
