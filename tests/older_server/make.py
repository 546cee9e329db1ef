"""Makes what is stored here: `python -m tests.older_server.make`, once; the dumps beside it are what tests load.

Each tool is installed by uv in an environment of its own, as of the day that words.py names, and fills a database of a
real PostgreSQL that the job postgres-init has prepared for an older Airfoil.
"""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.integration.servers import Postgres, run_postgres
from tests.older_server import words

HERE = Path(__file__).parent
DRIVERS = {
    "airflow": ("psycopg2-binary", "asyncpg"),
    "mlflow": ("psycopg[binary]",),
    "feast": ("psycopg[binary]",),
}


def environment(folder: Path, tool: str) -> Path:
    """Install a tool as it was; its Python."""
    place = folder / tool
    subprocess.run(["uv", "venv", "--quiet", "--python", "3.11", place], check=True)
    python = place / "bin" / "python"
    packages = [*words.RELEASES[tool], *DRIVERS[tool]]
    options = ["--quiet", "--python", python, "--exclude-newer", words.BEFORE]
    subprocess.run(["uv", "pip", "install", *options, *packages], check=True)
    return python


def fill(server: Postgres, folder: Path, tool: str) -> None:
    """Let one tool fill what is its own."""
    home = folder / f"{tool}-home"
    home.mkdir()

    def url(database: str, driver: str) -> str:
        return server.url(database).replace("postgresql://", f"postgresql+{driver}://")

    variables = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__FERNET_KEY": words.FERNET_KEY,
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__AUTH_MANAGER": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url("airflow", "psycopg2"),
        "TRACKING_URL": url("mlflow", "psycopg"),
        "LOGINS_URL": url("mlflow_auth", "psycopg"),
        "REGISTRY_URL": url("feast", "psycopg"),
        "FEAST_USAGE": "False",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "MLFLOW"))}
    python = environment(folder, tool)
    subprocess.run([python, HERE / f"fill_{tool}.py"], cwd=home, env=plain | variables, check=True)


def dump(server: Postgres, database: str) -> None:
    """Store a database as statements, without owners: whoever loads it owns it."""
    options = ["--no-owner", "--no-privileges", "--no-comments", "--inserts", "--rows-per-insert=100"]
    said = subprocess.run(
        ["pg_dump", *options, server.url(database)], check=True, capture_output=True, text=True
    ).stdout
    # What newer clients write and older servers do not know.
    lines = [line for line in said.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]
    with gzip.GzipFile(HERE / f"{database}.sql.gz", "wb", mtime=0) as file:
        file.write("\n".join(lines).encode())


def main() -> None:
    """Make all four."""
    for server in run_postgres():
        for database in words.DATABASES:
            server.execute(f"create database {database}")
        with tempfile.TemporaryDirectory() as folder:
            for tool in words.RELEASES:
                fill(server, Path(folder), tool)
        for database in words.DATABASES:
            dump(server, database)
            print(database, (HERE / f"{database}.sql.gz").stat().st_size, file=sys.stderr)


if __name__ == "__main__":
    main()
