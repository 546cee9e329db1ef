"""A DAG file that does not import: the platform starts, says which file and why, and runs every other DAG."""

from __future__ import annotations

import pytest
from tests.system.faults import told
from tests.system.platforms import wait_until

pytestmark = pytest.mark.system

BROKEN = """from airflow.sdk import DAG

with DAG("broken"):
    import a_library_that_nobody_has
"""
PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def spoiled(make_platform):
    """Start a platform among whose DAGs are two that cannot be imported."""
    platform = make_platform()
    (platform.project.dags / "broken.py").write_text(BROKEN)
    (platform.project.dags / "cut off.py").write_text("from airflow.sdk import DAG\n\ndef half(:\n")
    return platform, platform.up()


def test_up_succeeds_and_status_names_file_and_error(spoiled):
    platform, up = spoiled
    assert up.code == 0
    found = []

    def known():
        found[:] = [platform.run("status")]
        return "broken.py" in found[0].out and "cut off.py" in found[0].out

    wait_until(known, PATIENCE_SECONDS, "status names both files", step_seconds=0.5)
    status = found[0]
    assert status.code == 0  # the platform itself is well
    assert "No module named 'a_library_that_nobody_has'" in status.out
    assert "invalid syntax" in status.out
    assert "Traceback" not in status.said
    doctor = platform.run("doctor")
    assert doctor.code == 1
    assert "broken.py" in doctor.out


def test_running_it_names_file_and_error(spoiled):
    platform, _ = spoiled
    said = told(platform.run("run", "broken"))
    assert said.sentence == (
        "broken cannot run, because broken.py does not import: "
        "ModuleNotFoundError: No module named 'a_library_that_nobody_has'."
    )
    assert said.move == "Mend the file, then run again: `airfoil run broken`."
    assert any("broken.py" in line for line in said.evidence)


def test_another_dag_runs_and_a_mended_one_too(spoiled):
    platform, _ = spoiled
    assert platform.run("run", "simple_test_dag").code == 0
    mended = BROKEN.replace("    import a_library_that_nobody_has\n", "    task()\n")
    mended = mended.replace(
        "import DAG\n", "import DAG, task as as_task\n\n\n@as_task\ndef task():\n    print(1)\n\n"
    )
    (platform.project.dags / "broken.py").write_text(mended)
    done = platform.run("run", "broken")
    assert done.code == 0, done.said
