"""Tidying up real databases: what a registered model comes from stays, what is old goes, and the files with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.airflow_home import AirflowHome

pytestmark = [
    pytest.mark.integration,
    # MLflow's own queries, in this process; by the name of its library's class nobody could read this line.
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated"),
]

DAY_SECONDS = 86_400
LATER = time.time() + 3600
"""Whatever is done in a test was done before this."""


@pytest.fixture(scope="module")
def module_patch():
    """A monkeypatch that lasts as long as what it is for."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def tracked(tmp_path_factory, module_patch):
    """An MLflow database: deleted runs, some of which a registered model uses, and the ledger."""
    from mlflow.entities import LoggedModelStatus, RunTag
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Registry
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as Store

    home = tmp_path_factory.mktemp("mlflow")
    url, files = f"sqlite:///{home}/mlflow.db", home / "files"
    module_patch.setenv(
        "MLFLOW_TRACKING_URI", url
    )  # else MLflow makes a database where the tests were started
    store = Store(url, "mlflow-artifacts:/")
    registry = Registry(url)
    shop, ledger, left = (store.create_experiment(name) for name in ("shop", "airfoil-ledger", "left"))

    def run(experiment, parent=""):
        tags = [RunTag("mlflow.parentRunId", parent)] if parent else []
        made = store.create_run(experiment, "me", 0, tags, "a run")
        path = files / made.info.artifact_uri.removeprefix("mlflow-artifacts:/") / "chart.png"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x")
        return SimpleNamespace(id=made.info.run_id, file=path)

    def model(source):
        made = store.create_logged_model(shop, source_run_id=source.id)
        store.finalize_logged_model(made.model_id, LoggedModelStatus.READY)
        path = files / made.artifact_location.removeprefix("mlflow-artifacts:/") / "MLmodel"
        path.parent.mkdir(parents=True)
        path.write_text("flavors: {}")
        return SimpleNamespace(id=made.model_id, file=path, location=made.artifact_location)

    world = SimpleNamespace(url=url, files=files, store=store)
    world.parent = run(shop)
    world.trained = run(shop, parent=world.parent.id)
    world.forgotten, world.cell, world.lonely, world.live = run(shop), run(ledger), run(left), run(shop)
    world.model, world.draft = model(world.trained), model(world.forgotten)
    registry.create_registered_model("wine")
    registry.create_model_version("wine", world.model.location)
    for one in (world.parent, world.trained, world.forgotten, world.cell, world.lonely):
        store.delete_run(one.id)
    for one in (world.model, world.draft):
        store.delete_logged_model(one.id)
    store.delete_experiment(left)
    world.left = left
    return world


def ids(world):
    from mlflow.entities import ViewType

    experiments = [one.experiment_id for one in world.store.search_experiments(view_type=ViewType.ALL)]
    found = world.store.search_runs(experiments, "", ViewType.ALL)
    return {run.info.run_id for run in found}


def test_deleted_runs_go_but_for_those_that_are_used(tracked):
    from airfoil.runtime.tidying import tracked as tidied

    every = ids(tracked)
    files = str(tracked.files)
    assert tidied.clean(tracked.url, files, LATER - 2 * DAY_SECONDS, dry_run=False)["runs"] == 0, "too young"
    counted = tidied.clean(tracked.url, files, LATER, dry_run=True)
    assert counted == {"runs": 2, "models": 1, "experiments": 0, "kept, in use": 4}
    assert ids(tracked) == every
    assert tidied.clean(tracked.url, files, LATER, dry_run=False) == counted | {"experiments": 1}
    assert every - ids(tracked) == {tracked.forgotten.id, tracked.lonely.id}
    gone = (tracked.forgotten, tracked.lonely, tracked.draft)
    kept = (tracked.parent, tracked.trained, tracked.cell, tracked.live, tracked.model)
    assert [one.file.exists() for one in gone] == [False] * 3
    assert [one.file.exists() for one in kept] == [True] * 5
    assert tidied.clean(tracked.url, files, LATER, dry_run=False)["runs"] == 0, "twice is as good as once"


def insert(home, table, **values):
    """Insert a row; what has to be there and does not matter is 0."""
    columns = home.rows(f"pragma table_info({table})")
    needed = {str(name): 0 for _, name, _, not_null, default, _ in columns if not_null and default is None}
    row = needed | values
    texts = ", ".join(f"'{value}'" for value in row.values())
    home.rows(f"insert into {table} ({', '.join(row)}) values ({texts})")  # noqa: S608 - our own words


@pytest.fixture
def airflow(migrated_airflow: AirflowHome, tmp_path):
    """An Airflow with an old run, one that waits since long, and a new one."""
    home = migrated_airflow.copied_to(tmp_path / "home")
    old, waits, new = (f"{year}-01-01 00:00:00.000000" for year in (2024, 2025, 2099))
    insert(home, "dag_bundle", name="b", active=1)
    insert(home, "dag", dag_id="shop", bundle_name="b", last_parsed_time=new)
    for number, (run_id, state, at) in enumerate(
        [("old", "success", old), ("waits", "running", waits), ("new", "success", new)], start=1
    ):
        moment = {"run_after": at, "start_date": at, "updated_at": at}
        insert(
            home, "dag_run", id=number, dag_id="shop", run_id=run_id, state=state, run_type="manual", **moment
        )
    return home


def tidy(home, part, *arguments, **environment):
    done = subprocess.run(
        [sys.executable, "-m", "airfoil.runtime.tidying", part, "--days", "30", *arguments],
        env=home.environment | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_old_history_goes_and_a_run_that_waits_keeps_its_data(airflow, tmp_path):
    work = tmp_path / "work"
    for name in ("old", "waits", "new"):
        path = work / "shop" / name / "rows.parquet"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"1234")
        for one in (path, path.parent):
            os.utime(one, (1, 1))
    assert tidy(airflow, "work", AIRFLOW__AIRFOIL__WORK_AREA=str(work)) == {"run folders": 2, "bytes": 8}
    assert [path.name for path in (work / "shop").iterdir()] == ["waits"]
    assert tidy(airflow, "airflow", "--dry-run") == {"DAG runs": 1}
    assert tidy(airflow, "airflow")["DAG runs"] == 1
    assert airflow.rows("select run_id from dag_run order by id") == [("waits",), ("new",)]


def test_logs_in_a_bucket_go_like_those_in_a_folder(airflow, object_store, tmp_path):
    bucket, client = object_store.new_bucket(), object_store.client()
    for run_id in ("old", "waits"):
        key = f"dag_id=shop/run_id={run_id}/task_id=train/attempt=1.log"
        client.put_object(Bucket=bucket, Key=key, Body=b"1234")
    client.put_object(Bucket=bucket, Key="somebody.txt", Body=b"1234")
    places = object_store.environment | {
        "AIRFLOW__AIRFOIL__TASK_LOGS": f"s3://{bucket}",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(tmp_path / "logs"),
    }
    assert tidy(airflow, "logs", **places) == {"log files": 0, "bytes": 0}, "they are of today"
    assert tidy(airflow, "logs", "--days", "0", **places) == {"log files": 1, "bytes": 4}
    assert sorted(object_store.keys(bucket)) == [
        "dag_id=shop/run_id=waits/task_id=train/attempt=1.log",
        "somebody.txt",
    ]
