"""A server as a user makes it: a fresh copy of this checkout, `airfoil deploy compose`, images, `docker compose up`.

The compose files are the very ones that users get. What a test adds stands in a file of its own: builds that use the
machine's network (as the machine reaches its package index), and ports that nobody else has.
"""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import yaml
from tests.deploy import engine, stand_ins
from tests.integration.servers import free_port

from airfoil.stack.deploy import env_file

ROOT = Path(__file__).parents[2]
WORKERS = 2
HEALTHY_SECONDS = 180
PATIENCE_SECONDS = 180
TEST_FILE = "test.override.yaml"
UNFINISHED = {"queued", "running", "scheduled", None}
IMAGES = ("airflow", "mlflow", "features", "status")
IMAGES_TAG = os.environ.get("IMAGES_TAG", "test")
"""Never that of a release: a server of this machine may run those."""
PRESENT_PYTHON = "python:3.12-slim-bookworm"
Found = TypeVar("Found")


@dataclass
class Server:
    """A running server, and who we are there."""

    folder: Path
    compose: engine.Compose
    variables: Mapping[str, str]
    started_seconds: float = 0.0
    _token: str = field(default="", repr=False)
    _authority: str = ""

    @property
    def url(self) -> str:
        """What people type."""
        return self.variables["AIRFOIL_URL"]

    @property
    def login(self) -> tuple[str, str]:
        """The first administrator of Airflow."""
        return self.variables["_AIRFLOW_WWW_USER_USERNAME"], self.variables["_AIRFLOW_WWW_USER_PASSWORD"]

    @property
    def mlflow_login(self) -> tuple[str, str]:
        """The account of the machines."""
        return self.variables["MLFLOW_AIRFLOW_USERNAME"], self.variables["MLFLOW_AIRFLOW_PASSWORD"]

    def client(self, **options: Any) -> httpx.Client:
        """A browser or a program outside, that trusts the proxy's own authority and nobody else's."""
        context = ssl.create_default_context(cadata=self.authority())
        return httpx.Client(base_url=self.url, verify=context, trust_env=False, timeout=60, **options)

    def authority(self) -> str:
        """What a browser must trust: the user's own certificate, or the authority that the proxy made for itself."""
        if not self._authority:
            own = self.folder / "tls" / "tls.crt"
            made = ("exec", "-T", "proxy", "cat", "/data/caddy/pki/authorities/local/root.crt")
            self._authority = own.read_text(encoding="ascii") if own.exists() else self.compose(*made)
        return self._authority

    def token(self) -> str:
        """A token of the administrator for Airflow's API."""
        if not self._token:
            name, password = self.login
            with self.client() as client:
                answer = client.post("/auth/token", json={"username": name, "password": password})
            assert answer.status_code == 201, answer.text
            self._token = answer.json()["access_token"]
        return self._token

    def api(self, method: str, path: str, **options: Any) -> Any:
        """Ask Airflow's API as the administrator."""
        with self.client(headers={"Authorization": f"Bearer {self.token()}"}) as client:
            answer = client.request(method, f"/api/v2{path}", **options)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text[:2000]}"
        return answer.json() if answer.content else None

    def trigger(self, dag_id: str, **conf: object) -> str:
        """Start a run; its id."""
        body = {"logical_date": None, "conf": conf}
        return str(self.api("POST", f"/dags/{dag_id}/dagRuns", json=body)["dag_run_id"])

    def wait_for(self, dag_id: str, run_id: str, seconds: float = 300) -> dict[str, Any]:
        """Wait until a run has ended; what became of it."""
        deadline = time.monotonic() + seconds
        while (run := self.api("GET", f"/dags/{dag_id}/dagRuns/{run_id}"))["state"] in UNFINISHED:
            assert time.monotonic() < deadline, (
                f"{dag_id} is still {run['state']} after {seconds} s: {self.tasks(dag_id, run_id)}"
            )
            time.sleep(1)
        return dict(run)

    def tasks(self, dag_id: str, run_id: str) -> dict[str, str]:
        """The state of each task of a run."""
        rows = self.api("GET", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]
        return {f"{row['task_id']}[{row['map_index']}]": row["state"] for row in rows}

    def mlflow(self, path: str, **body: object) -> dict[str, Any]:
        """Ask MLflow's API from outside, as the machines do."""
        with self.client(auth=self.mlflow_login) as client:
            answer = client.post(f"/mlflow/api/2.0/mlflow/{path}", json=body)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text[:2000]}"
        return dict(answer.json())

    def address(self, service: str) -> str:
        """Where a service is in the private network, which this machine reaches; past a proxy that may be down."""
        (identity,) = self.compose("ps", "--quiet", service).split()
        networks = json.loads(engine.docker("inspect", identity))[0]["NetworkSettings"]["Networks"]
        return str(next(iter(networks.values()))["IPAddress"])

    def redis(self, *words: str) -> str:
        """What Redis answers to a command."""
        login = ("redis-cli", "--no-auth-warning", "-a", self.variables["REDIS_PASSWORD"])
        return self.compose("exec", "-T", "redis", *login, *words)

    def states(self) -> dict[str, str]:
        """Each container's state: `running (healthy)`, `exited (0)`, ..."""
        found = {}
        for line in self.compose("ps", "--all", "--format", "json").splitlines():
            row = json.loads(line)
            how = row["Health"] or (f"{row['ExitCode']}" if row["State"] == "exited" else "no check")
            found[row["Name"].removeprefix(f"{self.variables['COMPOSE_PROJECT_NAME']}-")] = (
                f"{row['State']} ({how})"
            )
        return found

    def memory_mib(self) -> dict[str, tuple[float, float]]:
        """What each container uses, and may use."""
        names = self.compose("ps", "--quiet").split()
        text = engine.docker("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}", *names)
        found = {}
        for line in text.splitlines():
            name, used, _slash, limit = line.split()
            found[name.removeprefix(f"{self.variables['COMPOSE_PROJECT_NAME']}-")] = (_mib(used), _mib(limit))
        return found


