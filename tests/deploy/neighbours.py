"""Servers that somebody else has: Postgres, Redis, MLflow, an S3 store in a network of theirs, and an Airflow beside.

The last one has nothing that we need. It answers by the same names as ours, as on every machine where several Compose
projects share a network, and what talks to it instead of to us has lost.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from tests.deploy import engine, stand_ins

FOLDER = Path(__file__).parents[2] / "deploy" / "compose"
PREFIX = "shop-"
START_SECONDS = 60
SECURE = (
    "install -o postgres -m 0600 /tls/* /run/ && exec docker-entrypoint.sh postgres -c ssl=on "
    "-c ssl_cert_file=/run/tls.crt -c ssl_key_file=/run/tls.key"
)
"""PostgreSQL reads no key that is not its own user's alone."""
STRANGER = (
    "import http.server as h; h.ThreadingHTTPServer(('', 8080), h.BaseHTTPRequestHandler).serve_forever()"
)


def image_of(service: str) -> str:
    """The image that compose.yaml takes for a service unless somebody names another."""
    text = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))["services"][service]["image"]
    return re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", text)


@dataclass(frozen=True)
class Neighbours:
    """Where they are, and who we are there."""

    network: str
    password: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)

    @property
    def variables(self) -> dict[str, str]:
        """What .env must say of them."""
        return {
            "POSTGRES_URL": f"postgresql://postgres:{self.password}@their-postgres:5432/postgres",
            "REDIS_URL": f"redis://:{self.password}@their-redis:6379/2",
            "REDIS_PREFIX": PREFIX,
            "S3_URL": "http://their-s3:8333",
            "S3_ACCESS_KEY_ID": "theirs",
            "S3_SECRET_ACCESS_KEY": self.password,
            "JOIN_NETWORK": self.network,
        }

    def inside(self, name: str, *argv: str) -> str:
        """What a command in one of them printed."""
        return engine.docker("exec", f"{self.network}-{name}", *argv)

    def databases(self) -> dict[str, str]:
        """Each database, and whose it is."""
        query = "select datname, pg_get_userbyid(datdba) from pg_database where not datistemplate"
        rows = self.inside("postgres", "psql", "-U", "postgres", "-AtF=", "-c", query)
        return dict(row.split("=") for row in rows.splitlines())

    def keys(self, database: int) -> list[str]:
        """The keys of a database of Redis, as a terminal shows them: those of Feast are no text."""
        login = ("redis-cli", "--no-auth-warning", "-a", self.password, "-n", str(database))
        said = self.inside("redis", *login, "--no-raw", "keys", "*")
        return re.findall(r'^\s*\d+\) "(.*)"$', said, re.MULTILINE)

    def well(self) -> bool:
        """Does each of them answer?"""
        asked = (
            ("postgres", "pg_isready", "-q", "-h", "127.0.0.1"),
            ("redis", "redis-cli", "--no-auth-warning", "-a", self.password, "ping"),
            ("s3", "nc", "-z", "127.0.0.1", "8333"),
        )
        return all(
            engine.run(
                engine.docker_binary(), "exec", f"{self.network}-{name}", *argv, check=False
            ).returncode
            == 0
            for name, *argv in asked
        )


@contextmanager
def running(network: str, tls: Path) -> Iterator[Neighbours]:
    """Start them, and leave nothing of them. In the folder `tls` are tls.crt and tls.key, for PostgreSQL."""
    found = Neighbours(network)
    engine.docker("network", "create", network)
    try:
        secret = ("--env", f"POSTGRES_PASSWORD={found.password}", "--volume", f"{tls}:/tls:ro")
        _start(found, "postgres", (*secret, "--entrypoint", "sh"), ("-ec", SECURE))
        _start(found, "redis", (), ("redis-server", "--requirepass", found.password))
        keys = ("--env", "S3_ACCESS_KEY_ID=theirs", "--env", f"S3_SECRET_ACCESS_KEY={found.password}")
        script = ("--volume", f"{FOLDER / 's3.sh'}:/s3.sh:ro", "--entrypoint", "sh")
        _start(found, "s3", (*keys, *script), ("/s3.sh",))
        names = ("airflow-api-server", "mlflow", "postgres", "redis", "s3")
        aliases = [word for name in names for word in ("--network-alias", name)]
        stranger = ("python", "-c", STRANGER)
        _start(found, "stranger", (*aliases, "--entrypoint", ""), stranger, "python:3.12-slim-bookworm")
        deadline = time.monotonic() + START_SECONDS
        while not found.well():
            assert time.monotonic() < deadline, "the neighbours did not start in time"
            time.sleep(0.5)
        yield found
    finally:
        listed = engine.docker("network", "inspect", network)
        for one in json.loads(listed)[0]["Containers"].values():
            engine.docker("rm", "--force", "--volumes", one["Name"])
        engine.docker("network", "rm", network)


def start_mlflow(neighbours: Neighbours, image: str) -> dict[str, str]:
    """Start one that asks for a login and keeps all on a disk of its own; what .env must say of it."""
    name, password = "theirs", neighbours.password
    environment = {
        "MLFLOW_AUTH_ADMIN_USERNAME": name,
        "MLFLOW_AUTH_ADMIN_PASSWORD": password,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": password,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_SERVER_ALLOWED_HOSTS": "their-mlflow:5000,localhost:5000",
    }
    options = [word for pair in environment.items() for word in ("--env", "=".join(pair))]
    stores = ("--backend-store-uri", "sqlite:////tmp/mlflow.db", "--artifacts-destination", "/tmp/artifacts")
    served = ("server", "--host=0.0.0.0", "--port=5000", "--app-name=basic-auth", *stores)
    _start(neighbours, "mlflow", ("--workdir", "/tmp", "--entrypoint", "mlflow", *options), served, image)
    asked = "import urllib.request as r; r.urlopen('http://localhost:5000/health', timeout=5)"
    deadline = time.monotonic() + START_SECONDS
    program = (engine.docker_binary(), "exec", f"{neighbours.network}-mlflow", "python", "-c", asked)
    while engine.run(*program, check=False).returncode:
        assert time.monotonic() < deadline, engine.docker("logs", f"{neighbours.network}-mlflow")
        time.sleep(0.5)
    return {
        "MLFLOW_URL": "http://their-mlflow:5000",
        "MLFLOW_AIRFLOW_USERNAME": name,
        "MLFLOW_AIRFLOW_PASSWORD": password,
    }


def _start(
    neighbours: Neighbours, name: str, options: tuple[str, ...], command: tuple[str, ...], image: str = ""
) -> None:
    if not image:
        image = image_of(name)
        stand_ins.build(image)
    place = ("--name", f"{neighbours.network}-{name}", "--network", neighbours.network)
    alias = ("--network-alias", f"their-{name}")
    engine.docker("run", "--detach", *place, *alias, *options, image, *command)
