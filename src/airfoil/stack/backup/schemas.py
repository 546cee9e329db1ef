"""Has a tool make its own tables in an empty database, or bring a copy of its database to the installed release.

The tool runs in a process of its own; addresses travel in its environment. Must not touch rows.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from airfoil.errors import ConfigurationError, NeighbourError
from airfoil.stack import versions
from airfoil.stack.backup import sources, sqlite_copies

if TYPE_CHECKING:
    from pathlib import Path

PARTS = frozenset({sources.AIRFLOW, sources.MLFLOW, sources.MLFLOW_AUTH, sources.FEAST_REGISTRY})
"""Which databases the tools can make on a server."""
MODULE = "airfoil.runtime.schema"
VARIABLE = "AIRFOIL_SCHEMA_URL"


def refuse_unmovable(part: str) -> None:
    """Refuse a part whose tables nobody can make on a server."""
    if part not in PARTS:
        raise ConfigurationError(
            f"{sources.TITLES.get(part, part)} cannot be moved to PostgreSQL.",
            "Fill it again from its sources.",
        )


def bring_up_to_date(part: str, copy: Path, revision: str, home: Path) -> None:
    """Bring an SQLite copy to the installed release, when it is not there yet or cannot be told."""
    if part not in versions.DISTRIBUTIONS or versions.schema_of(part).is_behind(revision):
        make(part, f"{sources.SQLITE}{copy}", home)
        sqlite_copies.fold(copy)


def make(part: str, url: str, home: Path) -> None:
    """Let the tool make or upgrade its tables; `home` is for what it writes beside."""
    done = subprocess.run(
        [sys.executable, "-m", MODULE, part],
        env={
            **os.environ,
            VARIABLE: url,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise NeighbourError(
            f"The tables of {sources.TITLES[part]} could not be made: {(lines or ['no word'])[-1][:300]}",
            "Look for the reason: `airfoil doctor`.",
            details=lines[-10:],
        )
