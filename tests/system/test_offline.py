"""With the network unplugged: what is installed needs nothing from outside, and asks for nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from tests.system import offline
from tests.system.platforms import clean_environment

pytestmark = [pytest.mark.system, pytest.mark.timeout(1800)]

LEFT_BEHIND = shutil.ignore_patterns(
    ".git", ".venv", ".airfoil", "site", "dist", "__pycache__", ".*_cache", ".cache"
)


OF_INSTALLERS = ("UV_", "PIP_", "SSL_", "PYENV_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY")


@pytest.fixture
def installed(tmp_path, repository):
    """A copy of this repository in which `make` has installed what it needs, with a network."""
    reason = offline.why_not()
    if reason:
        pytest.skip(f"network namespaces are not allowed here, so offline is NOT proven: {reason}")
    folder = tmp_path / "Meine Kopie"
    shutil.copytree(repository, folder, ignore=LEFT_BEHIND, symlinks=True)
    done = make(folder, "platform")
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def environment():
    """A new shell's, with uv where the person has it."""
    uv = shutil.which("uv")
    kept = {name: value for name, value in os.environ.items() if name.upper().startswith(OF_INSTALLERS)}
    found = {**clean_environment(), **kept}
    return {**found, "PATH": f"{Path(uv).parent}:{found['PATH']}"} if uv else found


def make(folder, target):
    return subprocess.run(
        ["make", target],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def test_the_demo_runs_without_a_network_and_nobody_asks_for_a_name(installed, tmp_path):
    began = time.monotonic()
    done, asked = offline.run_offline(
        "make demo && .venv/bin/airfoil doctor",
        installed,
        tmp_path,
        environment(),
        finally_="make down",
    )
    print(f"offline demo: {time.monotonic() - began:.0f} s; asked for {asked}")
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert "Demo done" in done.stdout
    assert "Stopped in" in done.stdout
    assert asked == []


def test_the_name_server_of_this_test_hears_a_question(tmp_path):
    """Else the test above would prove nothing."""
    reason = offline.why_not()
    if reason:
        pytest.skip(f"network namespaces are not allowed here: {reason}")
    code = "import socket; socket.getaddrinfo('telemetry.example.com', 443)"
    done, asked = offline.run_offline(f'python3 -c "{code}"', tmp_path, tmp_path, environment())
    assert done.returncode != 0
    assert set(asked) == {"telemetry.example.com"}
