"""Asking for a restart, taking the request, and what the supervisor does about it."""

import os
from dataclasses import replace

import pytest

from airfoil.errors import NeighbourError, ServiceFailed
from airfoil.stack import process, restart_requests, state
from airfoil.stack.service import Probe, Service
from airfoil.stack.state import ServiceState, StackState
from airfoil.stack.supervision import Action, Supervisor

pytestmark = pytest.mark.unit

T0 = 1_800_000_000.0


@pytest.fixture
def project(tmp_path):
    from airfoil.stack.project import Project

    found = Project(tmp_path)
    found.prepare()
    return found


def test_a_request_is_taken_once(project):
    restart_requests.ask(project, "scheduler")

    assert restart_requests.is_open(project, "scheduler")
    assert restart_requests.take(project, ["api-server", "scheduler"]) == ["scheduler"]
    assert not restart_requests.is_open(project, "scheduler")
    assert restart_requests.take(project, ["scheduler"]) == []


def test_one_that_was_taken_back_is_not_taken(project):
    restart_requests.ask(project, "scheduler")
    restart_requests.withdraw(project, "scheduler")
    restart_requests.withdraw(project, "scheduler")

    assert restart_requests.take(project, ["scheduler"]) == []


def test_what_was_asked_of_an_earlier_manager_is_dropped(project):
    restart_requests.ask(project, "scheduler")
    restart_requests.ask(project, "no-such-service")

    restart_requests.forget_all(project)

    assert list(project.run.glob("restart-*")) == []


def test_only_the_owner_may_read_it(project):
    restart_requests.ask(project, "mlflow")

    assert (project.run / "restart-mlflow").stat().st_mode & 0o077 == 0


# -- waiting for it


def stack_of(row, **values):
    mine = {"manager_pid": os.getpid(), "manager_started": process.birth(os.getpid())}
    fixed = {"project": "p", "stack_id": "s", "engine": "plain", "started_at": T0, "updated_at": T0}
    return StackState(**{**fixed, **mine, "phase": "ready", **values}, services=(row,))


ROW = ServiceState("scheduler", "Scheduler", "service", "ready", T0, pid=7, pid_started=1.0)


class Manager:
    """Takes the request at the first sleep, then goes through states."""

    def __init__(self, project, *rows):
        self.project = project
        self.rows = list(rows)

    def sleep(self, seconds):
        restart_requests.take(self.project, ["scheduler"])
        if self.rows:
            state.save(self.project.state_file, stack_of(self.rows.pop(0)))


def test_it_waits_for_another_process_to_be_ready(project):
    state.save(project.state_file, stack_of(ROW))
    stopping, starting = (
        replace(ROW, state="stopping"),
        replace(ROW, state="starting", pid=8, pid_started=2.0),
    )
    manager = Manager(project, stopping, starting, replace(starting, state="ready"))
    seen = []

    found = restart_requests.restart(
        project, "scheduler", lambda now: seen.append(now.service("scheduler").state), sleep=manager.sleep
    )

    assert seen == ["ready", "stopping", "starting", "ready"]
    assert found.service("scheduler").pid == 8


def test_one_that_is_given_up_is_an_error_with_a_next_move(project):
    state.save(project.state_file, stack_of(ROW))
    failed = replace(ROW, state="failed", pid=None, detail="it ended with exit code 1")

    with pytest.raises(
        ServiceFailed, match="Scheduler did not come back: it ended with exit code 1"
    ) as caught:
        restart_requests.restart(project, "scheduler", lambda _: None, sleep=Manager(project, failed).sleep)

    assert "airfoil restart scheduler" in caught.value.next_move


def test_a_manager_that_does_not_hear(project):
    state.save(project.state_file, stack_of(ROW))
    times = iter(range(0, 1000, 10))

    with pytest.raises(ServiceFailed, match="does not hear"):
        restart_requests.restart(
            project, "scheduler", lambda _: None, clock=lambda: next(times), sleep=lambda _: None
        )

    assert not restart_requests.is_open(project, "scheduler")


def test_nobody_manages(project):
    with pytest.raises(NeighbourError, match="Nothing manages"):
        restart_requests.restart(project, "scheduler", lambda _: None)

    state.save(project.state_file, stack_of(ROW, manager_started=0.5))
    with pytest.raises(NeighbourError, match="Nothing manages"):
        restart_requests.restart(project, "scheduler", lambda _: None)


# -- the supervisor's part


def table(*services):
    return Supervisor.of(services, T0)


def service(name, **values):
    return Service(name=name, title=name, argv=("run",), probe=Probe("http", "http://x"), **values)


def ready(*services):
    found = table(*services)
    for number, one in enumerate(services, start=1):
        found.started(one.name, number, 1.0, T0)
        found.probed(one.name, True, "", T0)
    return found


def test_it_ends_in_its_own_way_and_begins_again_while_the_others_go_on():
    stack = ready(service("web"), service("scheduler", stop_timeout_seconds=20.0))

    assert stack.restart("scheduler", T0 + 1) == [Action("terminate", "scheduler")]
    assert stack.phase(ready_before=True) == "degraded"
    assert stack.tick(T0 + 2) == []
    assert stack.ended("scheduler", -15, "", T0 + 3) == [Action("sweep", "scheduler")]
    assert stack.tick(T0 + 3) == [Action("start", "scheduler")]
    assert stack.watched["web"].state == "ready"
    # A wish is no failure: nothing is counted against it.
    assert (stack.watched["scheduler"].restarts, stack.watched["scheduler"].deaths) == (0, 0)


def test_one_that_does_not_end_is_killed():
    stack = ready(service("scheduler", stop_timeout_seconds=20.0))
    stack.restart("scheduler", T0)

    assert stack.restart("scheduler", T0 + 1) == []
    assert stack.tick(T0 + 21) == [Action("kill", "scheduler")]
    assert stack.ended("scheduler", -9, "", T0 + 22) == [Action("sweep", "scheduler")]
    assert stack.tick(T0 + 22) == [Action("start", "scheduler")]


def test_a_later_death_is_a_death_again():
    stack = ready(service("scheduler"))
    stack.restart("scheduler", T0)
    stack.ended("scheduler", 0, "", T0)
    stack.started("scheduler", 9, 1.0, T0)

    stack.ended("scheduler", 1, "", T0 + 1)

    assert stack.watched["scheduler"].state == "restarting"


def test_one_that_was_given_up_is_tried_anew():
    stack = table(service("scheduler"))
    for _ in range(5):
        stack.started("scheduler", 1, 1.0, T0)
        stack.ended("scheduler", 1, "", T0)
    assert stack.watched["scheduler"].state == "failed"

    assert stack.restart("scheduler", T0 + 9) == []
    assert stack.tick(T0 + 9) == [Action("start", "scheduler")]


def test_jobs_and_helpers_are_not_restarted_and_nothing_is_while_all_stops():
    stack = ready(service("setup", kind="job"), service("preload", kind="helper"), service("web"))

    assert stack.restart("setup", T0) == []
    assert stack.restart("preload", T0) == []
    stack.stop(["web"], T0)
    assert stack.restart("web", T0) == []


def test_a_stop_in_the_middle_of_a_restart_stops():
    stack = ready(service("web"))
    stack.restart("web", T0)
    stack.stop(["web"], T0)

    stack.ended("web", 0, "", T0)

    assert stack.watched["web"].state == "stopped"
    assert stack.tick(T0 + 1) == []
