"""What the tests of the stack share: a made-up world for doctor's checks."""

import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from airfoil.settings import load
from airfoil.stack.doctor import Case
from airfoil.stack.findings import Finding
from airfoil.stack.machine import Disk, Machine, SeenProcess
from airfoil.stack.project import Project
from airfoil.stack.services import stack_id
from airfoil.stack.state import ServiceState, StackState

NOW = time.time()  # not made up: it is compared with the age of real files

HEALTHY = Machine(
    python=(3, 11),
    platform="linux",
    clock=time.time,
    user_id=lambda: 1000,
    disk=lambda _: Disk(free_mib=50_000, kind="ext4"),
    available_memory_mib=lambda: 8000.0,
    total_memory_mib=lambda: 16000.0,
    is_wsl=lambda: False,
    hardware_clock=lambda: None,
    installed={"apache-airflow-core": "3.3.2", "mlflow": "3.17.2", "feast": "0.67.0"}.get,
    requirements=lambda: [
        "apache-airflow-core<3.4,>=3.3.2",
        'mlflow==3.17.2; extra == "stack"',
        "feast<0.68,>=0.67",
    ],
    airflow_catalog=lambda: {"core": frozenset({"executor", "max_active_runs_per_dag", "fernet_key"})},
    port_blocked=lambda _host, _port: None,
    port_explained=lambda _host, _port: "is in use by nginx (process 7)",
    port_owned_by=lambda _port, _mark: False,
    connection_problem=lambda _host, _port: "",
    marked=lambda _mark: [],
    members=lambda pid: [pid],
    is_alive=lambda _pid, _started: False,
    see_process=lambda _pid: None,
)


class World:
    """A project on a made-up machine: healthy until a test changes something."""

    def __init__(self, folder: Path) -> None:
        # When this test began, not when all were collected: on a busy machine that is long ago, and files look too new.
        self.now = time.time()
        self.machine = replace(HEALTHY, clock=lambda: self.now)
        self.project = Project(folder / "mein Projekt ä")
        self.project.dags.mkdir(parents=True)
        self.settings("")
        self.project.prepare()
        self.last_state: StackState | None = None
        self.import_errors: list[dict[str, Any]] = []

    def settings(self, toml: str) -> None:
        """Write airfoil.toml."""
        self.project.toml.write_text(toml)
        self.project.toml.chmod(0o600)

    def change(self, **fields: Any) -> None:
        """Change parts of the machine."""
        self.machine = replace(self.machine, **fields)

    def alive(self, *pids: int) -> None:
        """Let these pids be the processes that were noted."""
        self.change(is_alive=lambda pid, _started: pid in pids)

    def processes(self, *seen: SeenProcess) -> None:
        """Let these processes exist."""
        self.change(see_process={process.pid: process for process in seen}.get)

    def state(self, *services: ServiceState, phase: Any = "ready") -> None:
        """Let the manager (pid 100) have written a state."""
        self.last_state = StackState(
            project=str(self.project.root),
            stack_id=stack_id(self.project),
            engine="plain",
            phase=phase,
            started_at=NOW,
            updated_at=NOW,
            manager_pid=100,
            manager_started=1.0,
            services=services,
        )

    @staticmethod
    def service(name: str, pid: int | None = None, state: Any = "ready", detail: str = "") -> ServiceState:
        """Make a service of a state."""
        return ServiceState(
            name=name,
            title=name.title(),
            kind="service",
            state=state,
            since=NOW,
            pid=pid,
            pid_started=2.0,
            detail=detail,
            url="http://127.0.0.1:8080",
        )

    @property
    def case(self) -> Case:
        """What a check gets."""
        return Case(
            machine=self.machine,
            project=self.project,
            settings=load(self.project.root, {}),
            last_state=self.last_state,
            ask_airflow=lambda _project, _state: self.import_errors,
        )

    @staticmethod
    def bad(findings: Iterable[Finding]) -> list[tuple[str, str]]:
        """Return level and message of all that is not ok."""
        return [(finding.level, finding.message) for finding in findings if finding.level != "ok"]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A healthy project on a healthy machine, where nothing runs."""
    return World(tmp_path)
