"""A plain Airflow and a plain MLflow as people run them: their own commands, real processes that tests may kill.

Nothing of our stack is in it, only the provider that is installed beside Airflow.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil
from tests.integration.servers import free_port, listening, wait_until

if TYPE_CHECKING:
    from tests.integration.airflow_home import AirflowHome

COMPONENTS = ("api-server", "dag-processor", "scheduler")
START_SECONDS = 300.0
"""On a machine that is busy with other tests a server takes minutes to begin."""
ANSWER_SECONDS = 120.0
"""And its first answers, for which it imports a good deal, take more than half a minute."""
UNFINISHED = {"queued", "running"}


@dataclass
class Component:
    """One process of a server, its log, and how to start it again."""

    argv: list[str]
    environment: Mapping[str, str]
    folder: Path
    name: str
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.argv,
                env=dict(self.environment),
                cwd=self.folder,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Kill the process and everything it has started."""
        if self.process is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            family = [
                psutil.Process(self.process.pid),
                *psutil.Process(self.process.pid).children(recursive=True),
            ]
            for one in reversed(family):
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.send_signal(number)
        self.process.wait(30)
        self.process = None

    def said(self) -> str:
        return self.log.read_text(errors="replace")


class RunningMlflow:
    """An MLflow server on SQLite, which may be killed and started again at the same address."""

    @classmethod
    @contextlib.contextmanager
    def started(cls, folder: Path) -> Iterator[RunningMlflow]:
        """Start one, and end whatever it has become by then."""
        server = cls(folder)
        try:
            server.start()
            yield server
        finally:
            server.kill()

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        argv = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--port", str(self.port)]
        argv += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
        argv += ["--artifacts-destination", str(folder / "artifacts")]
        environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        self.component = Component(argv, environment, folder, "mlflow")

    def start(self) -> None:
        self.component.start()
        wait_until(self._healthy, self.component.process, self.component.log, START_SECONDS)

    def kill(self) -> None:
        self.component.kill()

    def ask(self, path: str, **body: Any) -> dict[str, Any]:
        answer = httpx.post(
            f"{self.uri}/api/2.0/mlflow/{path}", json=body, trust_env=False, timeout=ANSWER_SECONDS
        )
        answer.raise_for_status()
        return answer.json()

    def fetch(self, path: str, **query: str) -> dict[str, Any]:
        answer = httpx.get(
            f"{self.uri}/api/2.0/mlflow/{path}", params=query, trust_env=False, timeout=ANSWER_SECONDS
        )
        answer.raise_for_status()
        return answer.json()

    def runs(self, text: str = "", **tags: str) -> list[dict[str, Any]]:
        """All runs, or those with these tags of Airflow, each with its tags as a dict beside its info."""
        ids = [
            one["experiment_id"] for one in self.ask("experiments/search", max_results=1000)["experiments"]
        ]
        found = self.ask("runs/search", experiment_ids=ids, filter=text, max_results=1000).get("runs", [])
        shown = [
            run["info"]
            | {"tags": {tag["key"]: tag["value"] for tag in run["data"].get("tags", [])}}
            | {"params": {row["key"]: row["value"] for row in run["data"].get("params", [])}}
            for run in found
        ]
        wanted = {f"airflow.{name}": value for name, value in tags.items()}
        return [run for run in shown if wanted.items() <= run["tags"].items()]

    def running(self, **tags: str) -> list[dict[str, Any]]:
        """Those that are RUNNING."""
        return [run for run in self.runs("attributes.status = 'RUNNING'") if _has(run, tags)]

    def _healthy(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.uri}/health", trust_env=False).is_success
        return False


def _has(run: dict[str, Any], tags: Mapping[str, str]) -> bool:
    return all(run["tags"].get(f"airflow.{name}") == value for name, value in tags.items())


