"""A new project is right as it is: its own tests pass, from each template, and fail when they should."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from airfoil.cli.entry import run_command_line
from airfoil.cli.templates import SHIPPED_DAGS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration


@pytest.fixture(params=SHIPPED_DAGS)
def project(request, tmp_path) -> Path:
    """A project made from a template, in a folder with a name that is no package's."""
    root = tmp_path / "Über shop"
    assert run_command_line(["init", str(root), "--template", request.param]) == 0
    return root


def run_tests(root: Path) -> subprocess.CompletedProcess[str]:
    """Run `pytest` as its user would, who has no PYTHONPATH and no Airflow."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("AIRFLOW", "PYTEST"))
    }
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_its_own_tests_pass_and_notice_what_is_broken(project):
    said = run_tests(project)
    assert said.returncode == 0, said.stdout
    assert "warning" not in said.stdout
    assert not (project / ".airfoil").exists(), "tests have an Airflow of their own"

    dag = project / "dags" / "first_dag.py"
    dag.write_text(dag.read_text().replace("    report(", "    lost = report  # (", 1))
    features = project / "src" / "uber_shop" / "features.py"
    features.write_text(features.read_text().replace("return ", "return None and ", 1))
    (project / "dags" / "another.py").write_text("import nothing_of_that_name  # DAG of airflow\n")
    said = run_tests(project)

    assert said.returncode == 1, said.stdout
    failed = [line.partition(" - ")[0] for line in said.stdout.splitlines() if line.startswith("FAILED")]
    assert any("test_dags.py::test_every_file_imports" in line for line in failed), said.stdout
    assert any("test_dags.py::test_a_dag_is_what_it_should_be[first_dag]" in line for line in failed), (
        said.stdout
    )
    assert any("test_features.py" in line for line in failed), said.stdout
