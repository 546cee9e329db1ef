"""The fall-back engine: every component started alone, unmodified, and the same promises."""

from __future__ import annotations

import time

import pytest
from tests.system.platforms import wait_until
from tests.system.witness import Ledger, Witness, faults_in, overlaps

from airfoil.stack import process

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]


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


def environment_of_ports():
    """The ports by environment instead of airfoil.toml."""
    from tests.system.platforms import free_ports

    names = ("AIRFOIL_AIRFLOW_PORT", "AIRFOIL_MLFLOW_PORT", "AIRFOIL_PAGE_PORT")
    return {name: str(port) for name, port in zip(names, free_ports(3), strict=True)}
