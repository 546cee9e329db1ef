"""install.sh and verify.sh on a server that runs: all that verify tries is well, and installing again changes nothing.

The first installation is the one that all tests of the server stand on (compose_server.py does what install.sh does).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.deploy import engine
from tests.deploy.compose_server import TEST_FILE
from tests.sizes import full_only

pytestmark = [pytest.mark.deploy, pytest.mark.alone, pytest.mark.timeout(1800), full_only]


def script(server, name, *options):
    """Run one of the scripts as a person does, with this machine's engine and Compose."""
    if shutil.which("curl") is None:
        engine.missing("no curl on this machine")
    binary = Path(engine.docker_binary())
    environment = {
        **os.environ,
        "PATH": f"{binary.parent}:{os.environ['PATH']}",
        "COMPOSE": engine.compose_binary() or "docker compose",
        "AIRFOIL": str(Path(sys.executable).with_name("airfoil")),
        "COMPOSE_FILE": f"compose.yaml:compose.override.yaml:{TEST_FILE}",
    }
    return subprocess.run(
        ["sh", name, *options],
        cwd=server.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_everything_that_verify_tries_is_well(server):
    (server.folder / "ca.crt").write_text(server.authority(), encoding="utf-8")
    done = script(server, "verify.sh")
    print(done.stdout)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "All is well." in done.stdout
    skipped = [line for line in done.stdout.splitlines() if " skipped " in line]
    assert skipped == [], "this project has all that verify.sh can try"
    for tried in ("DAG example_dag", "MLflow run with an artifact", "Prediction of a registered model"):
        assert f"{tried} " in done.stdout


def test_installing_again_leaves_what_runs_as_it_is(server):
    before = set(server.compose("ps", "--quiet").split())
    # As many workers as there are: install.sh starts what .env says.
    workers = len(server.compose("ps", "--quiet", "airflow-worker").split())
    environment = server.folder / ".env"
    text = environment.read_text(encoding="utf-8")
    environment.write_text(text.replace("\nWORKERS=1\n", f"\nWORKERS={workers}\n"), encoding="utf-8")
    done = script(server, "install.sh", "--no-build")
    print(done.stdout)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert set(server.compose("ps", "--quiet").split()) == before
    assert "All is well." in done.stdout
    assert (server.folder / "ca.crt").read_text(encoding="utf-8").strip() == server.authority().strip()
