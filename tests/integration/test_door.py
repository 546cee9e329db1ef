"""A real API server answers the proxy: for logins of each role, for a cookie, and for nobody."""

from __future__ import annotations

import json

import httpx
import pytest
from tests.integration.running_airflow import RunningAirflow

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

ROLES = {"ada": "admin", "emil": "user", "vera": "viewer"}
PASSWORD = "of-this-test-alone"


@pytest.fixture(scope="module")
def airflow(migrated_airflow, tmp_path_factory):
    folder = tmp_path_factory.mktemp("door")
    passwords = folder / "passwords.json"
    passwords.write_text(json.dumps(dict.fromkeys(ROLES, PASSWORD)))
    airflow = RunningAirflow.prepare(
        migrated_airflow,
        folder / "home",
        AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS="False",
        AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS=",".join(":".join(one) for one in ROLES.items()),
        AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE=str(passwords),
    )
    try:
        airflow.start("api-server")
        yield airflow
    finally:
        airflow.stop()


@pytest.fixture(scope="module")
def tokens(airflow):
    def token(name):
        body = {"username": name, "password": PASSWORD}
        said = httpx.post(f"{airflow.url}/auth/token", json=body, trust_env=False, timeout=120)
        return said.json()["access_token"]

    return {name: token(name) for name in ROLES}


def knock(airflow, uri, method="GET", accept="application/json", **options):
    headers = {"X-Forwarded-Uri": uri, "X-Forwarded-Method": method, "Accept": accept} | options.pop(
        "headers", {}
    )
    return httpx.get(f"{airflow.url}/airfoil/door", headers=headers, trust_env=False, timeout=120, **options)


@pytest.mark.parametrize(("name", "role"), [("ada", "admin"), ("emil", "editor"), ("vera", "viewer")])
def test_a_login_has_its_name_and_role(airflow, tokens, name, role):
    said = knock(airflow, "/mlflow/", headers={"Authorization": f"Bearer {tokens[name]}"})
    assert (said.status_code, said.headers["X-Airfoil-User"], said.headers["X-Airfoil-Role"]) == (
        204,
        name,
        role,
    )
    with httpx.Client(cookies={"_token": tokens[name]}, trust_env=False, timeout=120) as browser:
        cookie = browser.get(f"{airflow.url}/airfoil/door", headers={"X-Forwarded-Uri": "/mlflow/"})
    assert cookie.headers["X-Airfoil-User"] == name


def test_only_an_admin_ends_workers(airflow, tokens):
    answers = {
        name: knock(
            airflow, "/flower/api/worker/shutdown/x", "POST", headers={"Authorization": f"Bearer {token}"}
        )
        for name, token in tokens.items()
    }
    assert {name: said.status_code for name, said in answers.items()} == {
        "ada": 204,
        "emil": 403,
        "vera": 403,
    }


def test_nobody_is_sent_to_airflows_login_and_back(airflow):
    said = knock(airflow, "/mlflow/#/models", accept="text/html")
    assert said.status_code == 302
    login = httpx.URL(airflow.url).join(said.headers["Location"])
    assert login.params["next"].startswith("/mlflow/")
    assert httpx.get(login, trust_env=False, timeout=120, follow_redirects=True).status_code == 200


def test_a_token_of_somebody_else_opens_nothing(airflow, tokens):
    forged = tokens["ada"][:-4] + "AAAA"
    assert knock(airflow, "/mlflow/", headers={"Authorization": f"Bearer {forged}"}).status_code == 401
