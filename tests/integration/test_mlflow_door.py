"""People reach a real MLflow through the proxy's word; machines by their accounts; nobody by a forged word."""

from __future__ import annotations

import os
import sys

import httpx
import pytest
from tests.integration.servers import free_port, serving

pytestmark = pytest.mark.integration

PASSWORD = "a-long-enough-secret"
PROXY_SECRET = "between-proxy-and-mlflow"


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory):
    """An MLflow below /mlflow, as on a server: nobody may do anything that no role gives them."""
    home = tmp_path_factory.mktemp("mlflow")
    port = free_port()
    settings = home / "auth.ini"
    settings.write_text(
        "[mlflow]\ndefault_permission = NO_PERMISSIONS\n"
        f"database_uri = sqlite:///{home}/auth.db\nauth_cache_ttl_seconds = 300\n"
        "authorization_function = airfoil.runtime.mlflow_door:authorize\n"
    )
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{home}/mlflow.db", "--app-name", "basic-auth"]
    command += ["--artifacts-destination", str(home / "files"), "--static-prefix", "/mlflow"]
    environment = os.environ | {
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_AUTH_CONFIG_PATH": str(settings),
        "MLFLOW_AUTH_ADMIN_USERNAME": "admin",
        "MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "for this test only",
        "AIRFOIL_MLFLOW_PROXY_SECRET": PROXY_SECRET,
        "AIRFOIL_MLFLOW_ACCOUNTS": '{"airflow": "unused here"}',
    }
    url = f"http://127.0.0.1:{port}/mlflow"
    health = f"{url}/health"
    with serving(command, folder=home, environment=environment, log=home / "log", health=health):
        yield url


@pytest.fixture
def visit(mlflow):
    """Send a request as the proxy does for somebody, or as anybody else."""

    def visit(who, method, path, secret=PROXY_SECRET, **options):
        headers = {}
        if who:
            name, role = who
            headers = {"X-Airfoil-User": name, "X-Airfoil-Role": role, "X-Airfoil-Proxy-Secret": secret}
        return httpx.request(method, f"{mlflow}{path}", headers=headers, timeout=30, **options)

    return visit


VERA, EMIL, ADA = ("vera", "viewer"), ("emil", "editor"), ("ada", "admin")
API = "/api/2.0/mlflow"


@pytest.fixture(scope="module")
def model(mlflow):
    """A registered model, made by the first account itself with its password."""
    with httpx.Client(base_url=mlflow, auth=("admin", PASSWORD), timeout=30) as machine:
        assert machine.post(f"{API}/registered-models/create", json={"name": "wine"}).status_code == 200
        run = machine.post(f"{API}/runs/create", json={"experiment_id": "0"}).json()["run"]["info"]
        body = {"name": "wine", "source": f"{run['artifact_uri']}/model", "run_id": run["run_id"]}
        made = machine.post(f"{API}/model-versions/create", json=body)
        assert made.status_code == 200, made.text
        return made.json()["model_version"]


@pytest.mark.parametrize("secret", ["", "guessed"])
def test_who_is_not_the_proxy_is_not_believed(visit, secret):
    said = visit(ADA, "POST", f"{API}/experiments/search", secret, json={"max_results": 1})
    assert said.status_code == 401
    assert said.headers["WWW-Authenticate"].startswith("Basic")


def test_without_login_nothing_is_shown(visit):
    assert visit(None, "GET", f"{API}/registered-models/search").status_code == 401
    assert visit(None, "GET", "/api/2.0/mlflow-artifacts/artifacts?path=0").status_code == 401


def test_a_password_still_works_for_machines_and_a_wrong_one_does_not(mlflow):
    for password, status in ((PASSWORD, 200), ("password1234", 401)):
        said = httpx.get(f"{mlflow}{API}/registered-models/search", auth=("admin", password), timeout=30)
        assert said.status_code == status


