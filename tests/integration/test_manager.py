"""The manager with real processes: order, restarts, giving up, stopping, its own death, and what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airfoil.stack import process
from airfoil.stack import state as states
from airfoil.stack.manager import EXIT_LOCKED
from airfoil.stack.project import Project
from airfoil.stack.service import Probe, Service, Spec
from airfoil.stack.state import ServiceState, StackState

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="the manager adopts orphans, which only Linux does"),
]

# Answers {"ok": true} after so many seconds; `deaf` ignores SIGTERM; notes its start and its end in a file.
SERVER = """
import json, os, pathlib, signal, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer
name, port, notes, options = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3]), sys.argv[4:]
class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(json.dumps({"ok": True}).encode())
    def log_message(self, *given): pass
def end(number, frame):
    with notes.open("a") as file: file.write(f"{name} ends\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if "deaf" in options else end)
if "child" in options and os.fork() == 0:
    os.setsid(); time.sleep(600)
server = HTTPServer(("127.0.0.1", port), Answer)
with notes.open("a") as file: file.write(f"{name} starts\\n")
server.serve_forever()
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Stack:
    """A project, a table of tiny services, and the managers that were started for it."""

    def __init__(self, root: Path) -> None:
        root.mkdir()
        self.project = Project(root)
        self.project.prepare()
        self.stack_id = uuid.uuid4().hex[:16]
        self.notes = root / "notes"
        self.notes.touch()
        self.managers: list[subprocess.Popen[bytes]] = []

    def server(self, name: str, *options: str, **values: Any) -> Service:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        argv = (sys.executable, "-c", SERVER, name, str(port), str(self.notes), *options)
        return self.service(name, argv, probe=Probe("http", f"{url}/", {"ok": True}), **values)

    def service(self, name: str, argv: tuple[str, ...], **values: Any) -> Service:
        log = str(self.project.service_log(name))
        values = {"probe": Probe("exit"), "stop_timeout_seconds": 5.0, **values}
        return Service(name=name, title=name.title(), argv=argv, log=log, **values)

    def write(self, *services: Service) -> None:
        mark = {process.STACK_MARK: self.stack_id}
        spec = Spec(str(self.project.root), self.stack_id, "plain", mark, services)
        self.project.spec.write_text(spec.to_json())

    def start(self, *services: Service) -> subprocess.Popen[bytes]:
        if services:
            self.write(*services)
        with self.project.service_log("manager").open("ab") as log:
            manager = subprocess.Popen(
                [sys.executable, "-m", "airfoil.stack.manager", "--project", str(self.project.root)],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env=os.environ | {process.STACK_MARK: self.stack_id},
            )
        self.managers.append(manager)
        return manager

    def wait(self, check: Callable[[StackState], object], seconds: float = 15.0) -> StackState:
        """Look at the state file until the check holds; the state at that moment."""
        deadline = time.monotonic() + seconds
        while True:
            found = states.load(self.project.state_file)
            if found is not None and found.manager_pid == self.managers[-1].pid and check(found):
                return found
            if time.monotonic() > deadline:
                log = self.project.service_log("manager").read_text()
                pytest.fail(f"waited in vain\n{json.dumps(found and found.to_dict(), indent=1)}\n{log}")
            time.sleep(0.02)

    def ready(self) -> StackState:
        return self.wait(lambda state: state.phase == "ready")

    def stop(self) -> StackState:
        """End the manager as `airfoil down` does."""
        manager = self.managers[-1]
        manager.send_signal(signal.SIGTERM)
        assert manager.wait(15) == 0
        found = states.load(self.project.state_file)
        assert found is not None
        return found

    def noted(self) -> list[str]:
        return self.notes.read_text().splitlines()

    def clean(self) -> None:
        for manager in self.managers:
            if manager.poll() is None:
                manager.kill()
            manager.wait()
        process.sweep(self.stack_id)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    made = Stack(tmp_path / "Projekt ü 1")
    yield made
    made.clean()


def pid_of(state: StackState | None, name: str) -> int:
    row = state and state.service(name)
    assert row
    assert row.pid
    return row.pid


def row_of(state: StackState, name: str) -> ServiceState:
    row = state.service(name)
    assert row
    return row


def test_services_start_in_order_and_stop_backwards_and_nothing_is_left(stack):
    job = stack.service("job", ("sh", "-c", f"echo job >> '{stack.notes}'"), kind="job")
    store = stack.server("store", "child", needs=("job",))
    stack.start(
        stack.server("tasks", needs=("store",), uses=("web",)),
        job,
        store,
        stack.server("web", needs=("job",)),
    )
    state = stack.ready()
    assert row_of(state, "job").state == "done"
    noted = stack.noted()
    assert noted[0] == "job"
    assert noted.index("store starts") < noted.index("tasks starts")
    assert len(process.marked(stack.stack_id)) == 5, "manager, three services and the child of one"
    state = stack.stop()
    noted = stack.noted()[4:]
    assert noted.index("tasks ends") < min(noted.index("web ends"), noted.index("store ends"))
    assert state.phase == "stopped"
    assert {row.state for row in state.services} == {"stopped", "done"}
    assert [row.pid for row in state.services] == [None] * 4
    assert process.marked(stack.stack_id) == []


def test_a_killed_service_comes_back_with_all_its_children_replaced(stack):
    stack.start(stack.server("web", "child"))
    old = pid_of(stack.ready(), "web")
    family = set(process.members(old))
    assert len(family) == 2
    os.kill(old, signal.SIGKILL)
    state = stack.wait(lambda state: state.phase == "ready" and pid_of(state, "web") != old)
    assert row_of(state, "web").restarts == 1
    assert not family & set(process.marked(stack.stack_id)), "the child of the dead one is gone too"


def test_a_service_that_ends_at_once_is_given_up_visibly_and_the_rest_runs_on(stack):
    stack.start(
        stack.service(
            "bad", (sys.executable, "-c", "import no_such_module"), probe=Probe("http", "http://127.0.0.1:1/")
        ),
        stack.server("good"),
    )
    stack.wait(lambda state: row_of(state, "bad").restarts == 3)
    state = stack.wait(
        lambda state: row_of(state, "bad").restarts >= 3 and row_of(state, "good").state == "ready"
    )
    assert state.phase == "starting"
    bad = row_of(state, "bad")
    assert bad.detail == "it ended with exit code 1: ModuleNotFoundError: No module named 'no_such_module'"


def test_a_job_that_fails_is_the_end_of_starting(stack):
    script = "echo 'airfoil: the database is half-migrated.' >&2; exit 78"
    stack.start(
        stack.service("setup", ("sh", "-c", script), kind="job"), stack.server("web", needs=("setup",))
    )
    state = stack.wait(lambda state: state.phase == "failed")
    assert row_of(state, "setup").detail.endswith("the database is half-migrated.")
    assert row_of(state, "web").state == "waiting"
    assert stack.stop().phase == "stopped"


def test_a_command_that_is_not_there(stack):
    stack.start(stack.service("ghost", ("/no/such/program",), probe=Probe("http", "http://127.0.0.1:1/")))
    state = stack.wait(lambda state: row_of(state, "ghost").restarts > 0)
    assert row_of(state, "ghost").detail == "could not be started: No such file or directory"


def test_a_service_that_ignores_sigterm_is_killed_at_its_deadline(stack):
    stack.start(stack.server("deaf", "deaf", stop_timeout_seconds=0.5), stack.server("good"))
    stack.ready()
    began = time.monotonic()
    assert stack.stop().phase == "stopped"
    assert time.monotonic() - began < 5
    assert stack.noted()[-1] == "good ends"
    assert process.marked(stack.stack_id) == []


def test_a_self_test_that_fails_leads_to_the_plain_command(stack):
    web = stack.server("web")
    argv = ("sh", "-c", "echo 'launcher: MLflow 9 is not one we have tested' >&2; exit 97")
    stack.start(stack.service("web", argv, probe=web.probe, fallback_argv=web.argv))
    state = stack.ready()
    assert state.notices == ("Web runs by its plain command: launcher: MLflow 9 is not one we have tested",)
    assert row_of(state, "web").restarts == 0


def test_a_killed_manager_leaves_services_running_and_the_next_one_adopts_them(stack):
    job = stack.service("setup", ("sh", "-c", f"echo job >> '{stack.notes}'"), kind="job")
    first = stack.start(job, stack.server("web", needs=("setup",)), stack.server("page", "child"))
    before = stack.ready()
    pids = {name: pid_of(before, name) for name in ("web", "page")}
    first.kill()
    first.wait()
    time.sleep(0.2)
    assert all(process.is_alive(pid, process.birth(pid)) for pid in pids.values())
    began = time.monotonic()
    stack.start()
    state = stack.ready()
    assert time.monotonic() - began < 5
    assert {name: pid_of(state, name) for name in pids} == pids
    assert stack.noted().count("job") == 1, "what is done is not done again"
    assert (state.started_at, state.ready_at) == (before.started_at, before.ready_at)
    # What it adopted it also restarts, and stops, although it is not its parent.
    os.kill(pids["web"], signal.SIGKILL)
    stack.wait(lambda state: state.phase == "ready" and pid_of(state, "web") != pids["web"])
    stack.stop()
    assert process.marked(stack.stack_id) == []


def test_what_died_while_there_was_no_manager_is_started_again(stack):
    first = stack.start(stack.server("web", "child"), stack.server("page"))
    before = stack.ready()
    first.kill()
    first.wait()
    os.kill(pid_of(before, "web"), signal.SIGKILL)
    stack.start()
    state = stack.ready()
    assert pid_of(state, "page") == pid_of(before, "page")
    assert pid_of(state, "web") != pid_of(before, "web")
    assert len(process.marked(stack.stack_id)) == 4, (
        "manager, page, web and its child; the orphan of the old web is gone"
    )


def test_a_state_file_whose_pid_belongs_to_another_process_by_now(stack):
    first = stack.start(stack.server("web"))
    stack.ready()
    first.kill()
    first.wait()
    process.sweep(stack.stack_id)
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        text = stack.project.state_file.read_text()
        written = json.loads(text)
        written["services"][0]["pid"] = stranger.pid
        stack.project.state_file.write_text(json.dumps(written))
        stack.start()
        state = stack.ready()
        assert pid_of(state, "web") != stranger.pid
        stack.stop()
        assert stranger.poll() is None, "neither adopted nor killed"
    finally:
        stranger.kill()
        stranger.wait()


def test_a_second_manager_of_the_same_project_goes_away(stack):
    stack.start(stack.server("web"))
    stack.ready()
    second = stack.start()
    assert second.wait(10) == EXIT_LOCKED
    stack.managers.pop()
    assert stack.ready().manager_pid == stack.managers[0].pid


def test_a_manager_that_is_told_to_stop_while_it_starts_leaves_nothing(stack):
    slow = stack.service("slow", ("sleep", "60"), kind="job")
    stack.start(slow, stack.server("web"), stack.server("later", needs=("slow",)))
    stack.wait(lambda state: row_of(state, "web").pid)
    state = stack.stop()
    assert {row.state for row in state.services} == {"stopped"}
    assert process.marked(stack.stack_id) == []
