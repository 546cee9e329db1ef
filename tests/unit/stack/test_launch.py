"""Up, down and what runs now, over a manager that only writes a state file."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from airfoil.errors import NeighbourError, ServiceFailed, StorageError
from airfoil.settings import Settings
from airfoil.settings.schema import FeastSettings, MlflowSettings
from airfoil.stack import connections, launch, process, services
from airfoil.stack import state as states
from airfoil.stack.ports import PortWish
from airfoil.stack.project import Project
from airfoil.stack.service import Spec
from airfoil.stack.state import ServiceState, StackState
from airfoil.stack.supervision import OUT_OF_MEMORY

pytestmark = pytest.mark.unit

MANAGER = 4_000_001


class QuietPorts:
    """Ports that no other process of this machine can take."""

    def __init__(self, _project: Project) -> None: ...

    @contextlib.contextmanager
    def settle(self, wishes: Mapping[str, PortWish], _stack_id: str) -> Iterator[dict[str, int]]:
        yield self.remembered()

    def remembered(self) -> dict[str, int]:
        return {"airflow": 18080, "mlflow": 15000, "page": 18081}


class World:
    """A project, and a manager that does what a test says."""

    def __init__(self, root: Path) -> None:
        self.project = Project(root)
        self.project.toml.write_text("")
        self.project.prepare()
        self.alive: set[int] = set()
        self.signals: list[tuple[int, int]] = []
        self.started = 0
        self.swept: list[str] = []
        self.becomes: list[tuple[Any, tuple[ServiceState, ...]]] = [("ready", (row("page", 10),))]

    def is_alive(self, pid: int | None, _started: float | None) -> bool:
        return pid in self.alive

    def signal_process(self, pid: int, started: float | None, number: int) -> bool:
        if not self.is_alive(pid, started):
            return False
        self.signals.append((pid, number))
        self.alive.discard(pid)
        return True

    def sweep(self, stack_id: str, spare: Any = ()) -> list[int]:
        self.swept.append(stack_id)
        return []

    def start_manager(self, _project: Project) -> None:
        self.started += 1
        self.alive.add(MANAGER)
        self.next_state()

    def next_state(self) -> None:
        """Let the manager report what comes next."""
        if self.becomes:
            phase, rows = self.becomes.pop(0)
            self.write(*rows, phase=phase)
            self.alive |= {one.pid for one in rows if one.pid}

    def write(self, *rows: ServiceState, phase: Any = "ready", **values: Any) -> StackState:
        found = StackState(
            project=str(self.project.root),
            stack_id=values.get("stack_id", services.stack_id(self.project)),
            engine="plain",
            phase=phase,
            started_at=1.0,
            updated_at=time.time(),
            manager_pid=MANAGER,
            manager_started=1.0,
            services=rows,
        )
        states.save(self.project.state_file, found)
        return found

    def up(self, settings: Settings | None = None, seen: list[str] | None = None) -> StackState:
        phases = [] if seen is None else seen
        return launch.up(self.project, settings or Settings(), lambda state: phases.append(state.phase))


def row(name: str, pid: int | None = None, state: Any = "ready", **values: Any) -> ServiceState:
    base = {"name": name, "title": name.title(), "kind": "service", "since": 1.0}
    return ServiceState(**base | {"state": state, "pid": pid, "pid_started": 1.0} | values)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World(tmp_path)
    for name in ("is_alive", "signal_process", "sweep"):
        monkeypatch.setattr(process, name, getattr(made, name))
    monkeypatch.setattr(launch, "_start_manager", made.start_manager)
    monkeypatch.setattr(launch, "Ports", QuietPorts)
    monkeypatch.setattr(time, "sleep", lambda _seconds: made.next_state())
    return made


# -- what runs now


def test_nothing_runs_where_nothing_was_started(world):
    assert launch.current(world.project) is None


def test_a_living_manager_is_believed(world):
    found = world.write(row("page", 10), phase="starting")
    world.alive = {MANAGER}
    assert launch.current(world.project) == found


def test_services_without_a_manager_are_a_degraded_stack_that_says_so(world):
    world.write(row("page", 10), row("mlflow", 11), row("setup", None, "done"))
    world.alive = {10}
    found = launch.current(world.project)
    assert found is not None
    assert found.phase == "degraded"
    assert "The manager is gone" in found.notices[-1]
    assert [(one.name, one.state, one.pid) for one in found.services] == [
        *(("page", "ready", 10), ("mlflow", "stopped", None), ("setup", "done", None))
    ]


def test_a_state_of_processes_that_are_all_gone_is_no_stack(world):
    world.write(row("page", 10), phase="ready")
    assert launch.current(world.project) is None


def test_a_copied_folder_is_another_stack_and_its_down_does_not_stop_the_first(world):
    world.write(row("page", 10), stack_id="that of the original")
    world.alive = {MANAGER, 10}
    assert launch.current(world.project) is None
    assert not launch.down(world.project)
    assert world.signals == []
    assert world.swept == [services.stack_id(world.project)]


# -- up


def test_up_writes_what_the_manager_needs_and_follows_until_ready(world):
    world.becomes = [
        ("starting", (row("page", 10, "starting"),)),
        ("starting", (row("page", 10, "starting", detail="no answer"),)),
        ("ready", (row("page", 10),)),
        ("failed", ()),
    ]
    seen: list[str] = []
    assert world.up(seen=seen).phase == "ready"
    assert seen == ["starting", "starting", "ready"]
    written = Spec.from_json(world.project.spec.read_text())
    assert written.stack_id == services.stack_id(world.project)
    for path in (world.project.spec, connections.connections_file(world.project), world.project.passwords):
        assert path.stat().st_mode & 0o777 == 0o600


def test_up_is_idempotent(world):
    world.up()
    before = world.project.spec.read_bytes()
    world.up()
    assert (world.started, world.signals, world.project.spec.read_bytes()) == (1, [], before)


def test_up_after_the_manager_was_killed_starts_one_that_adopts_and_touches_no_service(world):
    world.up()
    world.alive.discard(MANAGER)
    world.becomes = [("ready", (row("page", 10),))]
    world.up()
    assert (world.started, world.signals) == (2, [])


def test_up_with_other_settings_stops_the_old_stack_first(world):
    world.up()
    world.becomes = [("ready", (row("page", 20),))]
    world.up(Settings(mlflow=MlflowSettings(auth=True)))
    assert world.started == 2
    assert {pid for pid, _ in world.signals} == {MANAGER, 10}
    assert "MLFLOW_TRACKING_PASSWORD" in world.project.spec.read_text()


def test_up_on_a_failed_stack_tries_anew_and_keeps_what_runs(world):
    world.becomes = [("failed", (row("page", 10), row("mlflow", None, "failed", detail="no")))]
    with pytest.raises(ServiceFailed):
        world.up()
    world.becomes = [("ready", (row("page", 10), row("mlflow", 11)))]
    assert world.up().phase == "ready"
    assert world.started == 2
    assert [pid for pid, _ in world.signals] == [MANAGER]


def test_a_service_that_failed_is_named_with_its_reason_and_its_last_lines(world):
    log = world.project.service_log("mlflow")
    log.write_text("".join(f"line {number}\n" for number in range(20)))
    failed = row("mlflow", None, "failed", detail="gave up after 5 tries: it ended", log=str(log))
    world.becomes = [
        ("failed", (row("page", 10, "starting"), failed)),
        ("failed", (row("page", 10), failed)),
    ]
    seen: list[str] = []
    with pytest.raises(ServiceFailed) as caught:
        world.up(seen=seen)
    assert len(seen) == 2, "the others may come up first"
    assert str(caught.value) == "Mlflow did not start: gave up after 5 tries: it ended."
    assert "airfoil logs mlflow" in caught.value.next_move
    assert caught.value.details == tuple(f"line {number}" for number in range(10, 20))


def test_a_setup_that_failed_ends_the_waiting_at_once(world):
    world.becomes = [
        ("failed", (row("setup", None, "failed", detail="half-migrated"), row("web", None, "waiting")))
    ]
    with pytest.raises(ServiceFailed, match="half-migrated"):
        world.up()


def test_a_manager_that_is_killed_while_starting_is_an_error_with_a_next_move(world, monkeypatch):
    world.becomes = [("starting", (row("page", None, "starting"),))]
    monkeypatch.setattr(time, "sleep", lambda _seconds: world.alive.clear())
    world.project.service_log("manager").write_text("MemoryError: x\n")
    with pytest.raises(ServiceFailed, match="The manager ended while the stack was starting") as caught:
        world.up()
    assert "airfoil up" in caught.value.next_move
    assert caught.value.details == ("MemoryError: x",)


def test_an_up_whose_platform_is_stopped_meanwhile_says_so(world, monkeypatch):
    world.becomes = [("starting", (row("page", None, "starting"),))]

    def stop(_seconds: float) -> None:
        world.write(row("page", None, "stopped"), phase="stopped")
        world.alive.clear()

    monkeypatch.setattr(time, "sleep", stop)
    with pytest.raises(ServiceFailed, match="was stopped while it was starting") as caught:
        world.up()
    assert caught.value.details == ()


def test_memory_that_ran_out_is_no_matter_of_logs(world):
    detail = f"gave up after 5 tries: it was ended by SIGKILL, {OUT_OF_MEMORY}"
    world.becomes = [
        ("failed", (row("api-server", None, "failed", detail=detail), row("page", 1, "starting")))
    ]
    with pytest.raises(ServiceFailed, match="memory runs out") as caught:
        world.up()
    assert caught.value.next_move.startswith("Give it more memory")


def test_what_we_said_ourselves_is_not_repeated_from_the_log(world):
    log = world.project.service_log("setup")
    log.write_text("Traceback\nairfoil: Move it away.\n")
    world.becomes = [("failed", (row("setup", None, "failed", detail="Move it away.", log=str(log)),))]
    with pytest.raises(ServiceFailed, match=r"Move it away\.$") as caught:
        world.up()
    assert caught.value.details == ()


def test_a_disk_so_full_that_nobody_can_report_ends_the_waiting(world, monkeypatch):
    world.becomes = [("starting", (row("page", None, "starting"),))]
    free = iter([2**40] * 3)
    clock = iter(range(1000))
    monkeypatch.setattr(launch.shutil, "disk_usage", lambda _path: SimpleNamespace(free=next(free, 0)))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    with pytest.raises(StorageError, match="The disk is full"):
        world.up()


def test_a_full_disk_is_refused_before_anything_is_started(world, monkeypatch):
    monkeypatch.setattr(launch.shutil, "disk_usage", lambda _path: SimpleNamespace(free=2**20))
    with pytest.raises(NeighbourError, match="Only 1 MiB are free") as caught:
        world.up()
    assert world.started == 0
    assert "Free some space" in caught.value.next_move
    assert not world.project.spec.exists()


def test_a_second_up_watches_the_first_and_then_finds_it_running(world, monkeypatch):
    import fcntl

    world.write(row("page", 10), phase="starting")
    world.alive = {MANAGER, 10}
    with world.project.up_lock.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        naps: list[float] = []

        def nap(seconds: float) -> None:
            naps.append(seconds)
            if len(naps) == 3:
                fcntl.flock(lock, fcntl.LOCK_UN)

        world.becomes = [("ready", (row("page", 10),))]
        monkeypatch.setattr(time, "sleep", nap)
        seen: list[str] = []
        assert world.up(seen=seen).phase == "ready"
    assert len(naps) == 3
    assert "starting" in seen


# -- down


def test_down_asks_the_manager_and_reports_its_way(world, monkeypatch):
    world.write(row("page", 10))
    world.alive = {MANAGER}
    world.becomes = [
        ("stopping", (row("page", 10, "stopping"),)),
        ("stopped", (row("page", None, "stopped"),)),
    ]

    def ask(pid: int, _started: float, number: int) -> bool:
        world.signals.append((pid, number))
        return True

    def nap(_seconds: float) -> None:
        world.next_state()
        if not world.becomes:
            world.alive.clear()

    monkeypatch.setattr(process, "signal_process", ask)
    monkeypatch.setattr(time, "sleep", nap)
    seen: list[str] = []
    assert launch.down(world.project, lambda state: seen.append(state.phase))
    assert world.signals[0] == (MANAGER, 15)
    assert seen == ["ready", "stopping"]
    assert states.load(world.project.state_file).phase == "stopped"


def test_down_without_a_manager_stops_in_order_and_writes_it_down(world):
    names = ["api-server", "scheduler", "dag-processor", "triggerer", "mlflow", "page"]
    world.write(row("setup", None, "done"), *(row(name, 10 + number) for number, name in enumerate(names)))
    world.alive = {10 + number for number in range(len(names))}
    assert launch.down(world.project)
    order = [names[pid - 10] for pid, _ in world.signals]
    assert set(order) == set(names)
    assert order[-1] == "api-server", "tasks and heartbeats need it to the end"
    found = states.load(world.project.state_file)
    assert found.phase == "stopped"
    assert {one.state for one in found.services} == {"done", "stopped"}
    assert {one.pid for one in found.services} == {None}


def test_down_where_nothing_runs_is_no_error(world):
    assert not launch.down(world.project)
    assert not launch.down(world.project)
    assert len(world.swept) == 2, "it looks for leftovers all the same"


def test_leftovers_alone_count_as_running(world, monkeypatch):
    monkeypatch.setattr(process, "sweep", lambda _stack_id: [7])
    assert launch.down(world.project)


# -- the pass-through environment


def test_commands_get_what_the_services_get(world):
    world.up()
    spec = Spec.from_json(world.project.spec.read_text())
    found = launch.environment(world.project, Settings())
    assert found["AIRFLOW_HOME"] == str(world.project.airflow_home)
    for name, value in found.items():
        assert spec.environment[name] == value, name
    assert process.STACK_MARK not in found, (
        "a command of the user is not part of the stack and must survive a sweep"
    )


def test_commands_import_the_users_package_and_what_the_shell_names(world, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/mine")
    found = launch.environment(world.project, Settings())
    assert found["PYTHONPATH"] == f"{world.project.root / 'src'}{os.pathsep}/mine"


def test_commands_work_before_the_first_start(world):
    found = launch.environment(world.project, Settings(feast=FeastSettings()))
    assert found["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:15000"
    assert found["AIRFLOW__CORE__FERNET_KEY"]
    assert os.environ.get("AIRFLOW__CORE__FERNET_KEY") is None
