"""What tests of the command line share: a project, a stack that only pretends, and an Airflow of written answers."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from airfoil.cli.context import Invocation
from airfoil.cli.entry import run_command_line
from airfoil.stack import process, secrets, target
from airfoil.stack.project import Project
from airfoil.stack.state import ServiceState, StackState, save

TOML = """[project]
name = "shop"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project that is the current folder, with secrets."""
    root = tmp_path / "größe 1"
    (root / "dags").mkdir(parents=True)
    (root / "airfoil.toml").write_text(TOML, encoding="utf-8")
    found = Project(root)
    found.prepare()
    secrets.ensure(found)
    monkeypatch.chdir(root)
    return found


@dataclass
class FakeStack:
    """A stack runner that keeps a state and notes what it was asked."""

    state: StackState | None = None
    steps: list[StackState] = field(default_factory=list)
    """What `up` and `down` report on the way; the last one stays."""
    error: Exception | None = None
    calls: list[str] = field(default_factory=list)

    def up(self, project: Project, settings: Any, on_progress: Callable[[StackState], None]) -> StackState:
        self.calls.append("up")
        return self._walk(on_progress)

    def down(self, project: Project, on_progress: Callable[[StackState], None]) -> bool:
        self.calls.append("down")
        was_running = self.state is not None
        if self.steps:
            self._walk(on_progress)
        self.state = None
        return was_running

    def restart(self, project: Project, name: str, on_progress: Callable[[StackState], None]) -> StackState:
        self.calls.append(f"restart {name}")
        return self._walk(on_progress)

    def current(self, project: Project) -> StackState | None:
        return self.state

    def here(self, project: Project) -> StackState | None:
        return self.state

    def environment(self, project: Project, settings: Any) -> dict[str, str]:
        return {"AIRFLOW_HOME": str(project.airflow_home), "MLFLOW_TRACKING_URI": "http://127.0.0.1:5000"}

    def _walk(self, on_progress: Callable[[StackState], None]) -> StackState:
        for step in self.steps:
            on_progress(step)
        if self.error is not None:
            raise self.error
        self.state = self.steps[-1]
        return self.state


@pytest.fixture
def stack() -> FakeStack:
    """A stack that does not run."""
    return FakeStack()


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """The one JSON value on stdout."""
        return json.loads(self.out)


@pytest.fixture
def airfoil(stack: FakeStack, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run one command as the shell would, without waiting for anything."""

    def run(
        *arguments: str,
        sleep: Callable[[float], None] = lambda _: None,
        browse: Callable[[str], bool] = lambda _: False,
        transport: Any = None,
        **options: Any,
    ) -> Outcome:
        capsys.readouterr()
        invocation = Invocation(stack=stack, sleep=sleep, browse=browse, transport=transport)
        code = run_command_line(arguments, invocation=invocation, **options)
        seen = capsys.readouterr()
        return Outcome(code, seen.out, seen.err)

    return run


@pytest.fixture
def server_as_target() -> Callable[[Project], None]:
    """Let the commands of a project mean a Compose server."""

    def choose(project: Project) -> None:
        folder = project.root / "deploy" / "compose"
        folder.mkdir(parents=True)
        names = ("_AIRFLOW_WWW_USER_USERNAME", "_AIRFLOW_WWW_USER_PASSWORD", "MLFLOW_ADMIN_PASSWORD")
        lines = ["AIRFOIL_URL=https://ml.example.org", *(f"{name}=x" for name in names)]
        (folder / ".env").write_text("\n".join(lines), encoding="utf-8")
        target.use_compose(project, folder)

    return choose


def service(name: str, state: Any = "ready", **values: Any) -> ServiceState:
    """One service, by default of this very process, ready for a minute."""
    mine = {"pid": os.getpid(), "pid_started": process.birth(os.getpid())} if state == "ready" else {}
    values = {"since": time.time() - 60, "title": name.capitalize(), "kind": "service", **mine, **values}
    return ServiceState(name=name, state=state, **values)


def stack_state(*services: ServiceState, phase: Any = "ready", **values: Any) -> StackState:
    """A stack whose manager is this very process."""
    now = time.time()
    given = {
        "started_at": now - 70,
        "updated_at": now,
        "ready_at": now - 60,
        "budgets": {"memory_mib": 1024.0},
    }
    return StackState(
        project="shop",
        stack_id="id",
        engine="plain",
        phase=phase,
        manager_pid=os.getpid(),
        manager_started=process.birth(os.getpid()) or 0.0,
        services=services,
        **{**given, **values},
    )


@pytest.fixture
def a_service() -> Callable[..., ServiceState]:
    """Make a service."""
    return service


@pytest.fixture
def a_state() -> Callable[..., StackState]:
    """Make a state."""
    return stack_state


