"""Doctor on what runs: ports, services, stale pids, leftovers."""

import os

import pytest

from airfoil.stack.checks_running import check_ports, check_processes, check_services
from airfoil.stack.machine import SeenProcess
from airfoil.stack.services import stack_id

pytestmark = pytest.mark.unit


def test_nothing_started_yet(world):
    for check in (check_ports, check_services, check_processes):
        found = list(check(world.case))
        assert found
        assert world.bad(found) == []


def test_everything_runs_well(world):
    world.state(world.service("mlflow", 200), world.service("setup", None, state="done"))
    world.alive(100, 200)
    world.change(
        marked=lambda _mark: [100, 200, 201], members=lambda pid: [200, 201] if pid == 200 else [pid]
    )
    world.processes(SeenProcess(100, "python", False), SeenProcess(200, "python", False))
    for check in (check_services, check_processes):
        assert world.bad(check(world.case)) == []


# -- ports


def busy(*ports: int):
    return lambda _host, port: OSError(98, "Address already in use") if port in ports else None


def test_a_busy_default_moves_and_a_busy_set_port_is_an_error(world):
    world.settings("[mlflow]\nport = 5001\n")
    world.change(port_blocked=busy(8080, 5001))
    assert world.bad(check_ports(world.case)) == [
        (
            "warn",
            "airflow's port 8080 is in use by nginx (process 7); `airfoil up` will take the next free one.",
        ),
        ("error", "Port 5001, which you set for mlflow, is in use by nginx (process 7)."),
    ]


def test_ports_that_our_own_stack_holds(world):
    world.change(
        port_blocked=busy(8080, 5000, 8081),
        port_owned_by=lambda port, mark: port != 8081 and mark == stack_id(world.project),
    )
    assert [message.partition(" is ")[0] for _, message in world.bad(check_ports(world.case))] == [
        "page's port 8081"
    ]


def test_a_moved_default_is_looked_for_where_it_went(world):
    world.project.ports_file.write_text('{"airflow": 8090}')
    world.change(port_blocked=busy(8080))
    assert world.bad(check_ports(world.case)) == []
    world.change(port_blocked=busy(8090))
    assert "airflow's port 8090" in world.bad(check_ports(world.case))[0][1]


# -- services


def test_a_service_that_exits_at_once(world):
    world.state(world.service("mlflow", None, state="failed", detail="exit code 1, 5 times."), phase="failed")
    world.alive(100)
    (found,) = check_services(world.case)
    assert (found.level, found.message) == ("error", "Mlflow is failed: exit code 1, 5 times.")
    assert "`airfoil logs mlflow`" in found.fix


def test_a_killed_manager_whose_services_live_on(world):
    world.state(world.service("mlflow", 200), world.service("page", 201))
    world.alive(200)
    assert world.bad(check_services(world.case)) == [
        ("warn", "The manager is gone; nobody restarts mlflow when it ends.")
    ]


@pytest.mark.parametrize("phase", ["starting", "ready", "stopping"])
def test_a_start_that_was_killed(world, phase):
    world.state(world.service("mlflow", 200), phase=phase)
    assert world.bad(check_services(world.case)) == [
        ("warn", f"The stack was cut off while {phase}: its manager and services are gone.")
    ]


def test_a_stack_that_was_stopped_in_order(world):
    world.state(world.service("mlflow", None, state="stopped"), phase="stopped")
    assert world.bad(check_services(world.case)) == []


# -- processes


def test_a_noted_pid_that_belongs_to_somebody_else(world):
    world.state(world.service("mlflow", 200), world.service("page", 201))
    world.alive(100)
    world.processes(SeenProcess(100, "python", False), SeenProcess(200, "firefox", False))
    assert world.bad(check_processes(world.case)) == [
        ("warn", "Process 200 is noted as Mlflow, but belongs to firefox now.")
    ]


def test_the_pid_of_a_dead_manager_that_belongs_to_somebody_else(world):
    world.state(phase="ready")
    world.processes(SeenProcess(100, "firefox", False))
    assert world.bad(check_processes(world.case)) == [
        ("warn", "Process 100 is noted as the manager, but belongs to firefox now.")
    ]


def test_marked_processes_that_nobody_watches(world):
    world.change(marked=lambda mark: [300, 301, 302, os.getpid()] if mark == stack_id(world.project) else [])
    world.processes(
        SeenProcess(300, "airflow", False),
        SeenProcess(301, "bash", True),  # a person at a terminal works with the project
        SeenProcess(os.getpid(), "airfoil", False),
    )  # and 302 ended meanwhile
    assert world.bad(check_processes(world.case)) == [
        ("warn", "Nobody watches these processes of the stack: airflow (300).")
    ]


def test_leftovers_of_an_earlier_start_beside_a_living_stack(world):
    world.state(world.service("mlflow", 200))
    world.alive(100, 200)
    world.change(
        marked=lambda _mark: [100, 200, 250, 300], members=lambda pid: [200, 250] if pid == 200 else [pid]
    )
    world.processes(*(SeenProcess(pid, "x", False) for pid in (100, 200, 250, 300)))
    assert world.bad(check_processes(world.case)) == [
        ("warn", "Nobody watches these processes of the stack: x (300).")
    ]


def test_many_leftovers_are_counted(world):
    pids = range(300, 309)
    world.change(marked=lambda _mark: list(pids))
    world.processes(*(SeenProcess(pid, "x", False) for pid in pids))
    assert world.bad(check_processes(world.case))[0][1].endswith("x (304) and 4 more.")
