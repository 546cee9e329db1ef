"""The fall-back engine: every component started alone, unmodified, and the same promises."""

from __future__ import annotations

import json
import socket
import time

import pytest
from tests.sizes import full_only
from tests.system.faults import assert_nothing_started, refusal, told
from tests.system.platforms import SERVICES, fetch, free_ports, wait_until
from tests.system.witness import Ledger, Witness, faults_in, overlaps

from airfoil.stack import process

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]


@full_only
def test_a_plain_platform_keeps_a_run_through_a_killed_scheduler(make_platform):
    platform = make_platform(
        ports=False, environment={"AIRFOIL_STACK_ENGINE": "plain", **environment_of_ports()}
    )
    up = platform.up()
    assert platform.state().engine == "plain"
    assert platform.state().service("preload") is None
    with platform.airflow() as airflow, Witness(platform) as witness:
        airflow.set_paused("busy", paused=False)
        run_id = f"plain-{time.time():.0f}"
        airflow.trigger("busy", {}, None, run_id)
        ledger = Ledger(platform.root / "ledger.jsonl", run_id)
        wait_until(
            lambda: "script" in ledger.in_flight() and len(ledger.in_flight()) > 1, 120, "tasks in flight"
        )
        scheduler = platform.pids()["scheduler"]
        assert process.signal_process(scheduler, process.birth(scheduler), 9)
        began = time.monotonic()

        def is_back():
            row = platform.state().service("scheduler")
            return row.state == "ready" and row.pid != scheduler

        ready = wait_until(is_back, 120, "a new scheduler")
        wait_until(lambda: airflow.run("busy", run_id)["state"] != "running", 300, "the run's end")
        took = time.monotonic() - began
        assert airflow.run("busy", run_id)["state"] == "success", platform.last_words()
    bodies = ledger.bodies()
    further = sorted(f"{key.task} ({key.number})" for key in bodies if key.number > 1)
    down = platform.down()
    print(
        f"plain: up {up.seconds:.1f} s, scheduler ready again after {ready:.1f} s, run over after {took:.1f} s, "
        f"down {down.seconds:.1f} s, further tries: {further}"
    )
    assert faults_in(bodies) == []
    assert witness.twins(run_id) == []
    assert overlaps(bodies, witness) == []
    assert platform.leftovers() == []


@full_only
def test_every_service_that_is_killed_comes_back_and_work_goes_on(make_platform):
    platform = make_platform({"stack": {"engine": "plain"}})
    platform.up()
    before = platform.pids()
    began = time.monotonic()
    for name in SERVICES:
        assert process.signal_process(before[name], process.birth(before[name]), 9), name

    def all_are_back():
        rows = {row.name: row for row in platform.state().services}
        return all(rows[name].state == "ready" and rows[name].pid != before[name] for name in SERVICES)

    seconds = wait_until(all_are_back, 180, "every service anew")
    assert platform.run("status").code == 0
    ran = platform.run("run", "simple_test_dag")
    assert ran.code == 0, ran.said
    assert platform.url("mlflow")
    assert fetch(f"{platform.url('mlflow')}/health").status == 200
    print(
        f"plain: six services killed at once, all ready again after {seconds:.1f} s ({time.monotonic() - began:.0f} s)"
    )
    again = platform.up()
    assert "Already running" in again.out
    platform.down()
    assert platform.leftovers() == []


def test_a_taken_port_is_refused_as_by_the_other_engine(new_platform):
    (port,) = free_ports(1)
    new_platform.configure({"stack": {"engine": "plain"}, "mlflow": {"port": port}})
    with socket.create_server(("127.0.0.1", port)):
        said = refusal(new_platform.run("up"))
    assert said.sentence.startswith(f"Port {port}, which you set for mlflow, is in use by ")
    assert_nothing_started(new_platform)


@full_only
def test_a_dead_database_of_mlflow_is_said_soon(new_platform):
    new_platform.configure(
        {
            "stack": {"engine": "plain"},
            "mlflow": {"database": "postgresql://mlflow:s3cret-pw@127.0.0.1:1/mlflow"},
        }
    )
    done = new_platform.run("up")
    print(f"plain: a dead database of MLflow is given up after {done.seconds:.0f} s")
    said = told(done)
    assert "MLflow's database postgresql://mlflow:***@127.0.0.1:1/mlflow cannot be used" in done.err
    assert said.move
    assert "s3cret-pw" not in done.said + new_platform.last_words()
    assert new_platform.state().service("scheduler").state in {"ready", "starting"}, (
        "Airflow is not its hostage"
    )


def test_an_airflow_that_was_not_tested_runs_plainly_and_everybody_is_told(new_platform, tmp_path):
    """The package says that it was tested with another one."""
    fake = tmp_path / "fake"
    fake.mkdir()
    fake.joinpath("sitecustomize.py").write_text(
        "from importlib import metadata\n"
        "real = metadata.requires\n"
        "metadata.requires = lambda name: ['apache-airflow-core>=2.9,<3'] if name == 'airfoil' else real(name)\n"
    )
    new_platform.environment["PYTHONPATH"] = str(fake)
    explained = new_platform.run("up", "--explain", "--json")
    assert explained.code == 0, explained.said
    found = json.loads(explained.out)
    assert found["engine"]["name"] == "plain"
    assert "is not one this release was tested with (<3,>=2.9)" in found["notices"][0]
    assert_nothing_started(new_platform)
    doctor = new_platform.run("doctor")
    assert "its components run unmodified" in doctor.out


def environment_of_ports():
    """The ports by environment instead of airfoil.toml."""
    from tests.system.platforms import free_ports

    names = ("AIRFOIL_AIRFLOW_PORT", "AIRFOIL_MLFLOW_PORT", "AIRFOIL_PAGE_PORT")
    return {name: str(port) for name, port in zip(names, free_ports(3), strict=True)}
