"""The platform as a person meets it: up, look, run, down, and up again, through the real command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import pytest
from tests.sizes import full_only
from tests.system.platforms import AIRFOIL, SERVICES, Platform, clean_environment, fetch, wait_until
from tests.system.witness import Ledger, Try, Witness, faults_in, overlaps

from airfoil.stack import process

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

INSTANT_SECONDS = 3.0


def crowd():
    """How many want each core: a crowded machine gets so much more time."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def test_a_second_up_changes_nothing_and_is_instant(platform):
    before = platform.state()
    again = platform.up()
    after = platform.state()
    print(f"first up {platform.seconds_up[0]:.1f} s, second {again.seconds:.1f} s")
    assert again.seconds <= INSTANT_SECONDS * crowd()
    assert "Already running" in again.out
    assert after.manager_pid == before.manager_pid
    # What systemd watches.
    assert int(platform.project.manager_pid.read_text()) == after.manager_pid
    assert {row.name: row.pid for row in after.services} == {row.name: row.pid for row in before.services}
    assert sum(row.restarts for row in after.services) == sum(row.restarts for row in before.services)


def test_status_is_json_for_programs(platform):
    done = platform.run("status", "--json")
    assert done.code == 0, done.said
    found = json.loads(done.out)
    assert found["stack"]["phase"] == "ready"
    states = {row["name"]: row["state"] for row in found["services"]}
    assert {states[name] for name in SERVICES} == {"ready"}
    assert found["problems"] == [] or all(row["severity"] != "error" for row in found["problems"])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("airflow", "version"), "3.3"),
        (("mlflow", "--version"), "3.17"),
        (("mlflow", "experiments", "search"), "Default"),
        (("airflow", "connections", "get", "mlflow_default"), "mlflow_default"),
    ],
    ids=" ".join,
)
def test_the_tools_work_anywhere_in_the_project_without_any_set_up(platform, arguments, expected):
    folder = platform.root / "src" / "deep — ß"
    folder.mkdir(parents=True, exist_ok=True)
    done = platform.run(*arguments, inside=folder, environment=clean_environment())
    print(f"{' '.join(arguments)}: {done.seconds:.1f} s")
    assert done.code == 0, done.said
    assert expected in done.out


def test_a_tool_keeps_its_own_exit_code(platform):
    assert platform.run("airflow", "dags", "no-such-command").code == 2


def test_a_run_that_succeeds_is_0(platform):
    done = platform.run("run", "busy", "--json")
    assert done.code == 0, done.said
    found = json.loads(done.out)
    assert found["state"] == "success"
    assert {row["state"] for row in found["tasks"]} == {"success"}
    assert found["mlflow_url"].startswith(platform.url("mlflow"))
    print(f"busy: {found['seconds']:.1f} s")


def test_a_run_that_fails_is_1_and_shows_why(platform):
    done = platform.run("run", "failing")
    assert done.code == 1
    assert "ValueError: stumbled over step 7" in done.said
    assert "airfoil logs failing.stumble" in done.said


def test_an_unknown_dag_is_one_sentence_and_a_next_move(platform):
    done = platform.run("run", "bussy")
    assert done.code == 1
    assert "There is no DAG bussy." in done.err
    assert "busy" in done.err
    assert "Traceback" not in done.said


def test_a_dag_that_does_not_import_names_its_file(platform):
    broken = platform.project.dags / "broken_dag.py"
    broken.write_text("from airflow.sdk import dag\nimport no_such_module_of_mine\n")
    try:
        done = platform.run("run", "broken_dag")
    finally:
        broken.unlink()
    assert done.code == 1
    assert "broken_dag.py does not import" in done.err
    assert "no_such_module_of_mine" in done.err


def test_a_run_under_way_survives_down_and_up(platform):
    with platform.airflow() as airflow:
        airflow.set_paused("busy", paused=False)
        run_id = f"down-{time.time():.0f}"
        airflow.trigger("busy", {}, None, run_id)
    ledger = Ledger(platform.root / "ledger.jsonl", run_id)
    with Witness(platform) as witness:
        wait_until(lambda: "script" in ledger.in_flight(), 120, "the script in flight")
        hit = sorted(ledger.in_flight())
        down = platform.down()
        assert platform.leftovers() == []
        assert platform.run("status").code == 3
        up = platform.up()
        with platform.airflow() as airflow:
            wait_until(
                lambda: airflow.run("busy", run_id)["state"] not in {"running", "queued"},
                180,
                "the run's end",
            )
            assert airflow.run("busy", run_id)["state"] == "success"
    bodies = ledger.bodies()
    further = sorted(f"{key.task} ({key.number})" for key in bodies if key.number > 1)
    print(
        f"down in {down.seconds:.1f} s with {hit} in flight, up in {up.seconds:.1f} s, further tries: {further}"
    )
    assert faults_in(bodies) == []
    assert witness.twins(run_id) == []
    assert overlaps(bodies, witness) == []


