"""What a benchmark of servers needs to know of each contender: its commands, where it answers, and how it is stopped.

`ours` and `peers` say it; `running` starts and ends the processes. Nothing here measures.
"""

from __future__ import annotations

import os
import socket
import sys
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.running import Running

BIN = Path(sys.executable).parent
LOOPBACK = "127.0.0.1"
_FOREIGN_PREFIXES = ("AIRFOIL_", "AIRFLOW_", "MLFLOW_", "_MLFLOW_", "FEAST_")


class BenchmarkError(Exception):
    """The measurement cannot go on; the message says why."""


@dataclass(frozen=True)
class Command:
    """One command line as a person would type it; all commands of a contender start at the same moment."""

    name: str
    argv: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """For reading: without folders and environment."""
        return " ".join((Path(self.argv[0]).name, *self.argv[1:]))


@dataclass(frozen=True)
class Endpoints:
    """Where a contender answers."""

    airflow: str
    mlflow: str
    page: str | None = None

    @property
    def ports(self) -> set[int]:
        """The ports alone."""
        return {int(url.rpartition(":")[2]) for url in (self.airflow, self.mlflow, self.page) if url}


class Contender(ABC):
    """One way of running Airflow and MLflow, in a folder of its own."""

    key: str
    label: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    @abstractmethod
    def dags(self) -> Path:
        """The folder that its DAG files go into."""

    @property
    @abstractmethod
    def commands(self) -> tuple[Command, ...]:
        """What is started."""

    @property
    @abstractmethod
    def described(self) -> str:
        """The commands and every setting that is not a default, for the report."""

    @property
    @abstractmethod
    def endpoints(self) -> Endpoints:
        """Where it answers; known after `learn`, and may change at a start."""

    @abstractmethod
    def password(self) -> str:
        """The password of Airflow's administrator; OSError as long as there is none."""

    @abstractmethod
    def prepare(self) -> None:
        """Write what has to be there before the first start."""

    @abstractmethod
    def learn(self, running: Running) -> None:
        """After the very first start: find out what only a started contender tells."""

    @abstractmethod
    def stop(self, running: Running) -> None:
        """Stop it the documented way, and return when that says it is done."""


def clean_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment without anybody's own settings, with this interpreter's commands first, and no telemetry."""
    kept = {name: value for name, value in environment.items() if not name.startswith(_FOREIGN_PREFIXES)}
    return kept | {
        "PATH": f"{BIN}{os.pathsep}{environment.get('PATH', os.defpath)}",
        "DO_NOT_TRACK": "true",
        "SCARF_ANALYTICS": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


def free_port(wanted: int, avoid: frozenset[int] = frozenset()) -> int:
    """The documented port when nobody listens there, else one that the system picks."""
    if wanted not in avoid and _is_free(wanted):
        return wanted
    while True:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port = int(probe.getsockname()[1])
        if port not in avoid:
            return port


def _is_free(port: int) -> bool:
    for family, address in ((socket.AF_INET6, "::1"), (socket.AF_INET, LOOPBACK)):
        with suppress(OSError), socket.socket(family) as probe:
            probe.settimeout(1)
            if probe.connect_ex((address, port)) == 0:
                return False
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("0.0.0.0", port))  # noqa: S104 - only asks, never listens
    except OSError:
        return False
    return True
