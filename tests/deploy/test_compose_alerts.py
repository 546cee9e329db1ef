"""Alerts on a running server, each made to fire by what it is for, and seen to end: services killed, a file, a date.

The rules are those that are shipped but for how long they wait before they tell (`hurried`); what they ask and compare
is as it is: a backup of 27 hours ago is one by its name.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from tests.deploy.compose_server import until
from tests.deploy.test_compose_watch import alerts, hurried
from tests.sizes import full_only

__all__ = ["hurried"]

pytestmark = [pytest.mark.deploy, pytest.mark.alone, pytest.mark.timeout(3000), full_only]

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
}
BROKEN = "import a_module_that_nobody_has\n\nfrom airflow.sdk import dag\n"
KEEP = (
    "import pathlib, sys; p = pathlib.Path('/backups/platform/backups'); p.mkdir(parents=True, exist_ok=True)"
)


def fires(server, names):
    """Wait until all of these are told; how long each took."""
    began, seconds = time.monotonic(), {}

    def all_there():
        seconds.update({name: seconds.get(name, time.monotonic() - began) for name in alerts(server) & names})
        return set(seconds) >= names

    until(all_there, f"{names - set(seconds)}")
    print({name: round(took) for name, took in seconds.items()})


def ends(server, names):
    until(lambda: not alerts(server) & names, f"the end of {names}")


@contextmanager
def away(server, services):
    server.compose("kill", *services)
    try:
        yield
    finally:
        server.compose("start", *services)


@pytest.mark.parametrize("services", OUTAGES, ids="+".join)
def test_people_are_told_of_what_is_gone_and_of_its_return(server, hurried, services):
    names = OUTAGES[services]
    ends(server, names)
    with away(server, services):
        fires(server, names)
    ends(server, names)


def test_people_are_told_of_a_dag_file_that_cannot_be_imported(server, hurried):
    file = server.folder.parents[1] / "dags" / "broken_on_purpose.py"
    file.write_text(BROKEN)
    try:
        fires(server, {"AirflowImportErrors"})
    finally:
        file.unlink()
    ends(server, {"AirflowImportErrors"})


def test_people_are_told_of_a_backup_of_27_hours_ago_and_no_more_after_a_new_one(server, hurried):
    def inside(code):
        server.compose("exec", "-T", "maintenance", "python", "-c", f"{KEEP}; {code}")

    old = f"{datetime.now(UTC) - timedelta(hours=27):%Y%m%dT%H%M%S}000Z-dead.json"
    inside("[one.rename(one.with_suffix('.kept')) for one in p.glob('*.json')]")
    inside(f"(p / '{old}').write_text('{{}}')")
    try:
        fires(server, {"BackupOld"})
        inside(f"(p / '{old}').unlink()")
        command = ("python", "-m", "airfoil.runtime.container.maintenance", "backup", "create")
        server.compose("exec", "-T", "maintenance", *command)
        ends(server, {"BackupOld"})
    finally:
        inside(f"(p / '{old}').unlink(missing_ok=True)")
        inside("[one.rename(one.with_suffix('.json')) for one in p.glob('*.kept')]")