@full_only
def test_a_task_that_ignores_every_request_does_not_hold_down(platform):
    with platform.airflow() as airflow:
        airflow.set_paused("stubborn", paused=False)
        run_id = f"stubborn-{time.time():.0f}"
        airflow.trigger("stubborn", {}, None, run_id)
        ledger = Ledger(platform.root / "ledger.jsonl", run_id)
        wait_until(lambda: ledger.in_flight() == {"deaf_script", "deaf_body"}, 120, "both tasks in flight")
        down = platform.down()
        print(f"down in {down.seconds:.1f} s with two tasks that ignore SIGTERM")
        assert platform.leftovers() == []
        platform.up()
        again = {Try("deaf_script", -1, 2), Try("deaf_body", -1, 2)}
        wait_until(lambda: again <= ledger.bodies().keys(), 120, "a second try of both")
        (platform.root / "ledger.jsonl.enough").touch()
        wait_until(lambda: airflow.run("stubborn", run_id)["state"] == "success", 120, "the run's end")


def test_down_leaves_nothing_and_up_again_knows_everything(platform):
    pids = [*platform.pids().values(), platform.state().manager_pid]
    with platform.airflow() as airflow:
        before = len(airflow.recent_runs(100))
    secrets = platform.secrets()
    down = platform.down()
    assert platform.leftovers() == []
    assert [pid for pid in pids if process.birth(pid) is not None] == []
    for url in ("api-server", "mlflow", "page"):
        with pytest.raises(OSError, match="refused"):
            fetch(platform.url(url))
    again = platform.run("down")
    assert (again.code, again.out.strip()) == (0, "Not running.")
    assert platform.run("status").code == 3
    up = platform.up()
    print(f"down in {down.seconds:.1f} s, up again in {up.seconds:.1f} s")
    assert platform.secrets() == secrets
    with platform.airflow() as airflow:
        assert len(airflow.recent_runs(100)) >= before


def test_two_ups_at_once_start_one_platform(shared_platform):
    shared_platform.down()
    began = time.monotonic()
    both = [spawn_up(shared_platform) for _ in range(2)]
    assert [one.wait(300) for one in both] == [0, 0], shared_platform.last_words()
    print(f"two ups at once: {time.monotonic() - began:.1f} s")
    state = shared_platform.state()
    managers = [pid for pid, words in shared_platform.processes().items() if "airfoil.stack.manager" in words]
    assert managers == [state.manager_pid]
    assert state.phase == "ready"
    assert sum(row.restarts for row in state.services) == 0


@full_only
def test_an_up_that_is_killed_loses_nothing(make_platform):
    """The first one of all, while the databases are being made: with its manager, and alone."""
    platform = make_platform()
    command = spawn_up(platform)
    wait_until(
        lambda: is_starting(platform) and platform.pids().get("setup"), 120, "setup", step_seconds=0.01
    )
    time.sleep(0.3)  # in the middle of making Airflow's tables
    manager = platform.state().manager_pid
    command.kill()
    command.wait(10)
    os.kill(manager, signal.SIGKILL)
    wait_until(lambda: process.birth(manager) is None, 5, "the manager's end")
    command = spawn_up(platform)
    wait_until(
        lambda: is_starting(platform) and platform.state().manager_pid != manager, 120, "another manager"
    )
    command.kill()
    command.wait(10)
    up = platform.up()
    print(f"up after two killed ones: {up.seconds:.1f} s")
    assert {row.state for row in platform.state().services} <= {"ready", "done"}
    done = platform.run("run", "simple_test_dag")
    assert done.code == 0, done.said


@full_only
def test_a_second_project_moves_to_free_ports(platform, make_platform):
    second = make_platform(ports=False)
    up = second.up()
    print(f"a second project up in {up.seconds:.1f} s on {second.ports()}")
    assert not set(second.ports().values()) & set(platform.ports().values())
    third = make_platform(ports=False)
    third.up()
    assert not set(third.ports().values()) & set(second.ports().values())
    for one in (platform, second, third):
        assert one.run("status").code == 0
    remembered = third.ports()
    second.down()
    third.down()
    third.up()
    assert third.ports() == remembered
    assert second.leftovers() == []


def is_starting(platform: Platform) -> bool:
    """Whether a manager runs that is not through yet."""
    if not platform.project.state_file.exists():
        return False
    state = platform.state()
    return process.is_alive(state.manager_pid, state.manager_started) and state.phase == "starting"


def spawn_up(platform: Platform) -> subprocess.Popen[bytes]:
    """Start `airfoil up` and do not wait."""
    return subprocess.Popen(
        [str(AIRFOIL), "up"],
        cwd=platform.root,
        env=platform.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
