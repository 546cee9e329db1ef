"""What a person does in the first week, outside the checkout: a virtualenv with the built wheel, and a stopwatch.

Nothing here asserts what the platform says; `test_first_week` tells the story.
"""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.system.platforms import Done, Platform, clean_environment

CHECKOUT = Path(__file__).parents[2]
INSTALL_SECONDS = 900
NETWORK = ("UV_", "PIP_", "SSL_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "REQUESTS_CA", "CURL_CA")
"""How this machine reaches the package index is the machine's affair."""


def build_wheel(folder: Path) -> Path:
    """Build what users install."""
    subprocess.run(
        ["uv", "build", "--quiet", "--wheel", "--out-dir", str(folder), str(CHECKOUT)],
        check=True,
        timeout=INSTALL_SECONDS,
    )
    return next(folder.glob("airfoil-*.whl"))


def install(wheel: Path, environment: Path, *more: str) -> Path:
    """Make a virtualenv with the platform in it; where its commands are."""
    python = environment / "bin" / "python"
    subprocess.run(
        ["uv", "venv", "--quiet", "--python", sys.executable, str(environment)], check=True, timeout=60
    )
    subprocess.run(
        [
            "uv",
            "pip",
            "install",
            "--quiet",
            "--python",
            str(python),
            f"airfoil[stack] @ {wheel.as_uri()}",
            *more,
        ],
        check=True,
        timeout=INSTALL_SECONDS,
    )
    return python.parent


def stalled_seconds() -> float:
    """For how long, ever, something here stood in line for a processor or a disk; 0 where nobody counts."""
    total = 0
    for resource in ("cpu", "io"):
        with suppress(OSError):
            some = Path("/proc/pressure", resource).read_text(encoding="ascii").splitlines()[0]
            total += int(some.partition("total=")[2])
    return total / 1e6


@dataclass
class Week:
    """A person with a shell, a folder and a stopwatch."""

    folder: Path
    commands: Path
    waits: dict[str, float] = field(default_factory=dict)
    stalls: dict[str, float] = field(default_factory=dict)
    """How long of each wait something stood in line for a busy processor or disk: the machine's doing, not ours."""

    @property
    def root(self) -> Path:
        """The project."""
        return self.folder / "shop"

    @property
    def platform(self) -> Platform:
        """What runs in it."""
        return Platform(self.root)

    @property
    def environment(self) -> dict[str, str]:
        """A shell in which the virtualenv is active."""
        network = {name: value for name, value in os.environ.items() if name.upper().startswith(NETWORK)}
        found = clean_environment() | network
        return found | {
            "PATH": f"{self.commands}{os.pathsep}{found['PATH']}",
            "VIRTUAL_ENV": str(self.commands.parent),
        }

    def do(self, *words: str, inside: Path | None = None, patience_seconds: float = 300) -> Done:
        """Type a command."""
        began = time.monotonic()
        done = subprocess.run(
            words,
            cwd=inside or self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=patience_seconds,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr, time.monotonic() - began)

    def well(self, *words: str) -> Done:
        """Type a command that must work."""
        done = self.do(*words)
        assert done.code == 0, f"{' '.join(words)}\n{done.said}"
        return done

    def write(self, path: str, text: str) -> Path:
        """Save a file of the project."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    @contextmanager
    def step(self, name: str, own_seconds: float = 0.0) -> Iterator[None]:
        """Measure a step; what the user's own code takes of it is not the platform's."""
        began, stalled = time.monotonic(), stalled_seconds()
        yield
        self.waits[name] = time.monotonic() - began - own_seconds
        self.stalls[name] = stalled_seconds() - stalled

    def close(self) -> None:
        """Stop what runs."""
        if self.root.exists():
            with suppress(subprocess.TimeoutExpired):
                self.do("airfoil", "down")


class Terminal:
    """A command in a terminal of its own, with somebody typing."""

    def __init__(self, week: Week, *words: str) -> None:
        self._pid, self._end = pty.fork()
        if self._pid == 0:
            os.chdir(week.root)
            executable = shutil.which(words[0], path=week.environment["PATH"]) or words[0]
            os.execve(executable, list(words), week.environment | {"TERM": "dumb"})  # noqa: S606 - no shell
        self.said = ""

    def expect(self, pattern: str, seconds: float = 120) -> None:
        """Read until this was said."""
        deadline = time.monotonic() + seconds
        seen = len(self.said)
        while not re.search(pattern, self.said[seen:]):
            assert time.monotonic() < deadline, f"no {pattern!r} in:\n{self.said}"
            if select.select([self._end], [], [], 0.2)[0]:
                try:
                    self.said += os.read(self._end, 65536).decode(errors="replace")
                except OSError as error:  # the other end is closed
                    raise AssertionError(f"it ended before {pattern!r}:\n{self.said}") from error

    def type(self, line: str) -> None:
        """Type a line."""
        os.write(self._end, f"{line}\n".encode())

    def wait(self, seconds: float = 120) -> int:
        """Until it ends; its exit code."""
        deadline = time.monotonic() + seconds
        while True:
            with suppress(OSError):
                if select.select([self._end], [], [], 0.05)[0]:
                    self.said += os.read(self._end, 65536).decode(errors="replace")
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                os.close(self._end)
                return os.waitstatus_to_exitcode(status)
            if time.monotonic() > deadline:
                os.kill(self._pid, 9)
                raise AssertionError(f"it did not end:\n{self.said}")
