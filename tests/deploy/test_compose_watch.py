"""Who may do what on a running server, and what Prometheus and Alertmanager see: through the proxy, as people do."""

from __future__ import annotations

import secrets

import pytest
from tests.contracts.test_alerts import PROMISED
from tests.deploy import alerting
from tests.deploy.compose_server import until

pytestmark = [pytest.mark.deploy, pytest.mark.alone, pytest.mark.timeout(3000)]

ALERT_SECONDS = 180

FAILING = """
from airflow.sdk import dag, task

@dag(schedule=None, is_paused_upon_creation=False)
def fails_on_purpose():
    @task
    def fail(): raise ValueError("on purpose")
    fail()

fails_on_purpose()
"""


# -- roles


@pytest.fixture(scope="module")
def people(server):
    """A login of each role, made as an administrator makes them; their tokens."""
    tokens = {"Admin": server.token()}
    for role in ("Op", "User", "Viewer"):
        name, password = f"{role.lower()}-{secrets.token_hex(3)}", secrets.token_urlsafe(16)
        options = ("--username", name, f"--password={password}", "--role", role)
        options += ("--firstname", "A", "--lastname", role, "--email", f"{name}@example.com")
        server.compose("exec", "-T", "airflow-api-server", "airflow", "users", "create", *options)
        with server.client() as client:
            answer = client.post("/auth/token", json={"username": name, "password": password})
        assert answer.status_code == 201, answer.text
        tokens[role] = answer.json()["access_token"]
    return tokens


@pytest.fixture(scope="module")
def model(server):
    """A registered model with one version."""
    name = f"wine-{secrets.token_hex(3)}"
    server.mlflow("registered-models/create", name=name)
    run = server.mlflow("runs/create", experiment_id="0")["run"]["info"]
    source = f"{run['artifact_uri']}/model"
    server.mlflow("model-versions/create", name=name, source=source, run_id=run["run_id"])
    return name


ALL, EDITORS, ADMINS = {"Admin", "Op", "User", "Viewer"}, {"Admin", "Op", "User"}, {"Admin", "Op"}
SEARCH = ("POST", "/mlflow/ajax-api/2.0/mlflow/experiments/search", {"max_results": 1})
VISITS = {
    "sees the models page": ("GET", "/airfoil/models", None, ALL),
    "looks into MLflow": (*SEARCH, ALL),
    "looks at the status page": ("GET", "/status/api/status", None, ALL),
    "looks at metrics": ("GET", "/prometheus/api/v1/query?query=up", None, ALL),
    "looks at alerts": ("GET", "/alertmanager/api/v2/alerts", None, ALL),
    "starts a run": ("POST", "/api/v2/dags/simple_test_dag/dagRuns", {"logical_date": None}, EDITORS),
    "promotes a model": (
        "POST",
        "/mlflow/ajax-api/2.0/mlflow/registered-models/alias",
        {"name": "MODEL", "alias": "champion", "version": "1"},
        EDITORS,
    ),
    "makes an experiment": (
        "POST",
        "/mlflow/ajax-api/2.0/mlflow/experiments/create",
        {"name": "NEW"},
        EDITORS,
    ),
    "looks at workers": ("GET", "/flower/api/workers", None, EDITORS),
    "reads connections": ("GET", "/api/v2/connections", None, ADMINS),
    "reads variables": ("GET", "/api/v2/variables", None, ADMINS),
    "ends a worker": ("POST", "/flower/api/worker/shutdown/nobody", None, ADMINS),
    "makes users in MLflow": (
        "POST",
        "/mlflow/ajax-api/2.0/mlflow/users/create",
        {"username": "NEW", "password": "LONG"},
        ADMINS,
    ),
}


@pytest.mark.parametrize("deed", VISITS)
def test_a_role_may_what_it_may_and_no_more(server, people, model, deed):
    method, path, body, allowed = VISITS[deed]
    passed = set()
    for role, token in people.items():
        new = f"new-{secrets.token_hex(4)}"
        words = {"MODEL": model, "NEW": new, "LONG": secrets.token_urlsafe(16)}
        sent = {key: words.get(value, value) for key, value in body.items()} if body else None
        with server.client(cookies={"_token": token}) as browser:
            answer = browser.request(method, path, json=sent)
        # An administrator who ends a worker that is not there is told so: they were let in.
        assert answer.status_code < 300 or answer.status_code in {403, 404}, (role, answer.text[:500])
        if answer.status_code != 403:
            passed.add(role)
    assert passed == allowed


def test_a_person_is_known_to_mlflow_by_name(server, people):
    with server.client(cookies={"_token": people["Viewer"]}) as browser:
        said = browser.get("/mlflow/ajax-api/2.0/mlflow/users/current").json()
    assert said["user"]["username"].startswith("viewer-")
    assert said["user"]["is_admin"] is False


# -- metrics and alerts


@pytest.fixture(scope="module")
def ask(server):
    """Ask Prometheus by the proxy, as a person with a login."""

    def ask(expr):
        with server.client(cookies={"_token": server.token()}) as client:
            answer = client.get("/prometheus/api/v1/query", params={"query": expr})
        assert answer.is_success, answer.text
        return answer.json()["data"]["result"]

    return ask


def test_every_metric_is_fetched(ask):
    assert until(lambda: not ask("up == 0") and len(ask("up")) >= 9, "every target is up")


def test_every_promised_name_is_there(server, ask):
    dags = server.folder.parents[1] / "dags" / "fails_on_purpose.py"
    dags.write_text(FAILING)
    try:
        known = "/dags?dag_id_pattern=fails_on_purpose"
        until(lambda: server.api("GET", known)["total_entries"], "the DAG that fails is known")
        assert server.wait_for("fails_on_purpose", server.trigger("fails_on_purpose"))["state"] == "failed"
        assert server.wait_for("simple_test_dag", server.trigger("simple_test_dag"))["state"] == "success"
        until(lambda: all(ask(name) for name in PROMISED), f"all of {PROMISED}")
        alerting.wait_for(server, "AirflowDAGFailed", ALERT_SECONDS)
    finally:
        dags.unlink()


@pytest.mark.parametrize(
    "name",
    [
        "pg_up == 1",
        "redis_up == 1",
        "sum(flower_worker_online) >= 1",
        "mlflow_http_request_total",
        "airfoil_mlflow_up == 1",
        "airfoil_orphan_runs",
        "airfoil_certificate_not_after_timestamp_seconds",
        "airfoil_filesystem_free_bytes",
        "pg_settings_max_connections",
        "redis_memory_max_bytes",
    ],
)
def test_what_alerts_stand_on_is_there(ask, name):
    assert until(lambda: ask(name), name)
