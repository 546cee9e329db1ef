"""One platform for tests: a project folder, the real command line as a subprocess, and everything it may leave behind.

Nothing of Airfoil's own bookkeeping is trusted where a test wants proof: processes are found in the process table by
their mark, their folder or the project's path, ports in the kernel's list of sockets.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from airfoil.stack import secrets, services
from airfoil.stack import state as states
from airfoil.stack.airflow_rest import AirflowRest
from airfoil.stack.project import Project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from airfoil.stack.state import StackState

AIRFOIL = Path(sys.executable).parent / "airfoil"
DAGS = Path(__file__).parent / "dags"
PLACE = "Werkstück ä"
"""A space and letters that are not ASCII, as in the folder names of many people."""
SERVICES = ("api-server", "scheduler", "dag-processor", "triggerer", "mlflow", "page")
COMMAND_SECONDS = 300


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def said(self) -> str:
        """Everything it printed."""
        return f"{self.out}\n{self.err}"


@dataclass(frozen=True)
class Answer:
    """What an HTTP server said."""

    status: int
    body: str
    headers: Mapping[str, str]

    def json(self) -> Any:
        """Its body, parsed."""
        return json.loads(self.body)


def fetch(
    url: str, *, method: str = "GET", body: object = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """Ask once, without redirects and without a proxy; a refusal is an answer, silence is OSError."""
    data = None if body is None else json.dumps(body).encode()
    given = {"Content-Type": "application/json", **(headers or {})}
    request = urllib.request.Request(url, data=data, method=method, headers=given)  # noqa: S310 - our own servers
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)
    try:
        with opener.open(request, timeout=60) as answer:
            return Answer(answer.status, answer.read().decode(errors="replace"), dict(answer.headers))
    except urllib.error.HTTPError as refusal:
        with refusal:
            return Answer(refusal.code, refusal.read().decode(errors="replace"), dict(refusal.headers))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Show redirects to the test instead of following them."""


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on, all different."""
    with_sockets = [socket.socket() for _ in range(count)]
    try:
        for probe in with_sockets:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in with_sockets]
    finally:
        for probe in with_sockets:
            probe.close()


def wait_until(true: Callable[[], object], seconds: float, what: str, *, step_seconds: float = 0.2) -> float:
    """Wait; the seconds it took. What is not true in time is a failure.

    Each look may cost a server some work: whoever looks too often is what a busy machine is busy with.
    """
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(step_seconds)
    return time.monotonic() - began


class Platform:
    """A project and the platform that runs in it."""

    def __init__(self, root: Path, environment: Mapping[str, str] | None = None) -> None:
        self.root = root
        self.project = Project(root)
        self.stack_id = services.stack_id(self.project)
        self.environment = {**clean_environment(), **(environment or {})}
        self.seconds_up: list[float] = []

    @classmethod
    def make(
        cls,
        folder: Path,
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        template: str = "minimal",
        environment: Mapping[str, str] | None = None,
        ports: bool = True,
    ) -> Platform:
        """Write a project as a user does, with the DAGs of these tests and, unless told otherwise, ports of its own."""
        root = folder / PLACE
        it = cls(root, environment)
        made = it.run("init", str(root), "--template", template, inside=folder)
        assert made.code == 0, made.said
        found: dict[str, dict[str, Any]] = {name: dict(values) for name, values in (settings or {}).items()}
        if ports:
            for section, port in zip(("airflow", "mlflow", "page"), free_ports(3), strict=True):
                found.setdefault(section, {})["port"] = port
        it.configure(found)
        for file in DAGS.glob("*.py"):
            (it.project.dags / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
        return it

    def configure(self, settings: Mapping[str, Mapping[str, Any]]) -> None:
        """Write airfoil.toml."""
        lines = []
        for section, values in sorted(settings.items()):
            lines.append(f"[{section}]")
            lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
        self.project.toml.write_text("\n".join(lines) + "\n", encoding="utf-8")

    # -- the command line -----------------------------------------------------------------------------------

    def run(
        self, *arguments: str, inside: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> Done:
        """Run `airfoil ...` in the project's folder, or in another."""
        began = time.monotonic()
        done = subprocess.run(
            [str(AIRFOIL), *arguments],
            cwd=inside or self.root,
            env=self.environment if environment is None else dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr, time.monotonic() - began)

    def up(self) -> Done:
        """Start it; what does not become ready fails the test with all that is known."""
        done = self.run("up")
        assert done.code == 0, f"{done.said}\n{self.last_words()}"
        self.seconds_up.append(done.seconds)
        return done

    def down(self) -> Done:
        """Stop it."""
        done = self.run("down")
        assert done.code == 0, done.said
        return done

    def last_words(self) -> str:
        """The end of every service's log, for a failure's message."""
        found = []
        for log in sorted(self.project.logs.glob("*.log")):
            lines = log.read_text(errors="replace").splitlines()[-25:]
            found.append("\n".join([f"--- {log.name}", *lines]))
        return "\n".join(found)

    # -- what it says ---------------------------------------------------------------------------------------

    def state(self) -> StackState:
        """What the manager last wrote."""
        found = states.load(self.project.state_file)
        assert found is not None, "there is no state.json"
        return found

    def pids(self) -> dict[str, int]:
        """The process of every service that has one."""
        return {row.name: row.pid for row in self.state().services if row.pid is not None}

    def url(self, name: str) -> str:
        """Where a service answers."""
        row = self.state().service(name)
        assert row is not None
        assert row.url, name
        return row.url

    def secrets(self) -> secrets.Secrets:
        """The generated secrets."""
        return secrets.load(self.project)

    def airflow(self) -> AirflowRest:
        """A client of its Airflow."""
        return AirflowRest(self.url("api-server"), "admin", self.secrets().admin_password, 20)

    # -- what it leaves -------------------------------------------------------------------------------------

    def processes(self) -> dict[int, str]:
        """Every living process of this project, by its mark, its folder, or the project's path in its environment."""
        mark = f"AIRFOIL_STACK_ID={self.stack_id}".encode()
        path = os.fsencode(self.root)
        found = {}
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                    continue
                words = b"\0".join(_read(f"/proc/{process.pid}/{name}") for name in ("environ", "cmdline"))
                if mark in words or path in words or Path(process.cwd()).is_relative_to(self.root):
                    found[process.pid] = " ".join(process.cmdline())[:200]
        return found

    def ports(self) -> dict[str, int]:
        """The ports it listens on, as it says."""
        return {row.name: row.port for row in self.state().services if row.port is not None}

    def listeners(self) -> list[tuple[str, int, int | None]]:
        """Host, port and process of every socket that listens on its ports or belongs to its processes."""
        ports, pids = set(self.ports().values()), set(self.processes())
        return [
            (connection.laddr.ip, connection.laddr.port, connection.pid)
            for connection in psutil.net_connections(kind="inet")
            if connection.status == psutil.CONN_LISTEN
            and (connection.laddr.port in ports or connection.pid in pids)
        ]

    def leftovers(self) -> list[str]:
        """What should not be there after `down`."""
        return [
            *(f"process {pid}: {words}" for pid, words in self.processes().items()),
            *(f"port {host}:{port} held by {pid}" for host, port, pid in self.listeners()),
        ]


def clean_environment() -> dict[str, str]:
    """What a new shell has, and nothing of the person who runs the tests."""
    kept = {
        name: os.environ[name] for name in ("HOME", "TMPDIR", "COVERAGE_PROCESS_START") if name in os.environ
    }
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", **kept}


def lent(platform: Platform) -> Iterator[Platform]:
    """Lend a platform to a test; whatever happens in it, stop it and prove that nothing is left."""
    try:
        yield platform
    finally:
        if platform.project.state_file.exists():
            done = platform.down()
            left = platform.leftovers()
            for pid in platform.processes():
                with suppress(psutil.Error):
                    psutil.Process(pid).kill()
            print(f"down in {done.seconds:.1f} s")
            assert left == []


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""
