"""A stage for the status page: its real process, a hand-written state.json, and small real servers as neighbours."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from airfoil.stack import process, secrets
from airfoil.stack import state as states
from airfoil.stack.project import Project
from airfoil.stack.state import ServiceState, StackState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.client import HTTPResponse

    from playwright.sync_api import Browser, Page

CHROMIUM = "/usr/bin/chromium"
PATIENCE_SECONDS = 60
MAX_PICTURE_BYTES = 150 * 1024
PICTURES = os.environ.get("PICTURES", "")
"""`PICTURES=docs` writes docs/images anew, `PICTURES=FOLDER` keeps all screenshots there."""
MIB_BY_SERVICE = {
    "preload": 46,
    "api-server": 118,
    "scheduler": 92,
    "dag-processor": 58,
    "triggerer": 49,
    "mlflow": 131,
    "page": 21,
}


# One module only: while playwright's loop runs in this thread, no other test could run an event loop of its own.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The real browser. Where there is none the tests skip and say so; in CI that is a failure."""
    missing = ""
    if not Path(CHROMIUM).exists():
        missing = f"{CHROMIUM} is missing (apt-get install chromium)"
    elif find_spec("playwright") is None:
        missing = "playwright is missing (uv sync)"
    if missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must run the browser tests: {missing}")
        pytest.skip(missing)
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


