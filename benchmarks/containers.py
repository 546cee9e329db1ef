"""A contender in containers: Compose in a folder, where its Airflow answers, what its processors have done."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from benchmarks.contender import BenchmarkError

_GROUPS = (  # cgroup v2 with systemd, v2 without, v1; the number is what a second has of the unit
    ("/sys/fs/cgroup/system.slice/docker-{id}.scope/cpu.stat", 1e6),
    ("/sys/fs/cgroup/docker/{id}/cpu.stat", 1e6),
    ("/sys/fs/cgroup/cpuacct/docker/{id}/cpuacct.usage", 1e9),
    ("/sys/fs/cgroup/cpuacct/system.slice/docker-{id}.scope/cpuacct.usage", 1e9),
)
_PROGRAM_VARIABLE = "COMPOSE_PROGRAM"


def compose_program() -> list[str]:
    """Docker Compose: the plug-in, or the program that COMPOSE_PROGRAM names."""
    named = os.environ.get(_PROGRAM_VARIABLE) or shutil.which("docker-compose")
    return [named] if named else ["docker", "compose"]


@dataclass
class Containers:
    """Use as a context manager: leaving it removes every container and volume of the project."""

    folder: Path
    files: Sequence[Path]
    project: str
    environment: Mapping[str, str] = field(default_factory=dict)

    def __enter__(self) -> Self:
        """Nothing is started yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove all of it."""
        self.compose("down", "--volumes", "--timeout", "20", "--remove-orphans")

    def compose(self, *arguments: str, timeout_seconds: float = 900) -> str:
        """Run Docker Compose; what it printed."""
        named = [part for file in self.files for part in ("-f", str(file))]
        argv = [
            *compose_program(),
            "--project-directory",
            str(self.folder),
            "-p",
            self.project,
            *named,
            *arguments,
        ]
        return run(argv, self.environment, timeout_seconds)

    def up(self, *services: str, workers: int) -> float:
        """Start services and what they need; how many seconds until all are healthy."""
        began = time.monotonic()
        self.compose(
            "up", "--detach", "--wait", "--no-build", "--scale", f"airflow-worker={workers}", *services
        )
        return time.monotonic() - began

    def address(self, service: str) -> str:
        """Where a service is in the private network, which this machine reaches."""
        row = json.loads(run(["docker", "inspect", self.ids(service)[0]]))[0]
        return str(next(iter(row["NetworkSettings"]["Networks"].values()))["IPAddress"])

    def ids(self, service: str = "") -> list[str]:
        """The containers that run."""
        return self.compose("ps", "--quiet", *([service] if service else [])).split()

    def cpu_seconds(self) -> float:
        """What the processors have done for all containers that run."""
        return sum(_cpu_seconds(identity) for identity in self.ids())


def run(
    argv: Sequence[str], environment: Mapping[str, str] | None = None, timeout_seconds: float = 900
) -> str:
    """Run a command; what it printed."""
    done = subprocess.run(
        argv,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
        check=False,
    )
    if done.returncode:
        raise BenchmarkError(f"{' '.join(argv[:12])} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return done.stdout


def _cpu_seconds(identity: str) -> float:
    for pattern, units in _GROUPS:
        path = Path(pattern.format(id=identity))
        if path.is_file():
            words = path.read_text(encoding="ascii").split()
            return int(words[words.index("usage_usec") + 1] if "usage_usec" in words else words[0]) / units
    raise BenchmarkError(f"The processor time of container {identity[:12]} is not where it is looked for.")
