"""uv as a process: it resolves, makes virtualenvs and installs. Nobody else starts it.

uv reads its own settings (an index of your company, say) from its files, from UV_* variables and from [tool.uv] in the
project's pyproject.toml. What it complains about is translated in `refusals`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from airfoil.errors import ConfigurationError
from airfoil.stack.packages import constraints


@dataclass(frozen=True)
class Uv:
    """The program, and the project it works for."""

    program: str
    root: Path

    @classmethod
    def find(cls, root: Path) -> Uv:
        """Take the one that was installed with Airfoil, else the one on PATH."""
        beside = Path(sys.executable).with_name("uv")
        program = str(beside) if beside.exists() else shutil.which("uv")
        if program is None:
            raise ConfigurationError(
                "uv, which installs packages, is not here.",
                f"Install it: `{sys.executable} -m pip install uv`.",
            )
        return cls(program, root)

    def lock(
        self, requirements: Sequence[str], *, oldest_python: str, beside_platform: bool, known: str = ""
    ) -> str:
        """Resolve to exact versions with hashes, for every system and every Python from the oldest on.

        Beside the platform its tested versions are fixed. What is `known` from an earlier lock is kept where it fits.
        """
        with tempfile.TemporaryDirectory(prefix="airfoil-lock-") as folder:
            found = Path(folder, "requirements.txt")
            found.write_text(known, encoding="utf-8")
            bounds = ("--constraints", str(constraints.PATH)) if beside_platform else ()
            self._run(
                ("pip", "compile", "-", "--universal", "--generate-hashes", "--no-header", "--no-annotate"),
                ("--python", sys.executable, "--python-version", oldest_python, "--output-file", str(found)),
                bounds,
                given="\n".join(requirements),
                requirements=requirements,
            )
            return found.read_text(encoding="utf-8")

    def install(self, lock: Path, python: str) -> None:
        """Install what a lock says, no more, into the environment of this Python."""
        self._run(("pip", "install", "--python", python, "--no-deps", "--requirements", str(lock)))

    def uninstall(self, names: Sequence[str], python: str) -> None:
        """Take packages away."""
        self._run(("pip", "uninstall", "--python", python, *names))

    def make_environment(self, folder: Path) -> None:
        """Make a virtualenv with this Python, in place of what is there."""
        self._run(("venv", "--clear", "--no-project", "--python", sys.executable, str(folder)))

    def synchronise(self, lock: Path, python: str) -> None:
        """Make an environment hold what a lock says and nothing else."""
        self._run(("pip", "sync", "--python", python, "--allow-empty-requirements", str(lock)))

    def _run(
        self, *arguments: Sequence[str], given: str | None = None, requirements: Sequence[str] = ()
    ) -> None:
        # One retry: a person who is offline should hear so now, and may try again.
        environment = {"UV_HTTP_RETRIES": "1", **os.environ}
        environment.pop(
            "VIRTUAL_ENV", None
        )  # we name the environment; a warning that another is active helps nobody
        try:
            done = subprocess.run(
                [self.program, "--quiet", "--color", "never", *(one for part in arguments for one in part)],
                input=given,
                stdin=subprocess.DEVNULL if given is None else None,
                cwd=self.root,
                env=environment,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                check=False,
            )
        except OSError as error:
            raise ConfigurationError(
                f"{self.program} cannot be started: {error.strerror or error}.",
                f"Install it again: `{sys.executable} -m pip install --force-reinstall uv`.",
            ) from error
        if done.returncode:
            from airfoil.stack.packages import refusals

            raise refusals.explain(done.stderr, requirements)
