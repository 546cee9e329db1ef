"""The Docker engine and Compose of the machine; started, and Compose fetched from Debian, where the tests may do that.

What is missing skips the tests, with the reason; under CI=true it fails them, because there a skipped test is a hole.
A machine that lets nobody start containers skips them always: nothing that we change could mend that.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

CACHE = Path("/var/cache/airfoil-stand-ins")
START_SECONDS = 60
STATUS = Path("/proc/self/status")
# Linux's numbers of the rights without which there is no container: CAP_NET_ADMIN and CAP_SYS_ADMIN.
_RIGHTS = (12, 21)
MAY_INSTALL = os.environ.get("CI") == "true" or os.environ.get("SYSTEM") == "1"


def missing(reason: str) -> NoReturn:
    """Skip the tests, or fail them on a build machine."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def docker_binary() -> str:
    """The engine's own command: a newer client without its plug-in for builds cannot build."""
    debian = Path("/usr/bin/docker")
    found = str(debian) if debian.exists() else shutil.which("docker")
    return found or missing("no Docker on this machine (`apt-get install docker.io debootstrap`)")


def run(*argv: str, check: bool = True, timeout: float = 1800, **options) -> subprocess.CompletedProcess[str]:
    """Run a command; what it said is in the failure."""
    done = subprocess.run(argv, text=True, capture_output=True, check=False, timeout=timeout, **options)
    if check:
        said = f"{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
        assert done.returncode == 0, f"{' '.join(argv[:8])} ended with {done.returncode}:\n{said}"
    return done


def docker(*arguments: str, **options) -> str:
    """Run a docker command; what it printed."""
    environment = {**os.environ, "DOCKER_BUILDKIT": "1", **options.pop("environment", {})}
    return run(docker_binary(), *arguments, env=environment, **options).stdout.strip()


def answers() -> bool:
    """Does an engine answer?"""
    return run(docker_binary(), "info", check=False).returncode == 0


def may_contain(status: str) -> bool:
    """Do the rights that Linux gives a process suffice to start containers?"""
    (mask,) = re.findall(r"^CapEff:\s*([0-9a-f]+)$", status, re.MULTILINE)
    return all(int(mask, 16) >> number & 1 for number in _RIGHTS)


@contextmanager
def running() -> Iterator[None]:
    """Use the engine that runs, or start one for as long as it is needed."""
    if answers():
        yield
        return
    if not may_contain(STATUS.read_text(encoding="utf-8")):
        pytest.skip("this machine is a container itself, in which no other may be started")
    if not MAY_INSTALL or os.geteuid() != 0 or shutil.which("dockerd") is None:
        missing("the Docker engine does not run (with CI=true or SYSTEM=1 and as root the tests start it)")
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "dockerd.log").open("wb") as log:
        process = subprocess.Popen(["dockerd"], stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers():
            assert process.poll() is None, (CACHE / "dockerd.log").read_text()[-3000:]
            assert time.monotonic() < deadline, "the Docker engine did not start in time"
            time.sleep(0.5)
        yield
    finally:
        process.terminate()
        process.wait(60)


def compose_binary() -> str:
    """Compose v2: a plug-in of the engine, or the program of Debian 13, which Debian 12 does not have."""
    plugin = run(docker_binary(), "compose", "version", check=False)
    if plugin.returncode == 0:
        return ""
    fetched = CACHE / "compose" / "usr" / "libexec" / "docker" / "cli-plugins" / "docker-compose"
    if not fetched.exists():
        if not MAY_INSTALL:
            missing("no Compose v2 on this machine (with CI=true or SYSTEM=1 the tests fetch Debian's)")
        from tests.deploy import stand_ins

        stand_ins.import_suites()
        fetch = "apt-get update -q; cd /out; apt-get download -q docker-compose; dpkg -x docker-compose_*.deb compose"
        volume = ("--volume", f"{CACHE}:/out")
        docker("run", "--rm", "--network", "host", *volume, stand_ins.suite_tag("trixie"), "sh", "-ec", fetch)
    return str(fetched)


class Compose:
    """`docker compose` in one folder, for one project."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        program = compose_binary()
        self._argv = [program] if program else [docker_binary(), "compose"]
        self.folder = folder
        self._environment = {**os.environ, "DOCKER_BUILDKIT": "1", **(environment or {})}

    def __call__(self, *arguments: str, check: bool = True, timeout: float = 1800) -> str:
        """Run it; what it printed."""
        return self.run(*arguments, check=check, timeout=timeout).stdout.strip()

    def run(
        self, *arguments: str, check: bool = True, timeout: float = 1800
    ) -> subprocess.CompletedProcess[str]:
        """Run it; all that came of it."""
        options = {"cwd": self.folder, "env": self._environment}
        return run(*self._argv, *arguments, check=check, timeout=timeout, **options)
