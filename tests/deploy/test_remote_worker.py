"""A worker on another host: a second Docker network stands for it, in which the server's proxy alone can be reached.

DAG files come from a private git repository on this machine, so that both kinds of workers follow it.
"""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import time

import httpx
import pytest
import yaml
from tests.deploy import compose_server, engine
from tests.deploy.test_compose_outside import PORTS, SCAN
from tests.integration.git_repository import TOKEN, Repository, served
from tests.sizes import FULL

pytestmark = [
    pytest.mark.deploy,
    pytest.mark.alone,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not FULL, reason="a Compose server of its own, at full size (FULL=1)"),
]

NETWORK = "airfoil-outside"
SUBNET = "172.31.250.0/24"
PROXY = "172.31.250.2"
GATEWAY = "172.31.250.1"
IMAGES = {"AIRFLOW_IMAGE": "airfoil/airflow:outside", "MLFLOW_IMAGE": "airfoil/mlflow:outside"}
DAG = """
from __future__ import annotations

from airflow.sdk import Param, dag, task


@dag(schedule=None, tags=["test"], params={"hosts": Param([], type="array")})
def far():
    @task
    def near() -> dict:
        import socket

        return {"host": socket.gethostname()}

    @task.mlflow(queue="edge")
    def away(mlflow_run, params) -> dict:
        import socket
        import sys
        from pathlib import Path

        mlflow_run.log_params({"where": socket.gethostname()})
        found = []
        for host, port in params["hosts"]:
            try:
                socket.create_connection((host, port), timeout=1).close()
            except OSError:
                continue
            found.append([host, port])
        print("seen from far away")
        return {"found": found, "environ": Path("/proc/1/environ").exists(), "name": sys.platform}

    @task(queue="edge")
    def far_artifact(x: dict) -> str:
        import os
        import tempfile

        import mlflow

        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "proof.txt")
            with open(path, "w") as file:
                file.write("from far away")
            mlflow.set_experiment("far")
            with mlflow.start_run() as run:
                mlflow.log_artifact(path)
            return run.info.run_id

    far_artifact(away()) << near()


far()
"""


# Of the same name, id and task as the shipped one, in the second case.
THIEF = """
from airflow.sdk import dag, task


@dag(schedule=None)
def {name}():
    @task(queue="maintenance")
    def create():
        import os

        print("stolen", os.environ.get("FERNET_KEY"))

    create()


{name}()
"""


