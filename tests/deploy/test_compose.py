"""The Compose server that users get, started from a fresh copy of this checkout: what runs, where, and who may come in.

Images of registries are stood in for (stand_ins.py); everything else is what a user has.
"""

from __future__ import annotations

import json
import re
import time

import httpx
import pytest
from tests.deploy import compose_server, engine

pytestmark = [pytest.mark.deploy, pytest.mark.alone, pytest.mark.timeout(3000)]

AT_REST_MIB = 4096
LATE_SECONDS = 60
"""The run that stands for a DAG run is closed a moment after it."""
HEARD_SECONDS = 60
"""Flower hears of a worker by its next heartbeat."""
PAGES = ("mlflow/", "status/", "flower/", "features/health", "prometheus/", "alertmanager/")
WELL_KNOWN = (
    "admin",
    "airflow",
    "password",
    "password1234",
    "changeme",
    "airfoil",
    "mlflow",
    "postgres",
    "123456",
    "",
)


def test_all_services_are_healthy_in_time(server):
    print(f"healthy after {server.started_seconds:.0f} s: {json.dumps(server.states(), indent=1)}")
    assert server.started_seconds <= compose_server.HEALTHY_SECONDS
    well = re.compile(r"running \(healthy\)|exited \(0\)|running \(no check\)")
    assert {name: state for name, state in server.states().items() if not well.fullmatch(state)} == {}
    without = [name for name, state in server.states().items() if state == "running (no check)"]
    assert without == ["redis-exporter-1"], "its image has no shell to ask with"


def test_the_status_page_hears_every_one_of_them(server):
    wanted = f"{compose_server.WORKERS} online"  # the one for maintenance has a line of its own
    deadline = time.monotonic() + HEARD_SECONDS
    while (found := services_on_the_page(server))["airflow-worker"]["detail"] != wanted:
        assert time.monotonic() < deadline, found["airflow-worker"]
        time.sleep(1)
    print([(name, row["detail"]) for name, row in found.items()])
    assert [row for row in found.values() if not row["healthy"]] == []


def services_on_the_page(server):
    with server.client(cookies={"_token": server.token()}) as client:
        rows = client.get("/status/api/status").json()["services"]
    return {row["name"]: row for row in rows}


def test_memory_at_rest_is_within_the_budgets(server):
    used = server.memory_mib()
    total = sum(mib for mib, _ in used.values())
    print(f"{total:.0f} MiB: { {name: (round(mib), round(limit)) for name, (mib, limit) in used.items()} }")
    assert total <= AT_REST_MIB
    assert {name: mib for name, (mib, limit) in used.items() if mib > 0.9 * limit} == {}


def test_a_pipeline_runs_on_celery_with_its_artifacts_in_s3(server):
    run_id = server.trigger("example_dag")
    ended = server.wait_for("example_dag", run_id)
    assert ended["state"] == "success", server.tasks("example_dag", run_id)
    experiment = server.mlflow("experiments/search", max_results=100)["experiments"]
    ids = [one["experiment_id"] for one in experiment if one["name"] == "example_dag"]
    deadline = time.monotonic() + LATE_SECONDS
    while any(status != "FINISHED" for status in statuses(server, ids)):
        assert time.monotonic() < deadline, statuses(server, ids)
        time.sleep(1)
    with server.client(auth=server.mlflow_login) as client:
        answer = client.get("/mlflow/api/2.0/mlflow/registered-models/alias?name=wine&alias=champion")
    assert answer.json()["model_version"]["version"] == "1"
    assert any("model" in key for key in objects(server, "mlflow")), "the model is in the S3 store"


def statuses(server, experiment_ids: list[str]) -> list[str]:
    """How each run of some experiments stands in MLflow."""
    runs = server.mlflow("runs/search", experiment_ids=experiment_ids, max_results=100)["runs"]
    return [one["info"]["status"] for one in runs]


def objects(server, bucket: str) -> list[str]:
    """What lies in a bucket, asked from inside the network."""
    code = (
        "import boto3, sys\n"
        "pages = boto3.client('s3').get_paginator('list_objects_v2').paginate(Bucket=sys.argv[1])\n"
        "print('\\n'.join(row['Key'] for page in pages for row in page.get('Contents', [])))"
    )
    worker = ("exec", "-T", "airflow-worker", "python", "-c", code, bucket)
    return server.compose(*worker).splitlines()