def until(true: Callable[[], Found], what: str, seconds: float = PATIENCE_SECONDS) -> Found:
    """Wait until something is true; what it then was."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(1)
    return found


def _mib(text: str) -> float:
    units = {"KiB": 1 / 1024, "MiB": 1.0, "GiB": 1024.0, "B": 1 / 1024**2}
    unit = next(unit for unit in units if text.endswith(unit))
    return float(text.removesuffix(unit)) * units[unit]


def copy_checkout(folder: Path) -> None:
    """What a fresh clone would hold, and what is not committed yet."""
    listed = engine.run(
        "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT
    ).stdout.split("\0")
    for name in filter(None, listed):
        source, target = ROOT / name, folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def render(folder: Path) -> None:
    """`airfoil deploy compose` in a project."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFOIL_")}
    argv = [sys.executable, "-m", "airfoil", "deploy", "compose"]
    done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def read_variables(folder: Path) -> dict[str, str]:
    """What stands in .env."""
    return env_file.spoken_values((folder / env_file.NAME).read_text(encoding="utf-8"))


def set_variables(folder: Path, changes: Mapping[str, str]) -> None:
    """Change .env as a person does."""
    path = folder / env_file.NAME
    text = path.read_text(encoding="utf-8")
    given = {name: env_file.written(value) for name, value in changes.items()}
    path.write_text(env_file.rendered(text, env_file.values(text) | given), encoding="utf-8")


def made(root: Path, **changes: str) -> Server:
    """The files of a server for a copy of this checkout, images built; nothing runs yet."""
    project = root / "project"
    copy_checkout(project)
    folder = project / "deploy" / "compose"
    render(project)
    own = {
        "COMPOSE_PROJECT_NAME": f"airfoil-{uuid.uuid4().hex[:6]}",
        "HTTP_PORT": f"127.0.0.1:{free_port()}",
        "HTTPS_PORT": f"127.0.0.1:{free_port()}",
        **{f"{image.upper()}_IMAGE": f"airfoil/{image}:{IMAGES_TAG}" for image in IMAGES},
    }
    set_variables(folder, own | changes)
    render(project)
    built = [
        name
        for name, service in yaml.safe_load((folder / "compose.override.yaml").read_text())[
            "services"
        ].items()
        if "build" in service
    ]
    more = {"services": {name: {"build": {"network": "host"}} for name in built}}
    (folder / TEST_FILE).write_text(yaml.safe_dump(more), encoding="utf-8")
    server = attached(folder)
    others = {image for image in server.compose("config", "--images").split() if image[:8] != "airfoil/"}
    stand_ins.build(PRESENT_PYTHON, *sorted(others))
    server.compose("build")
    return server


def attached(folder: Path) -> Server:
    """A server whose files lie in a folder already."""
    environment = {"COMPOSE_FILE": f"compose.yaml:compose.override.yaml:{TEST_FILE}"}
    return Server(folder, engine.Compose(folder, environment), read_variables(folder))


@contextmanager
def running(server: Server, workers: int = WORKERS) -> Iterator[Server]:
    """Start it, and take it down with all it has stored."""
    began = time.monotonic()
    started = server.compose.run(
        *(
            "up",
            "--detach",
            "--wait",
            "--wait-timeout",
            str(2 * HEALTHY_SECONDS),
            "--scale",
            f"airflow-worker={workers}",
        ),
        check=False,
    )
    try:
        assert started.returncode == 0, f"{started.stderr[-3000:]}\n{server.states()}\n{said(server)}"
        server.started_seconds = time.monotonic() - began
        yield server
    finally:
        if os.environ.get("KEEP") != "1":
            server.compose("down", "--volumes", "--timeout", "10", check=False)


def said(server: Server) -> str:
    """The last words of everything that is not well."""
    wrong = [
        name for name, state in server.states().items() if state not in {"running (healthy)", "exited (0)"}
    ]
    services = {name.rpartition("-")[0] for name in wrong}
    return "\n".join(
        f"== {name}\n{server.compose('logs', '--no-log-prefix', '--tail', '25', name)}"
        for name in sorted(services)
    )
