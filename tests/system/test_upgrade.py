"""An upgrade of a whole platform: killed in the middle, carried on, refused by the older one, and undone."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import time
from contextlib import closing

import pytest
from tests.sizes import full_only
from tests.system.faults import begun, refusal
from tests.system.platforms import wait_until
from tests.system.test_faults_processes import kill_everything

from airfoil.stack import snapshots, versions

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]


def pretend(platform, **changed):
    """Let other versions have run the project last."""
    known = json.loads(platform.project.versions.read_text())
    platform.project.versions.write_text(json.dumps(known | changed))


def runs(platform):
    """The runs that Airflow knows, straight from its database."""
    with closing(sqlite3.connect(platform.project.airflow_database)) as database:
        return {run_id for (run_id,) in database.execute("select run_id from dag_run")}


@full_only
def test_an_upgrade_that_is_killed_in_the_middle_loses_nothing(new_platform):
    platform = new_platform
    platform.up()
    assert platform.run("run", "simple_test_dag").code == 0
    platform.down()
    mine = runs(platform)
    assert mine
    newest = versions.revision_of(platform.project.airflow_database)
    older = platform.run("airflow", "db", "downgrade", "--to-version", "3.2.0", "--yes")
    assert older.code == 0, older.said
    before = versions.revision_of(platform.project.airflow_database)
    assert before != newest
    pretend(platform, airflow="3.2.0")

    fresh = platform.project.airflow_database.with_name("airflow.db.new")
    with begun(platform, "up") as up:
        wait_until(
            lambda: versions.revision_of(fresh) == before, 60, "the migration of the copy", step_seconds=0.002
        )
        up.process.kill()
        kill_everything(platform)
    assert versions.revision_of(platform.project.airflow_database) == before
    assert runs(platform) == mine
    (kept,) = snapshots.found_in(platform.project)
    assert kept.versions.airflow == "3.2.0"
    assert versions.revision_of(kept.folder / "airflow.db") == before

    began = time.monotonic()
    platform.up()
    print(f"upgrade carried on in {time.monotonic() - began:.1f} s")
    assert versions.revision_of(platform.project.airflow_database) == newest
    assert runs(platform) >= mine
    assert snapshots.found_in(platform.project) == [kept], "one upgrade, one snapshot"

    running = platform.pids()
    pretend(platform, airflow="3.9.0")
    said = refusal(platform.run("up"))
    assert said.sentence.startswith("This project was last run by Airflow 3.9.0, and Airflow ")
    assert "'apache-airflow-core==3.9.0'" in said.move
    assert str(kept.restore) in said.move
    assert platform.pids() == running, "what runs is left alone"
    assert "3.9.0" in platform.run("doctor").out
    platform.down()

    back = subprocess.run(["sh", str(kept.restore)], capture_output=True, text=True, check=False)
    assert back.returncode == 0, back.stderr
    assert versions.revision_of(platform.project.airflow_database) == before
    assert runs(platform) == mine
    assert versions.last_run(platform.project).airflow == "3.2.0"


@full_only
def test_a_reset_keeps_models_logins_and_addresses_and_a_purge_keeps_nothing(new_platform):
    platform = new_platform
    up = platform.up()
    assert platform.run("mlflow", "experiments", "create", "--experiment-name", "mine").code == 0
    assert platform.run("run", "simple_test_dag").code == 0
    refused = refusal(platform.run("reset"))
    assert "no terminal" in refused.sentence
    assert platform.run("status").code == 0, "and it runs on"
    done = platform.run("reset", "--keep-models", "--yes")
    assert done.code == 0, done.said
    assert platform.processes() == {}
    again = platform.up()
    addresses = [line for line in up.out.splitlines() if "http://" in line]
    assert [line for line in again.out.splitlines() if "http://" in line] == addresses
    assert not any("manual" in run_id for run_id in runs(platform))
    assert "mine" in platform.run("mlflow", "experiments", "search").out
    purged = platform.run("down", "--purge", "--yes")
    assert purged.code == 0, purged.said
    assert not platform.project.state.exists()
    assert platform.processes() == {}
    assert platform.project.dags.is_dir()
