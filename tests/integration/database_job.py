"""The job postgres-init as a process: a server's own script, on a PostgreSQL of loopback, with a folder as volume."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

if TYPE_CHECKING:
    from tests.integration.servers import Postgres

SCRIPT = Path(__file__).parents[2] / "deploy" / "compose" / "postgres.sh"
DATABASES = ("airflow", "mlflow", "mlflow_auth", "feast")
PASSWORDS = {
    "AIRFLOW_DATABASE_PASSWORD": "airflow-k7XqPw",
    "MLFLOW_DATABASE_PASSWORD": "mlflow-k7XqPw",
    "MLFLOW_AUTH_DATABASE_PASSWORD": "auth-k7XqPw",
    "FEAST_DATABASE_PASSWORD": "feast-k7XqPw",
    "METRICS_DATABASE_PASSWORD": "metrics-k7XqPw",
}


def refuse_without_client() -> None:
    """Skip where the script has nothing to speak with."""
    if not (shutil.which("psql") and shutil.which("pg_dump")):
        pytest.skip("no PostgreSQL client on this machine (`apt-get install postgresql-client`)")


@dataclass(frozen=True)
class DatabaseJob:
    """The job for one server; `folder` is the volume of backups."""

    server: Postgres
    folder: Path

    def __call__(self, version: str, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """Run it for a version of Airfoil."""
        script = self.folder.with_name(f"{self.folder.name}.sh")
        script.write_text(
            SCRIPT.read_text(encoding="utf-8").replace("/backups", str(self.folder)), encoding="utf-8"
        )
        self.folder.mkdir(exist_ok=True)
        environment = {
            "PATH": os.environ["PATH"],
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.server.port),
            "PGUSER": self.server.user,
            "PGPASSWORD": self.server.password,
            "PGDATABASE": "postgres",
            "AIRFOIL_VERSION": version,
            "AIRFLOW_UID": str(os.getuid()),
            **PASSWORDS,
            **changes,
        }
        return subprocess.run(
            ["sh", script, *words], env=environment, capture_output=True, text=True, check=False
        )

    def url(self, database: str, driver: str = "") -> str:
        """The address of a database as its own role opens it."""
        password = PASSWORDS[f"{database.upper()}_DATABASE_PASSWORD"]
        return f"postgresql{driver}://{database}:{password}@127.0.0.1:{self.server.port}/{database}"

    def load(self, database: str, dump: Path) -> None:
        """Let its own role run the statements of a dump."""
        command = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "--single-transaction", self.url(database)]
        done = subprocess.run(
            command, input=gzip.decompress(dump.read_bytes()), capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()


def as_role(server: Postgres, role: str, database: str, password: str) -> psycopg.Connection:
    """A connection of one role."""
    address = f"postgresql://{role}:{password}@127.0.0.1:{server.port}/{database}"
    return psycopg.connect(address, autocommit=True)
