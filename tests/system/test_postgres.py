"""Both databases on a real PostgreSQL server, pointed at by one address each."""

from __future__ import annotations

import time
from urllib.parse import unquote, urlsplit

import pytest
from tests.system import leaks
from tests.system.platforms import wait_until
from tests.system.witness import Ledger, faults_in

from airfoil.stack import process

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def on_postgres(make_platform, postgres):
    """A platform whose databases are new ones on the server; the addresses, with passwords, come by environment."""
    places = {
        "AIRFOIL_AIRFLOW_DATABASE": postgres.new_database(),
        "AIRFOIL_MLFLOW_DATABASE": postgres.new_database(),
    }
    platform = make_platform(template="all", environment=places)
    print(f"first up on PostgreSQL in {platform.up().seconds:.1f} s")
    return platform, places


def test_the_example_dags_run_on_postgres(on_postgres):
    platform, _ = on_postgres
    assert not platform.project.airflow_database.exists()
    assert not platform.project.mlflow_database.exists()
    for name in ("simple_test_dag", "example_dag"):
        done = platform.run("run", name)
        print(f"{name}: {done.seconds:.1f} s")
        assert done.code == 0, f"{done.said}\n{platform.last_words()}"


def test_the_servers_really_use_it(on_postgres, postgres):
    _, places = on_postgres
    airflow, mlflow = (urlsplit(url).path.strip("/") for url in places.values())
    assert postgres.execute("select count(*) from dag_run where state = 'success'", airflow)[0][0] >= 2
    assert postgres.execute("select count(*) from runs where status = 'FINISHED'", mlflow)[0][0] >= 1


def test_a_killed_scheduler_loses_nothing_there_either(on_postgres):
    platform, _ = on_postgres
    with platform.airflow() as airflow:
        airflow.set_paused("busy", paused=False)
        run_id = f"postgres-{time.time():.0f}"
        airflow.trigger("busy", {}, None, run_id)
        ledger = Ledger(platform.root / "ledger.jsonl", run_id)
        wait_until(lambda: "script" in ledger.in_flight(), 120, "the script in flight")
        scheduler = platform.pids()["scheduler"]
        began = time.monotonic()
        assert process.signal_process(scheduler, process.birth(scheduler), 9)
        wait_until(lambda: platform.pids().get("scheduler") not in {None, scheduler}, 60, "another scheduler")
        wait_until(lambda: platform.state().phase == "ready", 60, "all ready again")
        ready = time.monotonic() - began
        wait_until(
            lambda: airflow.run("busy", run_id)["state"] in {"success", "failed"}, 240, "the run's end"
        )
        took = time.monotonic() - began
        print(f"PostgreSQL, scheduler: ready again after {ready:.1f} s, run over after {took:.1f} s")
        assert airflow.run("busy", run_id)["state"] == "success"
    assert faults_in(ledger.bodies()) == []


def test_the_tools_and_a_second_up_use_it_too(on_postgres):
    platform, _ = on_postgres
    done = platform.run("airflow", "dags", "list-runs", "example_dag", "-o", "plain")
    assert "success" in done.out, done.said
    before = platform.pids()
    again = platform.up()
    assert "Already running" in again.out
    assert platform.pids() == before


def test_its_password_is_kept_where_the_others_are(on_postgres):
    platform, places = on_postgres
    found = {}
    for name, url in places.items():
        quoted = urlsplit(url).password
        found |= {name: quoted, f"{name} in the clear": unquote(quoted)}
    assert leaks.everywhere(platform, {**leaks.generated(platform), **found}) == []