class FakeServer:
    """Answers what `routes` says, and remembers what was asked."""

    def __init__(self, routes: dict[str, Any], wish: int = 0) -> None:
        self.routes = routes
        self.silent = False
        """Accept questions and answer none."""
        self._closing = threading.Event()
        self.asked: list[str] = []
        self.authorizations: list[str] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path = urlsplit(self.path).path
                fake.asked.append(path)
                fake.authorizations.append(self.headers.get("Authorization", ""))
                if fake.silent:
                    fake._closing.wait(30)
                    return
                found = fake.routes.get(path)
                body = json.dumps({"detail": "not here"} if found is None else found).encode()
                self.send_response(404 if found is None else 201 if path == "/auth/token" else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = answer  # noqa: N815 - the names http.server calls

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", free_port(wish)), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Stop answering."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()


def free_port(wish: int) -> int:
    """Any free port; for the documents' pictures the usual one if it is free."""
    for port in (wish, 0) if PICTURES else (0,):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    pytest.fail("no port is free")


def iso(epoch: float) -> str:
    """Write a time as Airflow does."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(epoch))


def airflow_routes(now: float) -> dict[str, Any]:
    """A working Airflow with a few runs."""

    def run(dag_id: str, kind: str, state: str, started: float, seconds: float | None) -> dict[str, Any]:
        return {
            "dag_id": dag_id,
            "dag_run_id": f"{kind}__{iso(started)}",
            "state": state,
            "run_type": kind,
            "start_date": iso(started),
            "end_date": None if seconds is None else iso(started + seconds),
        }

    runs = [
        run("example_dag", "manual", "running", now - 7, None),
        run("simple_test_dag", "manual", "success", now - 95, 3),
        run("example_dag", "manual", "success", now - 340, 21),
        run("ml_model_training_pipeline", "scheduled", "success", now - 4100, 148),
        run("simple_test_dag", "scheduled", "success", now - 39000, 2),
    ]
    return {
        "/auth/token": {"access_token": "a-token-of-the-fake"},
        "/api/v2/dags/~/dagRuns": {"dag_runs": runs, "total_entries": len(runs)},
        "/api/v2/importErrors": {"import_errors": [], "total_entries": 0},
    }


def mlflow_routes(now: float) -> dict[str, Any]:
    """A working MLflow with a few runs and models."""

    def run(name: str, experiment: str, started: float, seconds: float | None) -> dict[str, Any]:
        info = {
            "run_id": f"{name}0123456789",
            "run_name": name,
            "experiment_id": experiment,
            "status": "RUNNING" if seconds is None else "FINISHED",
            "start_time": int(started * 1000),
        }
        return {"info": info if seconds is None else {**info, "end_time": int((started + seconds) * 1000)}}

    def model(name: str, version: str, age: float) -> dict[str, Any]:
        return {"name": name, "version": version, "creation_timestamp": int((now - age) * 1000)}

    def aliases(name: str, **versions: str) -> dict[str, Any]:
        return {
            "name": name,
            "aliases": [{"alias": alias, "version": number} for alias, number in versions.items()],
        }

    return {
        "/api/2.0/mlflow/experiments/search": {
            "experiments": [
                {"experiment_id": "1", "name": "example_dag"},
                {"experiment_id": "2", "name": "wine"},
            ]
        },
        "/api/2.0/mlflow/runs/search": {
            "runs": [
                run("train", "1", now - 5, None),
                run("train", "1", now - 336, 12),
                run("capable-wren-41", "2", now - 4090, 131),
            ]
        },
        "/api/2.0/mlflow/model-versions/search": {
            "model_versions": [
                model("digits", "2", 322),
                model("wine", "4", 3960),
                model("wine", "3", 90000),
            ]
        },
        "/api/2.0/mlflow/registered-models/search": {
            "registered_models": [
                aliases("digits", champion="2"),
                aliases("wine", champion="3", challenger="4"),
            ]
        },
    }


class Stage:
    """One project whose status page runs; the test decides what the page gets to see."""

    def __init__(self, folder: Path) -> None:
        self._closing = ExitStack()
        root = folder / "wine-shop"
        root.mkdir()
        (root / "airfoil.toml").write_text("")
        self.project = Project(root)
        self.project.prepare()
        self.secrets = secrets.ensure(self.project)
        now = time.time()
        self.airflow = FakeServer(airflow_routes(now), 8080)
        self._closing.callback(self.airflow.close)
        self.mlflow = FakeServer(mlflow_routes(now), 5000)
        self._closing.callback(self.mlflow.close)
        self.port = free_port(8081)
        self.url = f"http://127.0.0.1:{self.port}"
        self.page: subprocess.Popen[bytes] | None = None

    def close(self) -> None:
        """End every process and server of the stage."""
        self.stop_page()
        self._closing.close()

    def stand_in(self, mib: int) -> tuple[int, float]:
        """Start a process that lives and holds some memory: what the page measures as a service."""
        code = f"import time; held = bytearray(b'x') * ({mib} << 20); time.sleep(600)"
        child = subprocess.Popen([sys.executable, "-S", "-I", "-c", code], start_new_session=True)
        self._closing.callback(_end, child)
        born = process.birth(child.pid)
        assert born is not None
        return child.pid, born

    def healthy(self, mib_by_service: dict[str, int] | None = None) -> StackState:
        """A stack in which everything runs."""
        now = time.time()
        mib_by_service = mib_by_service or dict.fromkeys(MIB_BY_SERVICE, 0)
        stand_ins = {name: self.stand_in(mib) for name, mib in mib_by_service.items()}
        manager, manager_started = self.stand_in(0)
        started = now - 8080

        def row(name: str, title: str, budget: int, **more: Any) -> ServiceState:
            pid, pid_started = stand_ins.get(name, (None, None))
            values = {"kind": "service", "state": "ready", "since": started + 8.8, **more}
            log = str(self.project.service_log(name))
            return ServiceState(
                name, title, pid=pid, pid_started=pid_started, memory_budget_mib=budget, log=log, **values
            )

        return StackState(
            project=str(self.project.root),
            stack_id="0123456789abcdef",
            engine="preloaded",
            phase="ready",
            started_at=started,
            ready_at=started + 9.2,
            updated_at=now,
            manager_pid=manager,
            manager_started=manager_started,
            budgets={"memory_mib": 1024, "start_seconds": 60},
            services=(
                row("setup", "Database and connections", 300, kind="job", state="done", since=started + 4.1),
                row("preload", "Pre-loaded parent", 100, kind="helper", since=started + 2.3),
                row("api-server", "Airflow", 200, url=self.airflow.url, version="3.3.2"),
                row("scheduler", "Scheduler", 180, version="3.3.2"),
                row("dag-processor", "DAG processor", 120, version="3.3.2"),
                row("triggerer", "Triggerer", 100, version="3.3.2"),
                row("mlflow", "MLflow", 240, url=self.mlflow.url, version="3.17.2"),
                row("page", "Status page", 60, url=self.url, port=self.port, version="0.1.0"),
            ),
        )

    def write(self, state: StackState) -> StackState:
        """Write state.json as the manager does."""
        states.save(self.project.state_file, state)
        return state

    def start_page(self) -> float:
        """Start the page's process; the seconds until it answered."""
        began = time.monotonic()
        argv = [sys.executable, "-m", "airfoil.stack.page", "--project", str(self.project.root)]
        self.page = subprocess.Popen([*argv, "--host", "127.0.0.1", "--port", str(self.port)])
        while time.monotonic() - began < PATIENCE_SECONDS:
            with suppress(OSError):
                assert json.loads(self.get("/healthz")) == {"status": "ok"}
                return time.monotonic() - began
            assert self.page.poll() is None, "the page ended at once"
            time.sleep(0.02)
        pytest.fail("the page did not answer")

    def open(self, path: str) -> HTTPResponse:
        """Ask the page as a program does, and read at leisure."""
        answer: HTTPResponse = urllib.request.urlopen(self.url + path, timeout=60)  # noqa: S310 - our own page
        return answer

    def get(self, path: str) -> str:
        """Ask the page as a program does."""
        with self.open(path) as answer:
            return answer.read().decode()

    def stop_page(self) -> None:
        """End the page's process as the manager would."""
        if self.page is not None:
            _end(self.page)
            self.page = None


def changed(stack: StackState, name: str, /, **values: Any) -> StackState:
    """The same stack with one service changed."""
    services = tuple(
        dataclasses.replace(row, **values) if row.name == name else row for row in stack.services
    )
    return dataclasses.replace(stack, services=services)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(5)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A project with a page, not yet started."""
    it = Stage(tmp_path)
    yield it
    it.close()


@pytest.fixture
def with_service() -> Callable[..., StackState]:
    """The function that changes one service of a state."""
    return changed


@pytest.fixture
def picture(tmp_path: Path, repository: Path) -> Callable[..., None]:
    """picture(tab, name, height) takes a screenshot; small enough to be shown in the documents."""

    def take(tab: Page, name: str, height: int | None = None) -> None:
        folder = Path(PICTURES) if PICTURES else tmp_path
        if PICTURES == "docs":
            if name not in {"healthy", "down", "phone"}:
                return
            folder = repository / "docs" / "images"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"status-page-{name}.png"
        width = tab.evaluate("innerWidth")
        if height is None:
            tab.screenshot(path=path, full_page=True)
        else:
            tab.screenshot(path=path, full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height})
        assert PICTURES != "docs" or path.stat().st_size <= MAX_PICTURE_BYTES

    return take


@pytest.fixture
def mib_by_service() -> dict[str, int]:
    """Memory of the stand-ins: like a real stack where pictures are kept, else next to nothing."""
    return MIB_BY_SERVICE if PICTURES else dict.fromkeys(MIB_BY_SERVICE, 0)