def test_a_viewer_sees_and_changes_nothing(visit, model):
    found = visit(VERA, "GET", f"{API}/registered-models/search").json()["registered_models"]
    assert [one["name"] for one in found] == ["wine"]
    assert visit(VERA, "POST", f"{API}/experiments/search", json={"max_results": 5}).json()["experiments"]
    assert visit(VERA, "GET", "/").status_code == 200
    alias = {"name": "wine", "alias": "champion", "version": model["version"]}
    for method, path, body in (
        ("POST", f"{API}/registered-models/alias", alias),
        ("POST", f"{API}/experiments/create", {"name": "hers"}),
        ("POST", f"{API}/registered-models/create", {"name": "hers"}),
        ("DELETE", f"{API}/model-versions/delete", {"name": "wine", "version": model["version"]}),
        ("PUT", "/api/2.0/mlflow-artifacts/artifacts/0/hers/file.txt", {}),
        ("PATCH", f"{API}/users/update-admin", {"username": "vera", "is_admin": True}),
    ):
        said = visit(VERA, method, path, json=body)
        assert said.status_code == 403, f"{path}: {said.text}"
    got = visit(VERA, "GET", f"{API}/registered-models/get?name=wine").json()["registered_model"]
    assert "aliases" not in got


def test_an_editor_works_with_what_others_made(visit, model):
    alias = {"name": "wine", "alias": "champion", "version": model["version"]}
    assert visit(EMIL, "POST", f"{API}/registered-models/alias", json=alias).status_code == 200
    run = visit(EMIL, "POST", f"{API}/runs/create", json={"experiment_id": "0"})
    assert run.status_code == 200
    create = {"username": "by-emil", "password": "a-password-of-length"}
    assert visit(EMIL, "POST", f"{API}/users/create", json=create).status_code == 403
    made = visit(EMIL, "POST", f"{API}/registered-models/create", json={"name": "his"})
    assert made.status_code == 200


def test_an_admin_may_all_and_stops_being_one_with_the_role(visit):
    create = {"username": "made-by-ada", "password": "a-password-of-length"}
    assert visit(ADA, "POST", f"{API}/users/create", json=create).status_code == 200
    once = ("ada", "editor")
    other = {"username": "made-later", "password": "a-password-of-length"}
    assert visit(once, "POST", f"{API}/users/create", json=other).status_code == 403
    demoted = ("ada", "viewer")
    assert visit(demoted, "POST", f"{API}/runs/create", json={"experiment_id": "0"}).status_code == 403


def test_a_person_called_like_a_service_account_is_not_it(visit, mlflow):
    assert visit(("admin", "viewer"), "POST", f"{API}/experiments/search", json={"max_results": 1}).is_success
    said = httpx.get(f"{mlflow}{API}/registered-models/search", auth=("admin", PASSWORD), timeout=30)
    assert said.status_code == 200
    create = {"username": "from-admin", "password": "a-password-of-length"}
    made = httpx.post(f"{mlflow}{API}/users/create", json=create, auth=("admin", PASSWORD), timeout=30)
    assert made.status_code == 200, "the first account is still an administrator"


def test_a_person_called_like_an_account_that_an_administrator_made_is_not_it(visit, mlflow):
    ci = ("ci", PASSWORD)
    body = {"username": "ci", "password": PASSWORD}
    assert visit(ADA, "POST", f"{API}/users/create", json=body).status_code == 200
    # The person ci is an administrator in Airflow; the account is none, and owns nothing afterwards either.
    made = visit(("ci", "admin"), "POST", f"{API}/registered-models/create", json={"name": "of-a-person"})
    assert made.status_code == 200
    later = {"username": "from-ci", "password": PASSWORD}
    assert visit(("ci", "admin"), "POST", f"{API}/users/create", json=later).status_code == 200
    said = httpx.post(f"{mlflow}{API}/users/create", json=later | {"username": "x"}, auth=ci, timeout=30)
    assert said.status_code == 403
    gone = httpx.request(
        "DELETE", f"{mlflow}{API}/registered-models/delete", json={"name": "of-a-person"}, auth=ci, timeout=30
    )
    assert gone.status_code == 403
    for name, is_admin in (("ci", False), ("ci.person", True)):
        user = visit(ADA, "GET", f"{API}/users/get?username={name}").json()["user"]
        assert user["is_admin"] is is_admin
