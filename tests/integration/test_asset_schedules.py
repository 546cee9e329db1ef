"""Events and the runs that follow them, in a real Airflow on SQLite and on Postgres."""

from __future__ import annotations

import json

import pytest
from tests.integration.airflow_home import AirflowHome

pytestmark = pytest.mark.integration

OURS = {
    "AIRFLOW__CORE__ASSET_MANAGER_CLASS": "airfoil.provider.asset_manager.RenewingAssetManager",
}
DAG = """from airflow.sdk import DAG, Asset, task

with DAG("follows", schedule=[Asset("news")]):
    @task
    def work(): ...
    work()
"""
TWO_EVENTS_THEN_A_RUN = """
import json
from airflow.assets.manager import asset_manager
from airflow.jobs.job import Job
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from airflow.models.asset import AssetModel
from airflow.models.dag import DagModel
from airflow.utils.session import create_session
from sqlalchemy import select, text

for _ in range(2):
    with create_session() as session:
        asset = session.scalar(select(AssetModel).where(AssetModel.name == "news"))
        asset_manager.register_asset_change(asset=asset, session=session)
with create_session() as session:
    scheduler = SchedulerJobRunner(Job())
    session.add(scheduler.job)
    session.flush()
    dags = [session.scalar(select(DagModel).where(DagModel.dag_id == "follows"))]
    scheduler._create_dag_runs_asset_triggered(dag_models=dags, session=session)
with create_session() as session:
    print(json.dumps(sorted(event for event, in session.execute(text('select event_id from dagrun_asset_event')))))
"""
SOMEBODY_WRITES_MEANWHILE = """
import sqlite3, sys
from airflow.assets.manager import asset_manager
from airflow.jobs.job import Job
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from airflow.models.asset import AssetModel
from airflow.models.dag import DagModel
from airflow.utils.session import create_session
from airfoil.runtime import asset_queue
from sqlalchemy import event, select

said = []

def write(_connection, _cursor, statement, *_):
    if statement.lstrip().upper().startswith("SELECT") and "FROM asset_dag_run_queue" in statement:
        other = sqlite3.connect(sys.argv[1], timeout=0)
        try:
            with other:
                other.execute("update asset_dag_run_queue set asset_id = asset_id")
            said.append("written")
        except sqlite3.OperationalError as error:
            said.append(str(error))
        other.close()

if HELD:
    asset_queue.hold_while_read()
with create_session() as session:
    asset = session.scalar(select(AssetModel).where(AssetModel.name == "news"))
    asset_manager.register_asset_change(asset=asset, session=session)
    scheduler = SchedulerJobRunner(Job())
    session.add(scheduler.job)
with create_session() as session:
    dags = [session.scalar(select(DagModel).where(DagModel.dag_id == "follows"))]
    event.listen(session.get_bind(), "after_cursor_execute", write)
    scheduler._create_dag_runs_asset_triggered(dag_models=dags, session=session)
    event.remove(session.get_bind(), "after_cursor_execute", write)
print(said[0])
"""


@pytest.fixture
def following(migrated_airflow, tmp_path) -> AirflowHome:
    """An Airflow on SQLite with a DAG that follows an asset."""
    folder = tmp_path / "home"
    return with_dag(migrated_airflow.copied_to(folder))


def with_dag(home: AirflowHome) -> AirflowHome:
    dags = home.folder / "dags"
    dags.mkdir()
    (dags / "follows.py").write_text(DAG)
    home.settings = {
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    }
    home.python(
        "from airflow.__main__ import main; import sys; sys.argv[1:] = ['dags', 'reserialize']; main()"
    )
    return home


def test_both_of_two_events_are_in_the_run_that_follows(following):
    following.settings |= OURS
    assert len(json.loads(following.python(TWO_EVENTS_THEN_A_RUN))) == 2


def test_both_of_two_moves_of_a_model_are_in_it_whatever_the_asset_manager(following):
    """A trigger's events go past the asset manager that is configured; the plugin's listener sees them."""
    code = TWO_EVENTS_THEN_A_RUN.replace(
        "asset=asset, session=session",
        "asset=asset, session=session, "
        "extra={'from_trigger': True, 'payload': {'model': 'w', 'alias': 'c', 'number': number}}",
    ).replace("for _ in range(2)", "for number in (1, 2)")
    install = "from airfoil.provider import move_cursor; move_cursor.install()\n"
    assert len(json.loads(following.python(install + code))) == 2


def test_airflow_alone_keeps_the_second_for_later(following):
    """If this changes, our asset manager can go."""
    assert len(json.loads(following.python(TWO_EVENTS_THEN_A_RUN))) == 1


def test_both_are_in_it_on_postgres(postgres, tmp_path):
    home = AirflowHome(tmp_path / "home", postgres.new_database())
    home.run_well()
    with_dag(home).settings |= OURS
    assert len(json.loads(home.python(TWO_EVENTS_THEN_A_RUN))) == 2


@pytest.mark.parametrize(("held", "said"), [(True, "database is locked"), (False, "written")])
def test_nobody_adds_news_between_their_reading_and_their_clearing(following, held, said):
    code = SOMEBODY_WRITES_MEANWHILE.replace("HELD", str(held))
    code = code.replace("sys.argv[1]", repr(str(following.database)))
    assert following.python(code) == said