def airfoil(server, *arguments):
    """Run a command of ours in the server's project."""
    argv = [sys.executable, "-m", "airfoil", *arguments]
    return subprocess.run(argv, cwd=server.folder.parents[1], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """Where the DAG files are."""
    found = Repository(tmp_path_factory.mktemp("git"))
    found.commit("far", "far", DAG)
    return found


@pytest.fixture(scope="module")
def address(repository):
    """Where both kinds of workers find it: the machine's address in the second network, once that is there."""
    with served(repository, GATEWAY) as found:
        yield found


@pytest.fixture(scope="module")
def server(request, docker_engine, tmp_path_factory):
    """A server whose proxy is in a second network, under an address of that network."""
    root = tmp_path_factory.mktemp("outside")
    engine.docker("network", "create", "--subnet", SUBNET, "--gateway", GATEWAY, NETWORK)
    try:
        given = {
            "DAGS_GIT_URL": request.getfixturevalue("address"),
            "DAGS_GIT_FOLDER": "flows",
            "DAGS_GIT_SECONDS": "5",
            "DAGS_GIT_TOKEN": TOKEN,
        }
        made = compose_server.made(root, AIRFOIL_HOST=PROXY, AIRFOIL_PARTS="maintenance", **IMAGES, **given)
        compose_server.set_variables(made.folder, {"HTTPS_PORT": "127.0.0.251:443"})
        compose_server.render(root / "project")
        file = made.folder / compose_server.TEST_FILE
        more = yaml.safe_load(file.read_text(encoding="utf-8"))
        more["services"]["proxy"] = {"networks": {"private": {}, "outside": {"ipv4_address": PROXY}}}
        more["networks"] = {"outside": {"name": NETWORK, "external": True}}
        file.write_text(yaml.safe_dump(more), encoding="utf-8")
        with compose_server.running(compose_server.attached(made.folder), workers=1) as found:
            yield found
    finally:
        engine.docker("network", "rm", NETWORK)


@pytest.fixture(scope="module")
def worker(server, tmp_path_factory):
    """The worker's host: a folder with the one file, and a network that reaches the proxy."""
    (server.folder / "ca.crt").write_text(server.authority(), encoding="utf-8")
    with server.client() as client:
        assert client.get("/execution/health").status_code == 404, "closed until somebody opens it"
    done = airfoil(server, "deploy", "worker", "far-1")
    assert done.returncode == 0, done.stderr
    assert "docker compose up -d" in done.stdout
    server.compose("up", "--detach", "--wait", "--wait-timeout", "300")
    host = tmp_path_factory.mktemp("host")
    (server.folder / "worker-far-1.yaml").rename(host / "worker-far-1.yaml")
    network = {"networks": {"default": {"name": NETWORK, "external": True}}}
    (host / "network.yaml").write_text(yaml.safe_dump(network), encoding="utf-8")
    compose = engine.Compose(host, {"COMPOSE_FILE": "worker-far-1.yaml:network.yaml"})
    try:
        compose("up", "--detach", "--wait", "--wait-timeout", "200")
        yield compose
    finally:
        print(compose("logs", "--no-log-prefix", "--tail", "60", check=False))
        compose("down", "--volumes", "--timeout", "10", check=False)


@pytest.fixture(scope="module")
def inside(server):
    """Every place of the private network that listens, by address."""
    found = {}
    for name in server.compose("ps", "--quiet").split():
        (one,) = json.loads(engine.docker("inspect", name))
        for network, place in one["NetworkSettings"]["Networks"].items():
            if network != NETWORK:
                found[place["IPAddress"]] = one["Config"]["Labels"]["com.docker.compose.service"]
    return found


def test_tasks_of_its_queue_run_there_and_reach_mlflow_and_nothing_inside(server, worker, inside):
    hosts = [
        [host, port]
        for host in (*inside, "postgres", "redis", "airflow-api-server")
        for port in (5432, 6379, 8080, 5000, 8333)
    ]
    run_id = server.trigger("far", hosts=hosts)
    run = server.wait_for("far", run_id)
    assert run["state"] == "success", (server.tasks("far", run_id), worker("logs", "--tail", "80"))
    rows = server.api("GET", f"/dags/far/dagRuns/{run_id}/taskInstances")["task_instances"]
    where = {row["task_id"]: (row["hostname"], row["executor"]) for row in rows}
    assert where["away"] == where["far_artifact"] == ("far-1", "EdgeExecutor")
    assert where["near"][0] != "far-1"
    said = server.api("GET", f"/dags/far/dagRuns/{run_id}/taskInstances/away/xcomEntries/return_value")
    value = said["value"] if isinstance(said["value"], dict) else json.loads(said["value"])
    assert value["found"] == []
    other = server.api(
        "GET", f"/dags/far/dagRuns/{run_id}/taskInstances/far_artifact/xcomEntries/return_value"
    )
    mlflow_id = other["value"].strip('"')
    with server.client(auth=server.mlflow_login) as client:
        listed = client.get("/mlflow/api/2.0/mlflow/artifacts/list", params={"run_id": mlflow_id}).json()
    assert [one["path"] for one in listed["files"]] == ["proof.txt"]


def test_a_push_counts_on_both_kinds_of_workers_and_nothing_is_started_anew(server, worker, repository):
    before = server.compose("ps", "--quiet")
    repository.commit("far", "later", DAG.replace("seen from far away", "seen from far away, later"))
    newest = repository.commit("pushed", "a new one")

    def is_there():
        found = server.api("GET", "/dags?limit=50")["dags"]
        return {dag["dag_id"]: dag["bundle_version"] for dag in found} == {"far": newest, "pushed": newest}

    compose_server.until(is_there, "both DAGs of the newest commit", 90)
    for dag_id in ("pushed", "far"):
        run_id = server.trigger(dag_id)
        assert server.wait_for(dag_id, run_id)["state"] == "success", server.tasks(dag_id, run_id)
    assert server.compose("ps", "--quiet") == before
    said = json.dumps(server.api("GET", f"/dags/far/dagRuns/{run_id}/taskInstances/away/logs/1"))
    assert "seen from far away, later" in said
    logs = server.compose("logs", "--no-log-prefix") + worker("logs", "--no-log-prefix")
    assert TOKEN not in logs + said


def test_its_log_is_read_when_it_is_gone_and_the_api_server_another(server, worker):
    run_id = server.trigger("far")
    assert server.wait_for("far", run_id)["state"] == "success"
    worker("stop", "--timeout", "60")
    server.compose("up", "--detach", "--force-recreate", "--no-deps", "--wait", "airflow-api-server")
    path = f"/dags/far/dagRuns/{run_id}/taskInstances/away/logs/1"
    said = json.dumps(server.api("GET", path))
    worker("start")
    assert "seen from far away" in said


def test_nothing_but_the_proxy_answers_in_its_network(server, worker, inside):
    image = IMAGES["AIRFLOW_IMAGE"]
    command = ("run", "--rm", "--network", NETWORK, "--entrypoint", "python", image, "-c", SCAN)
    hosts = ",".join([*inside, PROXY])
    said = {tuple(one) for one in json.loads(engine.docker(*command, hosts, json.dumps(PORTS), timeout=300))}
    assert said == {(PROXY, 80), (PROXY, 443)}


def test_its_token_is_good_for_nothing_else(server, worker):
    text = engine.docker("inspect", worker("ps", "--quiet"))
    environment = dict(line.split("=", 1) for line in json.loads(text)[0]["Config"]["Env"])
    token = environment["AIRFOIL_WORKER_TOKEN"]
    secrets = {name: value for name, value in server.variables.items() if name.isupper() and len(value) > 20}
    for name in ("JWT_SECRET", "FERNET_KEY", "API_SECRET_KEY", "POSTGRES_PASSWORD", "S3_SECRET_ACCESS_KEY"):
        assert secrets[name] not in text, name
    context = ssl.create_default_context(cadata=server.authority())
    with httpx.Client(base_url=server.url, verify=context, trust_env=False) as client:
        for form in (token, f"Bearer {token}"):
            for path in ("/api/v2/dags", "/api/v2/connections", "/execution/connections/mlflow_default"):
                assert client.get(path, headers={"Authorization": form}).status_code in {401, 403}, path
        body = {"queues": None, "free_concurrency": 1}
        answer = client.post("/edge_worker/v1/jobs/fetch/far-2", headers={"Authorization": token}, json=body)
        assert answer.status_code == 403
        assert client.get("/execution/docs").status_code == 404


def test_a_worker_that_was_dismissed_is_refused(server, worker):
    done = airfoil(server, "deploy", "worker", "far-1", "--remove")
    assert done.returncode == 0, done.stderr
    deadline = time.monotonic() + 60
    while "403" not in worker("logs", "--tail", "40"):
        assert time.monotonic() < deadline, "it still speaks"
        time.sleep(1)


def test_a_dag_of_the_project_does_not_run_where_the_keys_are(server, repository):
    repository.commit("thief", "thief", THIEF.format(name="thief"))
    repository.commit("platform_backup", "double", THIEF.format(name="platform_backup"))

    def are_read():
        known = {dag["dag_id"] for dag in server.api("GET", "/dags?limit=50")["dags"]}
        errors = json.dumps(server.api("GET", "/importErrors"))
        return "platform_backup" in known and "names the queue maintenance" in errors and "thief" not in known

    compose_server.until(are_read, "one refused, the other known", 90)
    run_id = server.trigger("platform_backup")
    server.wait_for("platform_backup", run_id, 180)
    path = f"/dags/platform_backup/dagRuns/{run_id}/taskInstances/create"
    assert server.api("GET", path)["state"] == "success"
    said = json.dumps(server.api("GET", f"{path}/logs/1"))
    assert "stolen" not in said
    assert "/tmp/airfoil-maintenance/dags/platform_backup.py" in said
