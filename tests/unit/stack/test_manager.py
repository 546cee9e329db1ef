"""The manager's loop, step by step, over a made-up world of processes: no process is started or signalled."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airfoil.stack import manager as manager_module
from airfoil.stack import process
from airfoil.stack import state as states
from airfoil.stack.manager import Manager
from airfoil.stack.preload import PreloadedParent
from airfoil.stack.project import Project
from airfoil.stack.service import EXIT_UNSUPPORTED, Probe, Service, Spec
from airfoil.stack.state import ServiceState, StackState

pytestmark = pytest.mark.unit

STACK = "stack-1"


class World:
    """Processes that exist only here."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.alive: dict[int, float] = {}
        self.exits: dict[int, int] = {}
        self.signals: list[tuple[int, str]] = []
        self.spared: list[set[int]] = []
        self.spawned: list[tuple[str, tuple[str, ...]]] = []
        self.next_pid = 5000
        self.made: list[Manager] = []

    def reap(self, on_exit: Any) -> None:
        for pid in list(self.exits):
            self.alive.pop(pid, None)
            on_exit(pid, self.exits.pop(pid))

    def sweep(self, _stack_id: str, spare: Any = (), *, owned: Any = tuple, below: Any = ()) -> list[int]:
        assert list(below) == [os.getpid()], "an orphan without a mark is swept too"
        self.spared.append({*spare, *owned()})
        return []

    def signal_process(self, pid: int, pid_started: float | None, number: int) -> bool:
        assert self.alive.get(pid) == pid_started, "signalled somebody else"
        self.signals.append((pid, signal.Signals(number).name))
        return True

    def spawn(self, service: Service) -> Any:
        def spawned(argv: tuple[str, ...], _keep: tuple[int, ...]) -> int:
            self.next_pid += 1
            self.alive[self.next_pid] = float(self.next_pid)
            self.spawned.append((service.name, argv))
            return self.next_pid

        return spawned

    def manager(self, *services: Service, **spec: Any) -> Manager:
        table = Spec(str(self.project.root), STACK, "plain", {}, services=services, **spec)
        made = Manager(table, self.project)
        made._spawner = self.spawn  # type: ignore[method-assign]
        self.made.append(made)
        return made

    def end(self, pid: int | None, code: int) -> None:
        assert pid is not None
        self.exits[pid] = code

    def earlier(self, *services: ServiceState, stack_id: str = STACK) -> None:
        """Write what an earlier manager wrote."""
        found = StackState(
            project=str(self.project.root),
            stack_id=stack_id,
            engine="plain",
            phase="ready",
            started_at=100.0,
            ready_at=110.0,
            updated_at=120.0,
            manager_pid=1,
            manager_started=1.0,
            services=services,
        )
        states.save(self.project.state_file, found)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    project = Project(tmp_path)
    project.prepare()
    made = World(project)
    made.alive[os.getpid()] = 1.0
    for name in ("reap", "sweep", "signal_process"):
        monkeypatch.setattr(process, name, getattr(made, name))
    monkeypatch.setattr(process, "members", lambda *pids: [*pids, *(pid + 10_000 for pid in pids)])
    monkeypatch.setattr(process, "birth", made.alive.get)
    monkeypatch.setattr(process, "is_alive", lambda pid, born: made.alive.get(pid, "gone") == born)
    yield made
    for one in made.made:
        one._selector.close()
        one._wake.close()
        one._woken.close()
        if one.parent:
            one.parent.close()


def service(world: World, name: str, **values: Any) -> Service:
    values = {
        "argv": ("run", name),
        "probe": Probe("http"),
        "log": str(world.project.service_log(name)),
        **values,
    }
    return Service(name=name, title=name.title(), **values)


def row(name: str, pid: int | None = 900, **values: Any) -> ServiceState:
    base = {"name": name, "title": name, "kind": "service", "state": "ready", "since": 1.0}
    return ServiceState(**base | {"pid": pid, "pid_started": None if pid is None else float(pid)} | values)


def step(manager: Manager) -> None:
    """One round of the loop, without waiting."""
    manager._collect()
    manager._carry_out(manager.supervisor.tick(time.time()))
    manager._sweep_if_due()
    manager._write()


def watched(manager: Manager, name: str) -> Any:
    return manager.supervisor.watched[name]


# -- taking over


