"""A project with packages, and a Python of its own to install them into: this one is not changed by a test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from airfoil.stack.packages.uv import Uv

PYPROJECT = """\
# Mine, with comments.
[project]
name = "shop"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = [
  "airfoil[stack]",  # the platform
]
"""
UP_TO_DATE = """
import contextlib, json, sys, time
from pathlib import Path
from airfoil.errors import AirfoilError
from airfoil.stack.packages import changes
from airfoil.stack.project import Project
began = time.perf_counter()
try:
    change, problem = changes.bring_up_to_date(Project(Path(sys.argv[1])), lambda what: contextlib.nullcontext())
except AirfoilError as error:
    sys.exit(f"{error} {error.next_move}")
print(json.dumps([change.installed, change.removed, change.needs_restart, problem, time.perf_counter() - began]))
"""


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


@dataclass
class Shop:
    """A project, and a Python of its own that has all of ours; what is installed goes into that one only."""

    root: Path
    python: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def pyproject(self) -> str:
        return (self.root / "pyproject.toml").read_text()

    def name(self, *packages: str) -> None:
        """Edit pyproject.toml by hand."""
        lines = "".join(f'  "{package}",\n' for package in packages)
        text = PYPROJECT.replace("# the platform\n", f"# the platform\n{lines}")
        (self.root / "pyproject.toml").write_text(text)

    def run(self, *arguments: str) -> Done:
        done = subprocess.run(
            [str(self.python), *arguments],
            cwd=self.root,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def add(self, *arguments: str) -> Done:
        return self.run("-m", "airfoil", "add", *arguments)

    def up_to_date(self) -> list:
        done = self.run("-c", UP_TO_DATE, str(self.root))
        assert done.code == 0, done.err
        return json.loads(done.out)

    def version(self, module: str, python: Path | None = None) -> str | None:
        """What a fresh process imports."""
        code = f"import {module}; print({module}.VERSION)"
        done = subprocess.run(
            [python or self.python, "-c", code], capture_output=True, text=True, check=False
        )
        return done.stdout.strip() or None

    def files(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in self.root.glob("*") if path.is_file()}


def make_python(folder: Path) -> Path:
    """A virtualenv beside this one: it sees what is installed here, and keeps what is installed there."""
    Uv.find(folder.parent).make_environment(folder)
    (site,) = folder.glob("lib/python*/site-packages")
    ours = [path for path in sys.path if path.endswith(("site-packages", "src"))]
    (site / "ours.pth").write_text("\n".join(ours) + "\n")
    return folder / "bin" / "python"
