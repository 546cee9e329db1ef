"""Safe by default: who may connect, who may read, who may log in."""

from __future__ import annotations

import base64
import ipaddress
import stat

import pytest
from tests.system import leaks
from tests.system.platforms import fetch

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_nothing_listens_beyond_this_machine(platform):
    listeners = platform.listeners()
    print(listeners)
    assert {port for _, port, _ in listeners} >= set(platform.ports().values())
    assert [one for one in listeners if not ipaddress.ip_address(one[0]).is_loopback] == []


def test_no_secret_is_where_others_can_see_it(platform):
    done = platform.run("run", "busy")
    assert done.code == 0, done.said
    values = leaks.generated(platform)
    assert len(values) >= 7
    assert leaks.everywhere(platform, values) == []


def test_the_state_folder_is_private_and_secrets_are_0600(platform):
    project = platform.project
    assert stat.S_IMODE(project.state.stat().st_mode) == 0o700
    for path in (project.secrets, project.passwords, project.spec):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    for path in (project.airflow_database, project.mlflow_database):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("admin", "admin"),
        ("airflow", "airflow"),
        ("admin", ""),
        ("", ""),
        ("admin", "password"),
        ("anonymous", ""),
    ],
)
def test_no_well_known_login_opens_airflow(platform, user, password):
    answer = fetch(
        platform.url("api-server") + "/auth/token",
        method="POST",
        body={"username": user, "password": password},
    )
    assert answer.status == (401 if user and password else 400)  # Airflow does not even look without both
    assert "access_token" not in answer.body


def test_the_generated_login_opens_airflow_and_nobody_else_gets_in(platform):
    url = platform.url("api-server")
    login = {"username": "admin", "password": platform.secrets().admin_password}
    assert fetch(url + "/auth/token", method="POST", body=login).status == 201
    assert fetch(url + "/auth/token").status in {401, 403}
    for path in ("/api/v2/dags", "/api/v2/connections", "/api/v2/variables", "/api/v2/config", "/ui/dags"):
        assert fetch(url + path).status == 401, path
    assert fetch(url + "/execution/connections/mlflow_default").status in {401, 403}


def test_mlflow_answers_its_own_name_only(platform):
    url = platform.url("mlflow")
    search = url + "/api/2.0/mlflow/experiments/search"
    body = {"max_results": 1}
    assert fetch(search, method="POST", body=body).status == 200
    for path in (search, url + "/ajax-api/2.0/mlflow/experiments/search", url + "/"):
        answer = fetch(
            path, method="POST" if "api" in path else "GET", body=body, headers={"Host": "evil.example"}
        )
        assert answer.status == 403, path
    for path in (search, url + "/ajax-api/2.0/mlflow/experiments/search"):
        answer = fetch(path, method="POST", body=body, headers={"Origin": "http://evil.example"})
        assert answer.status == 403, path
    own = fetch(search, method="POST", body=body, headers={"Origin": url})
    assert own.status == 200


def test_the_page_answers_its_own_name_only_and_changes_nothing(platform):
    url = platform.url("page")
    assert fetch(url + "/api/status", headers={"Host": "evil.example"}).status in {400, 403, 421}
    assert fetch(url + "/api/status", method="POST", body={}).status == 405


@pytest.fixture(scope="module")
def guarded(make_platform):
    """A platform whose MLflow asks for a login."""
    platform = make_platform({"mlflow": {"auth": True}})
    print(f"up with auth in {platform.up().seconds:.1f} s")
    return platform


def test_mlflow_asks_for_a_login_when_told_to(guarded):
    search = guarded.url("mlflow") + "/api/2.0/mlflow/experiments/search"
    body = {"max_results": 1}
    assert fetch(search, method="POST", body=body).status == 401
    for user, password in (
        ("admin", "password"),
        ("admin", "password1234"),
        ("admin", "admin"),
        ("admin", ""),
    ):
        assert fetch(search, method="POST", body=body, headers=basic(user, password)).status == 401, password
    own = basic("admin", guarded.secrets().mlflow_admin_password)
    assert fetch(search, method="POST", body=body, headers=own).status == 200
    assert fetch(guarded.url("mlflow") + "/").status == 401


def test_tasks_the_page_and_the_command_line_log_in_by_themselves(guarded):
    done = guarded.run("run", "busy")
    assert done.code == 0, done.said
    assert guarded.run("mlflow", "experiments", "search").code == 0
    status = fetch(guarded.url("page") + "/api/status").json()
    assert not status["mlflow"]["error"]
    assert [run["name"] for run in status["mlflow"]["runs"]] != []
    assert leaks.everywhere(guarded, leaks.generated(guarded)) == []