class FakeAirflow:
    """Airflow's REST API over written histories: each look at a run shows its next moment."""

    def __init__(self, server: Any, answer: Any) -> None:
        self.server = server
        self._answer = answer
        self.dags: dict[str, dict[str, Any]] = {}
        self.import_errors: list[dict[str, Any]] = []
        self.triggered: dict[str, list[Mapping[str, Any]]] = {}
        self._run_ids: dict[str, str] = {}
        server.on("POST", "/auth/token", answer({"access_token": "t"}, 201))
        server.on("GET", "/api/v2/dags", lambda _: answer({"dags": list(self.dags.values())}))
        server.on("GET", "/api/v2/importErrors", lambda _: answer({"import_errors": self.import_errors}))

    @property
    def url(self) -> str:
        return str(self.server.url)

    def add_dag(self, dag_id: str, *moments: tuple[str, list[dict[str, Any]]], **values: Any) -> None:
        """Add a DAG; its runs go through the given moments: (run state, task instances)."""
        self.dags[dag_id] = {"dag_id": dag_id, "is_paused": False, "is_stale": False, **values}
        self.triggered[dag_id] = []
        answer, base = self._answer, f"/api/v2/dags/{dag_id}"
        left = list(moments)

        def trigger(request: Any) -> Any:
            self.triggered[dag_id].append(request.body)
            run_id = request.body["dag_run_id"]
            self._run_ids[dag_id] = run_id
            self.server.on("GET", f"{base}/dagRuns/{run_id}", run)
            self.server.on("GET", f"{base}/dagRuns/{run_id}/taskInstances", tasks)
            return answer(self._run(dag_id, "queued"))

        def run(_: Any) -> Any:
            return answer(self._run(dag_id, left[0][0]))

        def tasks(_: Any) -> Any:
            moment = left.pop(0) if len(left) > 1 else left[0]
            return answer({"task_instances": moment[1]})

        def pause(request: Any) -> Any:
            self.dags[dag_id]["is_paused"] = request.body["is_paused"]
            return answer(self.dags[dag_id])

        def recent(_: Any) -> Any:
            known = self._run_ids.get(dag_id)
            return answer({"dag_runs": [self._run(dag_id, "success")] if known else []})

        self.server.on("GET", base, lambda _: answer(self.dags[dag_id]))
        self.server.on("PATCH", base, pause)
        self.server.on("POST", f"{base}/dagRuns", trigger)
        self.server.on("GET", f"{base}/dagRuns", recent)

    def add_run(self, dag_id: str, run_id: str, tasks: list[dict[str, Any]]) -> None:
        """Let a DAG have run."""
        self._run_ids[dag_id] = run_id
        location = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        self.server.on("GET", location, lambda _: self._answer({"task_instances": tasks}))

    def add_log(self, dag_id: str, run_id: str, task_id: str, try_number: int, *lines: Any) -> None:
        """Write the log of a try; several lists are what it holds at successive looks."""
        location = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{try_number}"
        looks = lines if lines and isinstance(lines[0], list) else [list(lines)]
        self.server.on("GET", location, *[self._answer({"content": look}) for look in looks])

    def run_id(self, dag_id: str) -> str:
        """The last triggered run."""
        return self._run_ids[dag_id]

    def _run(self, dag_id: str, state: str) -> dict[str, Any]:
        run_id = self._run_ids.get(dag_id)
        ended = "2026-11-20T10:00:05Z" if state in {"success", "failed"} else None
        start = None if state == "queued" else "2026-11-20T10:00:00Z"
        row = {"dag_id": dag_id, "dag_run_id": run_id, "state": state, "start_date": start, "end_date": ended}
        return {**row, "logical_date": None}


@pytest.fixture
def fake_airflow(http_server: Any, answer: Any) -> FakeAirflow:
    """An Airflow without DAGs."""
    return FakeAirflow(http_server, answer)


@pytest.fixture
def running(project: Project, stack: FakeStack, fake_airflow: FakeAirflow) -> FakeAirflow:
    """A platform that runs since an hour, whose Airflow and MLflow are the fake server."""
    url = fake_airflow.url
    state = stack_state(
        service("api-server", url=url, title="Airflow"),
        service("scheduler"),
        service("mlflow", url=url, title="MLflow"),
        started_at=time.time() - 3610,
        ready_at=time.time() - 3600,
    )
    stack.state = replace(state, project=str(project.root))
    save(project.state_file, stack.state)
    return fake_airflow


@pytest.fixture
def task() -> Callable[..., dict[str, Any]]:
    """Write one task instance as Airflow gives it."""

    def make(task_id: str, state: str | None = None, **values: Any) -> dict[str, Any]:
        start = "2026-11-20T10:00:01Z" if state not in {None, "queued", "scheduled"} else None
        end = "2026-11-20T10:00:03.500Z" if state in {"success", "failed", "up_for_retry"} else None
        row = {"task_id": task_id, "map_index": -1, "state": state, "try_number": 1 if start else 0}
        return {**row, "start_date": start, "end_date": end, **values}

    return make


@pytest.fixture
def colours_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody set NO_COLOR or a dumb terminal."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