def test_logs_of_tasks_are_read_after_their_workers_are_gone(server):
    run_id = server.trigger("simple_test_dag")
    assert server.wait_for("simple_test_dag", run_id)["state"] == "success"
    (task, *_) = server.tasks("simple_test_dag", run_id)
    path = f"/dags/simple_test_dag/dagRuns/{run_id}/taskInstances/{task.partition('[')[0]}/logs/1"
    server.compose(
        "up", "--detach", "--no-deps", "--force-recreate", "--scale", "airflow-worker=2", "airflow-worker"
    )
    text = json.dumps(server.api("GET", path))
    assert "s3://airflow-logs/" in text
    assert "Worker startup parse complete" in text, "what the task itself has said"
    healthy = "running (healthy)"
    deadline = time.monotonic() + 120
    while {state for name, state in server.states().items() if "worker" in name} != {healthy}:
        assert time.monotonic() < deadline, server.states()
        time.sleep(2)


# -- who may come in


def test_only_the_proxy_publishes_ports(server):
    names = server.compose("ps", "--format", "json").splitlines()
    published = {
        row["Service"]
        for row in map(json.loads, names)
        if any(one.get("PublishedPort") for one in row.get("Publishers") or [])
    }
    assert published == {"proxy"}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_with_airflows_login_alone(server, page):
    with server.client(follow_redirects=False) as client:
        anonymous = client.get(f"/{page}", headers={"Accept": "text/html"})
        assert anonymous.status_code in {302, 303, 307, 401, 403}, page
        forged = client.get(f"/{page}", headers={"X-Airfoil-User": "admin", "X-Airfoil-Role": "admin"})
        assert forged.status_code in {302, 303, 307, 401, 403}, page
    with server.client(cookies={"_token": server.token()}, follow_redirects=True) as client:
        assert client.get(f"/{page}").status_code == 200


@pytest.mark.parametrize("password", WELL_KNOWN)
def test_no_well_known_password_opens_anything(server, password):
    with server.client() as client:
        for name in ("admin", "airflow"):
            answer = client.post("/auth/token", json={"username": name, "password": password})
            assert answer.status_code in {400, 401, 403, 422, 429}, (name, answer.text)
            found = client.post(
                "/mlflow/api/2.0/mlflow/experiments/search", json={"max_results": 1}, auth=(name, password)
            )
            assert found.status_code == 401, (name, found.text)


def test_plain_http_is_sent_to_https_and_an_unknown_authority_is_refused(server):
    address, _, port = server.variables["HTTP_PORT"].rpartition(":")
    answer = httpx.get(f"http://{address}:{port}/home", trust_env=False)
    assert answer.status_code == 301
    assert answer.headers["location"].startswith("https://")
    with pytest.raises(httpx.ConnectError, match="certificate"):
        httpx.get(server.url, trust_env=False)


def test_what_tasks_talk_to_is_not_there_from_outside(server):
    with server.client() as client:
        assert client.get("/execution/health").status_code == 404


# -- what is inside


def test_nobody_of_ours_is_root_and_no_secret_stands_in_an_argument(server):
    secrets = {
        value
        for name, value in server.variables.items()
        if re.search("PASSWORD|SECRET|KEY|TOKEN", name) and len(value) >= 16
    }
    assert len(secrets) > 5
    for name in server.compose("ps", "--quiet").split():
        (found,) = json.loads(engine.docker("inspect", name))
        argv = " ".join([found["Path"], *found["Args"]])
        assert not [secret for secret in secrets if secret in argv], found["Name"]
        if found["Config"]["Image"].startswith("airfoil/"):
            assert found["Config"]["User"].split(":") == [server.variables["AIRFLOW_UID"], "0"], found["Name"]
            shown = engine.docker("top", name, "-eo", "pid,args")
            assert not [secret for secret in secrets if secret in shown], found["Name"]


def test_an_image_holds_no_secret_and_no_package_that_the_lock_does_not_name(server):
    from airfoil.stack.packages import constraints

    for image in ("airflow", "mlflow", "features", "status"):
        tag = (
            server.variables.get(f"{image.upper()}_IMAGE")
            or f"airfoil/{image}:{server.variables['AIRFOIL_TAG']}"
        )
        listed = engine.docker(
            *("run", "--rm", "--network", "none", tag, "python", "-c"),
            "from importlib.metadata import distributions as d; print(*{f'{x.name}=={x.version}' for x in d()})",
        ).split()
        found = dict(one.lower().replace("_", "-").split("==") for one in listed)
        found.pop("airfoil")
        pins = constraints.pins()
        strays = {name: version for name, version in found.items() if version not in pins.get(name, ())}
        assert {name for name in strays if name.replace(".", "-") not in pins} == set(), image
        text = engine.docker("history", "--no-trunc", tag)
        assert not [name for name, value in server.variables.items() if len(value) >= 20 and value in text]
