"""What a Compose server holds, told by digests: asked of its own containers, and not by the code that makes backups."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.deploy.compose_server import Server

HISTORY = {
    "dag_run": "select * from dag_run where {over}",
    "task_instance": (
        "select t.* from task_instance t join dag_run r using (dag_id, run_id) where {over_of_run}"
    ),
}
_OVER = "{r}state in ('success', 'failed') and {r}end_date < '{before}'"
_DIGEST = "select count(*), md5(string_agg(md5(x::text), '' order by md5(x::text))) from ({rows}) x"
_S3_DIGESTS = """
import boto3, hashlib, json, sys
s3, found = boto3.client("s3"), {}
for page in s3.get_paginator("list_objects_v2").paginate(Bucket=sys.argv[1]):
    for row in page.get("Contents", ()):
        digest = hashlib.sha256()
        for chunk in s3.get_object(Bucket=sys.argv[1], Key=row["Key"])["Body"].iter_chunks(1 << 20):
            digest.update(chunk)
        found[row["Key"]] = digest.hexdigest()
print(json.dumps(found))
"""
_REGISTRY = """
import json
from pathlib import Path
from airfoil.clients.feature_store.repository import open_repository
store = open_repository(Path("/opt/airfoil/project/features"))
views = {one.name: sorted(str(field) for field in one.schema) for one in store.list_feature_views()}
services = sorted(one.name for one in store.list_feature_services())
print(json.dumps({"views": views, "services": services, "entities": sorted(one.name for one in store.list_entities())}))
"""


def query(server: Server, database: str, statement: str) -> str:
    """Ask PostgreSQL inside its container."""
    command = ("psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database, "-c")
    return server.compose("exec", "-T", "postgres", *command, statement)


def history(server: Server, before: str) -> dict[str, str]:
    """Rows and digest of the DAG runs that were over before a moment, and of their task instances."""
    words = {
        "over": _OVER.format(r="", before=before),
        "over_of_run": _OVER.format(r="r.", before=before),
    }
    return {
        table: query(server, "airflow", _DIGEST.format(rows=rows.format(**words)))
        for table, rows in HISTORY.items()
    }


def inside(server: Server, service: str, *words: str) -> Any:
    """Run a command in a container; the JSON in the last line that it prints."""
    return json.loads(server.compose("exec", "-T", service, *words).splitlines()[-1])


def artifacts(server: Server) -> dict[str, str]:
    """The SHA-256 of everything in MLflow's bucket."""
    return dict(inside(server, "airflow-worker", "python", "-c", _S3_DIGESTS, "mlflow"))


def registry(server: Server) -> dict[str, Any]:
    """What Feast's registry describes."""
    return dict(inside(server, "airflow-worker", "python", "-c", _REGISTRY))


def tracked(server: Server) -> dict[str, Any]:
    """Every run with its metrics, parameters and tags, and every version with its aliases, as MLflow tells them."""
    experiments = server.mlflow("experiments/search", max_results=1000)["experiments"]
    names = {one["experiment_id"]: one["name"] for one in experiments}
    runs, token = [], ""
    while True:
        page = server.mlflow(
            "runs/search",
            experiment_ids=list(names),
            max_results=1000,
            **({"page_token": token} if token else {}),
        )
        runs += page.get("runs", [])
        if not (token := page.get("next_page_token", "")):
            break
    with server.client(auth=server.mlflow_login) as client:
        models = client.get("/mlflow/api/2.0/mlflow/registered-models/search?max_results=1000").json()
        versions = client.get("/mlflow/api/2.0/mlflow/model-versions/search?max_results=1000").json()
    return {
        "experiments": names,
        "runs": _by(runs, lambda run: run["info"]["run_id"]),
        "models": _by(models.get("registered_models", []), lambda one: one["name"]),
        "versions": _by(versions.get("model_versions", []), lambda one: f"{one['name']} {one['version']}"),
        "ledger": {
            run["info"]["run_id"]: sorted((row["key"], row["value"]) for row in run["data"].get("params", []))
            for run in runs
            if names[run["info"]["experiment_id"]] == "airfoil-ledger"
        },
    }


def _by(rows: list[dict[str, Any]], key: Any) -> dict[str, str]:
    """A digest for each, whatever order lists came in."""
    return {
        key(row): hashlib.sha256(json.dumps(_ordered(row), sort_keys=True).encode()).hexdigest()
        for row in rows
    }


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _ordered(one) for name, one in value.items()}
    if isinstance(value, list):
        return sorted((_ordered(one) for one in value), key=lambda one: json.dumps(one, sort_keys=True))
    return value


def online(server: Server, customers: list[int]) -> Any:
    """The features of some customers, as the feature server answers."""
    asked = {
        "features": ["customer_spending:spent_30d", "customer_visits:last_device"],
        "entities": {"customer_id": customers},
    }
    with server.client(cookies={"_token": server.token()}) as client:
        answer = client.post("/features/get-online-features", json=asked)
    assert answer.is_success, answer.text
    found = answer.json()
    return [found["metadata"]["feature_names"], [row["values"] for row in found["results"]]]
