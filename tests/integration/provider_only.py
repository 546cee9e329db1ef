"""A plain Airflow with our wheel beside it and nothing else of ours: what `pip install airfoil` gives to an Airflow."""

from __future__ import annotations

import os
import subprocess
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.integration.servers import free_port, serving

from airfoil.stack.packages.uv import Uv

ROOT = Path(__file__).parents[2]
LIST_PACKAGES = "import importlib.metadata as m; print(*{one.name.lower() for one in m.distributions()})"
INDEX = "https://pypi.org/simple/uv/"


def uv(*arguments: str, folder: Path) -> str:
    """Run uv well; what it said."""
    program = Uv.find(folder).program
    done = subprocess.run(
        [program, "--quiet", *arguments], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def build_wheel(folder: Path) -> Path:
    """The wheel of this tree; installing it needs the index that people install from."""
    try:
        with urllib.request.urlopen(INDEX, timeout=10):
            pass
    except OSError as error:
        pytest.skip(f"pypi.org cannot be reached: {error}")
    uv("build", "--wheel", "--out-dir", str(folder), folder=ROOT)
    (found,) = folder.glob("*.whl")
    return found


def versions_in(wheel: Path) -> Path:
    """The file of tested versions that a wheel carries, beside it."""
    path = wheel.with_name("constraints.txt")
    with zipfile.ZipFile(wheel) as archive:
        path.write_bytes(archive.read("airfoil/constraints.txt"))
    return path


@dataclass(frozen=True)
class ProviderOnly:
    """A virtual environment with plain Airflow and the wheel, and a home for that Airflow."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "venv" / "bin" / "python"

    @property
    def home(self) -> Path:
        return self.folder / "airflow"

    @property
    def dags(self) -> Path:
        return self.home / "dags"

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the surrounding environment: no variable of ours helps."""
        return {
            "PATH": f"{self.python.parent}{os.pathsep}{os.defpath}",
            "HOME": str(self.folder),
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        }

    def install(self, wheel: Path, constraints: Path, *more: str) -> None:
        """Make the environment; `more` names extras of the wheel or further packages."""
        self.dags.mkdir(parents=True)
        Uv.find(self.folder).make_environment(self.folder / "venv")
        self.add(constraints, "apache-airflow-core", str(wheel), *more)

    def add(self, constraints: Path, *packages: str) -> None:
        """Install packages in their tested versions."""
        given = ("--python", str(self.python), "--constraints", str(constraints))
        uv("pip", "install", *given, *packages, folder=self.folder)

    def run(
        self, *command: str, timeout: float = 180, settings: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, with further variables if need be."""
        program = self.python.with_name(command[0])
        return subprocess.run(
            [program, *command[1:]],
            cwd=self.home,
            env={**self.environment, **(settings or {})},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def well(self, *command: str) -> str:
        """Run a program that must end well; what it printed."""
        done = self.run(*command)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
        return done.stdout

    def packages(self) -> set[str]:
        """The names of what is installed."""
        return set(self.well("python", "-c", LIST_PACKAGES).split())

    @contextmanager
    def api_server(self) -> Iterator[str]:
        """Run Airflow's API server with its UI, in which everybody is an administrator; its address."""
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        argv = [self.python.with_name("airflow"), "api-server", "--host", "127.0.0.1", "--port", str(port)]
        with serving(
            [*argv, "--workers", "1"],
            folder=self.home,
            environment=self.environment,
            log=self.folder / "api-server.log",
            health=f"{url}/api/v2/monitor/health",
        ):
            yield url
