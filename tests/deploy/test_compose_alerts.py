"""Alerts on a running server, each made to fire by what it is for, and seen to end: services killed, data, a date.

The rules are those that are shipped but for how long they wait before they tell; what they ask and compare is as it is:
a backup of 27 hours ago is one by its name.
"""

from __future__ import annotations

import re
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta

import psycopg2
import pytest
from tests.deploy import alerting
from tests.sizes import full_only

pytestmark = [pytest.mark.deploy, pytest.mark.alone, pytest.mark.timeout(3000), full_only]

PATIENCE_SECONDS = 240
OUTAGES = {
    # What stays up to tell of it: the exporter, Flower, the status page.
    ("airflow-worker", "airflow-dag-processor", "airflow-triggerer", "feature-server"): {
        "CeleryWorkersGone",
        "AirflowDagProcessorDown",
        "AirflowTriggererDown",
        "ServiceDown",
    },
    ("redis", "redis-exporter"): {"MetricsMissing"},
    ("redis",): {"RedisDown"},
    ("postgres",): {"PostgresDown"},
    ("airflow-scheduler",): {"AirflowSchedulerDown"},
    ("mlflow",): {"MlflowDown"},
}
BROKEN = "import a_module_that_nobody_has\n\nfrom airflow.sdk import dag\n"
KEEP = (
    "import pathlib, sys; p = pathlib.Path('/backups/platform/backups'); p.mkdir(parents=True, exist_ok=True)"
)
CROWD = 175
"""Of the 200 connections that PostgreSQL has: more than 85 of 100."""


@pytest.fixture(scope="module", autouse=True)
def hurried(server):
    """Rules that wait for seconds."""
    with alerting.hurried_rules(server):
        yield


def fires(server, names):
    """Wait until all of these are told, or fail; how long each took."""
    seconds = {name: alerting.wait_for(server, name, PATIENCE_SECONDS) for name in sorted(names)}
    print({name: round(took) for name, took in seconds.items()})
    return seconds


def ends(server, names):
    for name in names:
        alerting.wait_for(server, name, PATIENCE_SECONDS, gone=True)


@contextmanager
def away(server, services):
    server.compose("kill", *services)
    try:
        yield
    finally:
        server.compose("start", *services)


@pytest.mark.parametrize("services", OUTAGES, ids="+".join)
def test_people_are_told_of_what_is_gone_and_of_its_return(server, services):
    names = OUTAGES[services]
    ends(server, names)
    with away(server, services):
        assert fires(server, names)
    ends(server, names)


def test_people_are_told_of_a_dag_file_that_cannot_be_imported(server):
    file = server.folder.parents[1] / "dags" / "broken_on_purpose.py"
    file.write_text(BROKEN)
    try:
        assert fires(server, {"AirflowImportErrors"})
    finally:
        file.unlink()
    ends(server, {"AirflowImportErrors"})


@pytest.mark.parametrize(("fault", "alert"), [("drifted", "DriftFound"), ("dirty", "DatasetFailed")])
def test_people_are_told_of_data_that_is_not_as_it_should_be(server, fault, alert):
    def check(fault):
        dag = "data_validation_pipeline"
        return server.wait_for(dag, server.trigger(dag, fault=fault))["state"]

    assert check("none") == "success"
    ends(server, {alert})
    assert check(fault) == "failed"
    assert fires(server, {alert})
    assert check("none") == "success"
    ends(server, {alert})


def test_people_are_told_of_a_redis_that_is_full(server):
    used_bytes = int(re.search(r"used_memory:(\d+)", server.redis("INFO", "memory"))[1])
    assert server.redis("CONFIG", "SET", "maxmemory", str(used_bytes * 20 // 19)) == "OK"
    try:
        assert fires(server, {"RedisFull"})
    finally:
        assert server.redis("CONFIG", "SET", "maxmemory", "192mb") == "OK"
    ends(server, {"RedisFull"})


def test_people_are_told_when_hardly_a_connection_to_postgres_is_left(server):
    """And PostgreSQL holds so many within its memory."""
    where = {"host": server.address("postgres"), "user": "airflow", "dbname": "airflow"}
    password = server.variables["AIRFLOW_DATABASE_PASSWORD"]
    with ExitStack() as crowd:
        for _ in range(CROWD):
            crowd.enter_context(closing(psycopg2.connect(**where, password=password)))
        assert fires(server, {"PostgresConnectionsHigh"})
        used, limit = server.memory_mib()["postgres-1"]
    print(f"PostgreSQL: {used:.0f} of {limit:.0f} MiB with {CROWD} more connections")
    assert used < limit
    ends(server, {"PostgresConnectionsHigh"})


def test_people_are_told_of_a_backup_of_27_hours_ago_and_no_more_after_a_new_one(server):
    def inside(code):
        server.compose("exec", "-T", "maintenance", "python", "-c", f"{KEEP}; {code}")

    old = f"{datetime.now(UTC) - timedelta(hours=27):%Y%m%dT%H%M%S}000Z-dead.json"
    inside("[one.rename(one.with_suffix('.kept')) for one in p.glob('*.json')]")
    inside(f"(p / '{old}').write_text('{{}}')")
    try:
        assert fires(server, {"BackupOld"})
        inside(f"(p / '{old}').unlink()")
        command = ("python", "-m", "airfoil.runtime.container.maintenance", "backup", "create")
        server.compose("exec", "-T", "maintenance", *command)
        ends(server, {"BackupOld"})
    finally:
        inside(f"(p / '{old}').unlink(missing_ok=True)")
        inside("[one.rename(one.with_suffix('.json')) for one in p.glob('*.kept')]")