def test_living_services_of_the_same_stack_are_adopted_not_started_again(world):
    world.alive |= {901: 901.0}
    setup = row("setup", None, kind="job", state="done")
    world.earlier(row("web", 901, restarts=3), row("dead", 902), setup, row("gone", None))
    made = world.manager(service(world, "setup", kind="job"), service(world, "web"), service(world, "dead"))
    made._take_over()
    web = watched(made, "web")
    assert (web.pid, web.state, web.restarts) == (901, "starting", 3)
    assert (watched(made, "setup").state, watched(made, "dead").pid) == ("done", None)
    assert (made.began, made.ready_at) == (100.0, 110.0)
    step(made)
    assert world.spared == [{os.getpid(), 901, 10_901}], "the family of what is adopted is spared"
    step(made)
    assert [name for name, _ in world.spawned] == ["dead"]
    assert world.signals == []
    del world.alive[901]
    step(made)
    assert web.detail == "it ended", "nobody can collect the exit code of an adopted process"


def test_a_pid_that_belongs_to_somebody_else_by_now_is_neither_adopted_nor_signalled(world):
    world.alive |= {901: 555.5}
    world.earlier(row("web", 901))
    made = world.manager(service(world, "web"))
    made._take_over()
    step(made)
    assert 901 not in world.spared[0]
    assert (watched(made, "web").pid, world.signals) == (None, [])
    assert made.began > 1_000_000


@pytest.mark.parametrize("kind", ["another stack's", "garbled"])
def test_a_state_that_is_not_ours_is_not_taken_over(world, kind):
    world.alive |= {901: 901.0}
    world.earlier(row("web", 901), stack_id="somebody else")
    if kind == "garbled":
        world.project.state_file.write_text('{"schema": 1, "services": [7]}')
    made = world.manager(service(world, "web"))
    made._take_over()
    assert (watched(made, "web").pid, watched(made, "web").state) == (None, "waiting")


def test_a_parent_and_a_setup_of_before_are_begun_again(world):
    world.alive |= {901: 901.0, 902: 902.0, 903: 903.0}
    world.earlier(row("setup", 901, kind="job", state="starting"), row("preload", 902), row("web", 903))
    made = world.manager(*(service(world, name) for name in ("setup", "preload", "web")))
    made._take_over()
    assert [watched(made, name).pid for name in ("setup", "preload", "web")] == [None, None, 903]
    assert watched(made, "setup").state == "waiting", "it was not done"


def test_nothing_starts_before_the_leftovers_are_gone(world):
    made = world.manager(service(world, "web"))
    made._take_over()
    step(made)
    assert (world.spawned, len(world.spared)) == ([], 1)
    step(made)
    assert [name for name, _ in world.spawned] == ["web"]


# -- starting and ending


def test_a_service_that_ends_is_reported_with_the_last_exception_of_this_life(world):
    made = world.manager(service(world, "web"))
    log = world.project.service_log("web")
    log.write_text("KeyError: of yesterday\n")
    step(made)
    with log.open("a") as file:
        file.write("Traceback\nValueError: no\n")
    world.end(watched(made, "web").pid, 1)
    step(made)
    assert watched(made, "web").detail == "it ended with exit code 1: ValueError: no"
    assert states.load(world.project.state_file).service("web").state == "restarting"
    assert world.spared, "what it left behind is swept before it starts again"


def test_a_failed_self_test_is_noticed_and_the_plain_command_runs(world):
    made = world.manager(service(world, "web", fallback_argv=("plain", "web")))
    step(made)
    world.project.service_log("web").write_text("launcher: MLflow 9 is not one we have tested\n")
    world.end(watched(made, "web").pid, EXIT_UNSUPPORTED)
    step(made)
    assert [argv for _, argv in world.spawned] == [("run", "web"), ("plain", "web")]
    assert made.notices == ["Web runs by its plain command: launcher: MLflow 9 is not one we have tested"]
    assert watched(made, "web").restarts == 0


def test_a_failed_self_test_without_a_plain_command_is_an_end_like_any_other(world):
    made = world.manager(service(world, "setup", kind="job"))
    step(made)
    world.project.service_log("setup").write_text("ModuleNotFoundError: No module named 'x'\n")
    world.end(watched(made, "setup").pid, EXIT_UNSUPPORTED)
    step(made)
    assert (
        watched(made, "setup").detail
        == "it ended with exit code 97: ModuleNotFoundError: No module named 'x'"
    )


# -- the pre-loaded parent