@dataclass
class RunningAirflow:
    """api-server, dag-processor and scheduler of a plain Airflow with LocalExecutor."""

    home: AirflowHome
    port: int = field(default_factory=free_port)
    components: dict[str, Component] = field(default_factory=dict)

    @classmethod
    def prepare(cls, migrated: AirflowHome, folder: Path, **settings: str) -> RunningAirflow:
        """Copy a set-up home; `settings` are further environment variables."""
        it = cls(migrated.copied_to(folder))
        (folder / "dags").mkdir()
        url = f"http://127.0.0.1:{it.port}"
        it.home.settings = {
            "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(folder / "plugins"),
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "2",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
            "AIRFLOW__API__BASE_URL": url,
            "AIRFLOW__API__PORT": str(it.port),
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API__SECRET_KEY": "for-this-test-only",
            "AIRFLOW__API_AUTH__JWT_SECRET": "for-this-test-only-and-long-enough-to-be-taken",
            "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "20",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(folder / "logs"),
            "NO_PROXY": "127.0.0.1",
            **settings,
        }
        return it

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def write(self, name: str, text: str) -> None:
        """Put a DAG file into its folder."""
        (self.home.folder / "dags" / f"{name}.py").write_text(text)

    def start(self, *names: str) -> None:
        """Start components, all of them by default, and wait for the API server."""
        for name in names or COMPONENTS:
            argv = [sys.executable, "-m", "airflow", name]
            argv += ["--skip-serve-logs"] if name == "scheduler" else []
            component = self.components.setdefault(
                name, Component(argv, self.home.environment, self.home.folder, name)
            )
            component.start()
        server = self.components["api-server"]
        wait_until(
            lambda: listening(self.port) and self._healthy(), server.process, server.log, START_SECONDS
        )

    def stop(self) -> None:
        """End all components as an operator would, then whatever is left."""
        for component in self.components.values():
            if component.process is not None:
                component.process.terminate()
        for component in self.components.values():
            if component.process is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    component.process.wait(10)
                component.kill()

    def trigger(self, dag_id: str) -> str:
        """Start a run of a DAG as soon as Airflow knows it; its id."""
        run_id = f"t{time.time_ns()}"
        body = {"logical_date": None, "dag_run_id": run_id}

        def triggered() -> bool:
            # A request that is not answered in time may have been served: 409 tells.
            answer = self.ask("POST", f"dags/{dag_id}/dagRuns", json=body)
            assert answer.status_code in {200, 404, 409}, answer.text
            return answer.status_code in {200, 409}

        self.until(triggered, 120, f"{dag_id} is known", step_seconds=0.5)
        return run_id

    def state(self, dag_id: str, run_id: str) -> str:
        """The state of a DAG run."""
        ((state,),) = self.home.rows(
            f"select state from dag_run where dag_id = '{dag_id}' and run_id = '{run_id}'"  # noqa: S608 - ours
        )
        return str(state)

    def until_over(self, dag_id: str, run_id: str, seconds: float = 240) -> str:
        """Wait for the end of a DAG run; its state."""
        self.until(lambda: self.state(dag_id, run_id) not in UNFINISHED, seconds, f"{dag_id} {run_id} ends")
        return self.state(dag_id, run_id)

    def until(
        self, true: Callable[[], object], seconds: float, what: str, *, step_seconds: float = 0.3
    ) -> float:
        """Wait; the seconds it took. What is not true in time fails with the ends of all logs."""
        began = time.monotonic()
        while not true():
            if time.monotonic() - began > seconds:
                raise AssertionError(f"not within {seconds:.0f} s: {what}\n{self.last_words()}")
            time.sleep(step_seconds)
        return time.monotonic() - began

    def last_words(self) -> str:
        """The ends of the components' logs and of the task logs."""
        files = [one.log for one in self.components.values() if one.log.exists()]
        files += sorted((self.home.folder / "logs").rglob("attempt*.log"))
        return "\n".join(f"--- {path}\n{path.read_text(errors='replace')[-2500:]}" for path in files)

    def task_log(self, dag_id: str, task_id: str, number: int = 1) -> str:
        """What a try of a task wrote."""
        folder = self.home.folder / "logs"
        paths = folder.rglob(f"dag_id={dag_id}/**/task_id={task_id}/**/attempt={number}.log")
        return "\n".join(
            str(json.loads(line).get("event", "")) for path in paths for line in path.read_text().splitlines()
        )

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Ask the public API as an administrator."""
        asked = httpx.get(f"{self.url}/auth/token", trust_env=False, timeout=ANSWER_SECONDS)
        token = asked.json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.request(
            method,
            f"{self.url}/api/v2/{path}",
            headers=headers,
            trust_env=False,
            timeout=ANSWER_SECONDS,
            **options,
        )

    def _healthy(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/api/v2/version", trust_env=False).is_success
        return False


def running(airflow: RunningAirflow) -> Iterator[RunningAirflow]:
    """Start it for a test, and end whatever runs of it afterwards."""
    try:
        airflow.start()
        yield airflow
    finally:
        airflow.stop()
