"""Real servers that integration tests start for themselves: PostgreSQL, Redis, and Swift as an S3 store.

They come from the system (tests/system_packages.sh). Where one is missing its tests skip and say so; under CI=true
they fail, because there a skipped test is a hole nobody sees.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import httpx
import pytest

PATIENCE_SECONDS = 120.0


def missing(what: str, package: str) -> NoReturn:
    """Skip the test, or fail it on a build machine."""
    reason = f"no {what} on this machine (`apt-get install {package}`, or `sh tests/system_packages.sh`)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(
    check: Callable[[], object],
    process: subprocess.Popen[bytes],
    log: Path,
    seconds: float = PATIENCE_SECONDS,
) -> None:
    """Look again and again until it holds; a server that ends or takes too long fails the test with its log."""
    deadline = time.monotonic() + seconds
    while not check():
        said = log.read_text(errors="replace")[-3000:]
        assert process.poll() is None, f"it ended with {process.returncode}:\n{said}"
        assert time.monotonic() < deadline, f"not ready in time:\n{said}"
        time.sleep(0.05)


def listening(port: int) -> bool:
    """Does somebody accept connections there?"""
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    return False


# -- PostgreSQL


@dataclass(frozen=True)
class Postgres:
    """A running server on loopback, with an administrator whose password needs quoting in a URL."""

    port: int
    user: str = "airfoil"
    password: str = "p@ss/w%rd:1"

    def url(self, database: str) -> str:
        """The address of one of its databases."""
        return f"postgresql://{self.user}:{quote(self.password, safe='')}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement; its rows."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def new_database(self) -> str:
        """Make an empty database; its address."""
        name = f"t{uuid.uuid4().hex[:12]}"
        self.execute(f"create database {name}")
        return self.url(name)


def run_postgres() -> Iterator[Postgres]:
    """Start a server in a folder of its own, as the user `postgres` when we are root, and end it again."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    beside = shutil.which("initdb")
    binaries = folders[-1] if folders else Path(beside).parent if beside else None
    if binaries is None:
        missing("PostgreSQL server", "postgresql")
    pytest.importorskip("psycopg")
    server = Postgres(free_port())
    home = Path(tempfile.mkdtemp(prefix="airfoil-postgres-"))
    secret, data, log = home / "password", home / "data", home / "log"
    secret.write_text(server.password)
    owner = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    if os.geteuid() == 0:
        for path in (home, secret):
            shutil.chown(path, owner, owner)
    who = {"user": owner, "group": owner, "extra_groups": []} if os.geteuid() == 0 else {}
    argv = [binaries / "initdb", "-D", data, "-U", server.user, "-A", "scram-sha-256", f"--pwfile={secret}"]
    process = None
    try:
        subprocess.run(
            [*argv, "-E", "UTF8", "--locale=C", "-N"], check=True, capture_output=True, cwd=home, **who
        )
        options = ["-h", "127.0.0.1", "-p", str(server.port), "-k", home, "-c", "fsync=off"]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [binaries / "postgres", "-D", data, *options],
                stdout=output,
                stderr=output,
                cwd=home,
                start_new_session=True,
                **who,
            )
        wait_until(lambda: listening(server.port) and _answers(server), process, log)
        yield server
    finally:
        if process is not None:
            process.send_signal(signal.SIGINT)
            process.wait(30)
        shutil.rmtree(home, ignore_errors=True)


def _answers(server: Postgres) -> bool:
    import psycopg

    with contextlib.suppress(psycopg.OperationalError):
        return server.execute("select 1") == [(1,)]
    return False


# -- Redis


@dataclass
class Redis:
    """A running Redis on loopback that keeps nothing on disk."""

    port: int
    process: subprocess.Popen[bytes]

    def client(self):
        """A connection for looking at it."""
        import redis

        return redis.Redis(port=self.port)

    def online_store(self, **more: object) -> dict[str, object]:
        """What feature_store.yaml says about it."""
        return {"type": "redis", "connection_string": f"127.0.0.1:{self.port}"} | more


@contextlib.contextmanager
def running_redis() -> Iterator[Redis]:
    """Start a Redis of one's own, and end it."""
    binary = shutil.which("redis-server") or missing("Redis server", "redis-server")
    home, port = Path(tempfile.mkdtemp(prefix="airfoil-redis-")), free_port()
    argv = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with (home / "log").open("wb") as output:
        process = subprocess.Popen(argv, stdout=output, stderr=output, cwd=home, start_new_session=True)
    try:
        wait_until(lambda: listening(port), process, home / "log")
        yield Redis(port, process)
    finally:
        process.kill()
        process.wait(30)
        shutil.rmtree(home, ignore_errors=True)


# -- S3


@dataclass(frozen=True)
class ObjectStore:
    """A running S3 store on loopback."""

    url: str
    key: str = "test:tester"
    secret: str = "testing"

    @property
    def environment(self) -> dict[str, str]:
        """What MLflow and boto3 need to find it and to be let in."""
        return {
            "MLFLOW_S3_ENDPOINT_URL": self.url,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self):
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            region_name="us-east-1",
        )

    def new_bucket(self) -> str:
        """Make an empty bucket; its name."""
        name = f"bucket-{uuid.uuid4().hex[:12]}"
        self.client().create_bucket(Bucket=name)
        return name

    def keys(self, bucket: str) -> list[str]:
        """Everything that is in a bucket."""
        return [row["Key"] for row in self.client().list_objects_v2(Bucket=bucket).get("Contents", [])]


def run_object_store() -> Iterator[ObjectStore]:
    """Start Swift with its S3 gateway, in one process of the system's Python."""
    python = Path("/usr/bin/python3")
    probe = [python, "-W", "ignore", "-c", "import eventlet, swift.common.middleware.s3api"]
    if not python.exists() or subprocess.run(probe, capture_output=True, check=False).returncode:
        missing("S3 store (OpenStack Swift)", "python3-swift")
    pytest.importorskip("boto3")
    home, port = Path(tempfile.mkdtemp(prefix="airfoil-swift-")), free_port()
    script, log = Path(__file__).with_name("swift_server.py"), home / "log"
    argv = [python, "-W", "ignore", script, home / "swift", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(argv, stdout=output, stderr=output, cwd=home, start_new_session=True)
    try:
        wait_until(lambda: listening(port), process, log)
        yield ObjectStore(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(home, ignore_errors=True)


# -- whatever answers at an address


@contextlib.contextmanager
def serving(
    argv: Sequence[str | Path],
    *,
    folder: Path,
    environment: Mapping[str, str],
    log: Path,
    health: str,
    verify: Any = False,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a server in a folder, wait until its health address answers well, and end it with all it started."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*argv], env=dict(environment), cwd=folder, stdout=output, stderr=output, start_new_session=True
        )

    def is_well() -> bool:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(health, trust_env=False, timeout=5, verify=verify).is_success
        return False

    try:
        wait_until(is_well, process, log)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


# -- a service of ours


@dataclass
class Running:
    """One of our runtime modules, started as `python -m` starts it."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        """Everything it wrote."""
        return self.log.read_text(errors="replace")


@contextlib.contextmanager
def running(folder: Path, environment: dict[str, str], *argv: str) -> Iterator[Running]:
    """Start `python -m ...` in a folder with this environment on top of ours, and end it with all it started."""
    log = folder / f"{argv[0]}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *argv],
            env=os.environ | environment,
            cwd=folder,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield Running(process, log)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