@pytest.fixture
def forked(world: World) -> Iterator[tuple[Manager, socket.socket]]:
    """A manager whose parent runs, and the parent's end of the channel."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    made = world.manager(
        service(world, "preload", kind="helper", probe=Probe("channel")),
        service(world, "web", stage="airflow", fallback_argv=("plain",)),
        preload={"airflow": ()},
    )
    world.alive[800] = 800.0
    made.parent = PreloadedParent(ours, 800)
    made._selector.register(ours, manager_module.selectors.EVENT_READ)
    made.supervisor.started("preload", 800, 800.0, time.time())
    made.supervisor.probed("preload", healthy=True, detail="", now=time.time())
    with theirs:
        yield made, theirs


def say(theirs: socket.socket, **answer: object) -> None:
    theirs.sendall(json.dumps(answer).encode() + b"\n")


def test_a_service_is_asked_for_once_and_watched_from_its_answer_on(world, forked):
    made, theirs = forked
    step(made)
    step(made)
    assert len(theirs.recv(10_000).splitlines()) == 1
    assert (watched(made, "web").state, watched(made, "web").pid) == ("starting", None)
    world.alive[810] = 810.0
    say(theirs, started="web", pid=810)
    step(made)
    assert (watched(made, "web").pid, watched(made, "web").pid_started) == (810, 810.0)
    assert world.spawned == []


def test_an_exit_that_arrives_before_the_answer_keeps_its_code(world, forked):
    made, theirs = forked
    step(made)
    world.end(810, EXIT_UNSUPPORTED)
    step(made)
    say(theirs, started="web", pid=810)
    step(made)
    assert watched(made, "web").plain, "97 was understood although it came first"
    step(made)
    assert ("web", ("plain",)) in world.spawned


def test_a_parent_that_dies_with_a_request_open_is_replaced_and_asked_again(world, forked):
    made, _ = forked
    step(made)
    assert watched(made, "web").state == "starting"
    world.end(800, -9)
    step(made)
    assert made.parent is None
    assert (watched(made, "web").state, watched(made, "preload").state) == ("waiting", "restarting")
    assert world.spared, "what it forked and had not told us of is swept"


def test_no_sweep_while_a_request_is_open(world, forked):
    """What is being forked carries the mark and belongs to nobody yet."""
    made, theirs = forked
    step(made)
    made._sweep_due = True
    step(made)
    assert world.spared == []
    world.alive[810] = 810.0
    say(theirs, started="web", pid=810)
    step(made)
    assert world.spared == [{os.getpid(), 800, 10_800, 810, 10_810}]


def test_a_parent_that_never_answers_is_ended(world, forked):
    made, _ = forked
    step(made)
    made._carry_out(made.supervisor.tick(time.time() + 121))
    assert world.signals == [(800, "SIGKILL")]


def test_a_parent_that_cannot_run_is_done_without(world, forked):
    made, _ = forked
    watched(made, "preload").deaths = 4
    world.project.service_log("preload").write_text("ImportError: no airflow\n")
    world.end(800, 1)
    step(made)
    step(made)
    assert ("web", ("plain",)) in world.spawned
    assert "so services start plainly: gave up after 5 tries" in made.notices[0]


# -- stopping


def test_stopping_goes_backwards_through_needs_and_uses(world):
    made = world.manager(
        service(world, "setup", kind="job"),
        service(world, "api", needs=("setup",)),
        service(world, "tasks", needs=("setup",), uses=("api",), stop_signal="SIGINT"),
    )
    for name, pid in (("api", 901), ("tasks", 902)):
        world.alive[pid] = float(pid)
        made.supervisor.started(name, pid, float(pid), time.time())
    watched(made, "setup").state = "done"
    made._selector.register(made._woken, manager_module.selectors.EVENT_READ)
    os.write(made._wake.fileno(), b"\0")
    made._sleep()
    assert not made.supervisor.stopping, "a round of probes is over, that is all"
    os.write(made._wake.fileno(), bytes([signal.SIGCHLD, signal.SIGTERM]))
    made._sleep()
    assert made.supervisor.stopping
    assert not made._stopped()
    assert world.signals == [(902, "SIGINT")]
    world.end(902, 0)
    step(made)
    assert not made._stopped()
    assert world.signals[1:] == [(901, "SIGTERM")]
    world.end(901, 0)
    step(made)
    assert made._stopped()
    made._write()
    assert states.load(world.project.state_file).phase == "stopped"


# -- the state file


def test_the_state_is_written_when_it_changes_and_only_then(world):
    made = world.manager(service(world, "web"), notices=("One.",))
    step(made)
    found = states.load(world.project.state_file)
    assert (found.phase, found.manager_pid) == ("starting", os.getpid())
    assert found.notices == ("One.",)
    world.project.state_file.unlink()
    step(made)
    assert not world.project.state_file.exists()
    made.supervisor.probed("web", healthy=True, detail="", now=time.time())
    step(made)
    found = states.load(world.project.state_file)
    assert (found.phase, found.ready_at is None) == ("ready", False)


def test_a_full_disk_does_not_end_the_platform_and_the_state_follows_later(world, monkeypatch, capfd):
    def full(_path: Path, _state: StackState) -> None:
        raise OSError(28, "No space left on device")

    made = world.manager(service(world, "web"))
    with monkeypatch.context() as patch:
        patch.setattr(states, "save", full)
        step(made)
        step(made)
    assert capfd.readouterr().out.count("No space left on device") == 1, "said once, not at every round"
    step(made)
    assert states.load(world.project.state_file).service("web").state == "starting"
