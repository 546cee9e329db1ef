"""An AIRFLOW_HOME with what `airfoil.runtime.setup` is given, and a way to run it as the stack does."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

CONNECTIONS = {
    "mlflow_default": {
        "conn_type": "mlflow",
        "host": "http://127.0.0.1",
        "port": 5000,
        "login": "admin",
        "password": "p%w",
    },
    "feast_default": {"conn_type": "feast", "host": "/features"},
}
FERNET_KEY = "0FQ9sbbL2cGQZQHbTzH9cXJQcYBL3LKMzV4ZUmz4BRs="


@dataclass
class AirflowHome:
    """A folder, its database and its files."""

    folder: Path
    url: str = ""
    pools: dict[str, object] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    """Further AIRFLOW__* variables."""

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.connections.write_text(json.dumps(CONNECTIONS))
        self.variables.write_text(json.dumps({"airfoil_project": "shop"}))

    def copied_to(self, folder: Path) -> AirflowHome:
        """A home of its own for a test, with the database as it is here."""
        shutil.copytree(self.folder, folder)
        return AirflowHome(folder)

    @property
    def database(self) -> Path:
        return self.folder / "airflow.db"

    @property
    def applied(self) -> Path:
        return self.folder / "applied.json"

    @property
    def connections(self) -> Path:
        return self.folder / "connections.json"

    @property
    def variables(self) -> Path:
        return self.folder / "variables.json"

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "AIRFLOW_HOME": str(self.folder),
            "AIRFLOW__CORE__FERNET_KEY": FERNET_KEY,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self.url or f"sqlite:///{self.database}",
            **self.settings,
        }

    def start(self) -> subprocess.Popen[str]:
        files = {name: getattr(self, name) for name in ("applied", "connections", "variables")}
        options = [word for name, path in files.items() for word in (f"--{name}", str(path))]
        options += ["--pools", json.dumps(self.pools)]
        return subprocess.Popen(
            [sys.executable, "-m", "airfoil.runtime.setup", *options],
            env=self.environment,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self) -> tuple[int, str]:
        """Run setup to its end; its exit code and all it said."""
        process = self.start()
        said, _ = process.communicate(timeout=120)
        return process.returncode, said

    def run_well(self) -> str:
        code, said = self.run()
        assert code == 0, said
        return said

    def kill_while_building(self) -> None:
        """Start setup and kill it as soon as the new database is being written."""
        process = self.start()
        fresh = self.database.with_name("airflow.db.new")
        while not (fresh.exists() and fresh.stat().st_size > 100_000):
            assert process.poll() is None, process.stdout and process.stdout.read()
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate()

    def python(self, code: str) -> str:
        """Run a line of Python in this Airflow; what it printed last."""
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout.strip().rpartition("\n")[2]

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        """Ask the SQLite database."""
        with closing(sqlite3.connect(self.database)) as database, database:
            return database.execute(statement).fetchall()

    def leftovers(self) -> list[str]:
        """What lies beside the database and should not."""
        fine = {"", "-wal", "-shm"}
        names = [path.name.removeprefix("airflow.db") for path in self.folder.glob("airflow.db*")]
        return sorted(name for name in names if name not in fine)
