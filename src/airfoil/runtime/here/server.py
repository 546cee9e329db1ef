"""The helper of `--here`: what scheduler and Execution API do for real tasks, on a private copy of the database.

Started as `python -m airfoil.runtime.here.server FOLDER HANDLE`, with the platform's environment. It runs no code of
the person's: DAGs reach it serialized. It ends with the process at the terminal and removes its folder.
"""

from __future__ import annotations

import gc
import importlib
import os
import shutil
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from airfoil.runtime.here import channel, database, execution_api

URL_VARIABLE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
BUNDLE = "dags-folder"


class Helper:
    """Answers the questions of one session."""

    def __init__(self, file: Path) -> None:
        settings: Any = importlib.import_module("airflow.settings")
        self._file = file
        self._session = settings.Session()
        self._run: Any = None
        self._dag: Any = None
        self._only: str | None = None
        self._index: int | None = None
        self._transport = execution_api.build_transport()

    def answer(self, what: str, values: dict[str, Any]) -> Any:
        """Do what is asked."""
        if what == "http":
            return channel.send(self._transport, values)
        try:
            found = getattr(self, f"answer_{what}")(**values)
            # Nothing may stay open: the API writes through connections of its own.
            self._session.commit()
        except BaseException:
            self._session.rollback()
            raise
        return found

    # -- a run ----------------------------------------------------------------------------------------------

    def answer_create(
        self,
        data: dict[str, Any],
        file: str,
        run_id: str,
        logical_date: datetime | None,
        conf: dict[str, Any],
    ) -> dict[str, Any]:
        """Write down the DAG and make a run of it that nobody else sees."""
        self._write_dag(data, file)
        if logical_date is not None:
            database.free_date(self._file, self._dag.dag_id, logical_date.astimezone(UTC).isoformat())
        self._make_run(run_id, logical_date, conf)
        return {"run_id": run_id, "tasks": len(self._dag.task_ids)}

    def answer_create_for_task(
        self,
        data: dict[str, Any],
        file: str,
        run_id: str,
        logical_date: datetime | None,
        conf: dict[str, Any],
        task_id: str,
        map_index: int | None,
    ) -> dict[str, Any]:
        """Make a run in which everything before one task has happened, as in the latest real run where it had."""
        self._write_dag(data, file)
        self._only, self._index = task_id, map_index
        upstream = sorted(self._dag.get_task(task_id).upstream_task_ids)
        dag_id = self._dag.dag_id
        earlier = database.earlier_run(self._file, dag_id, upstream)
        if earlier is None:
            self._make_run(run_id, logical_date or datetime.now(UTC), conf)
            return {"run_id": run_id, "earlier": None, "upstream": upstream}
        if logical_date is not None:
            database.free_date(self._file, dag_id, logical_date.astimezone(UTC).isoformat())
        self._session.close()
        database.rename_run(self._file, dag_id, earlier.run_id, run_id)
        database.forget_task(self._file, dag_id, run_id, task_id)
        self._adopt(run_id, logical_date, conf)
        return {"run_id": run_id, "earlier": earlier.run_id, "upstream": upstream}

    def answer_next(self) -> dict[str, Any]:
        """Say which task is to run now; else how the run ended, or what it waits for."""
        self._session.expire_all()
        if self._only is not None:
            return self._next_of_one()
        schedulable, _ = self._run.update_state(session=self._session, execute_callbacks=False)
        self._schedule(schedulable)
        instances = self._instances()
        for instance in instances:
            if instance.state == "scheduled":
                return self._hand_out(instance)
        if self._run.state in {"success", "failed"}:
            return {"ended": str(self._run.state.value), "tasks": _states(instances)}
        return {"waiting": sorted({f"{one.task_id} ({one.state})" for one in instances if _is_open(one)})}

    def answer_done(self, id: str, state: str) -> None:  # noqa: A002 - the name the instance has everywhere
        """Hear how a task ended, where it could not report that itself."""
        instance = self._instance(id)
        if instance.state != state:
            instance.set_state(state, session=self._session)

    def answer_resume(self, id: str, method: str, kwargs: dict[str, Any]) -> dict[str, Any]:  # noqa: A002 - as above
        """Let a deferred task go on where its trigger left it."""
        instance = self._instance(id)
        instance.next_method, instance.next_kwargs = method, kwargs
        instance.trigger_id = None
        return self._hand_out(instance)

    # -- inside ---------------------------------------------------------------------------------------------

    def _write_dag(self, data: dict[str, Any], file: str) -> None:
        from airflow.dag_processing.bundles.manager import DagBundlesManager
        from airflow.dag_processing.collection import update_dag_parsing_results_in_db
        from airflow.models.serialized_dag import SerializedDagModel
        from airflow.serialization.serialized_objects import LazyDeserializedDAG

        DagBundlesManager().sync_bundles_to_db(session=self._session)
        self._session.commit()
        lazy = LazyDeserializedDAG(data=data)
        update_dag_parsing_results_in_db(
            BUNDLE, None, [lazy], {}, None, set(), session=self._session, files_parsed={(BUNDLE, file)}
        )
        self._session.commit()
        row = self._session.scalar(SerializedDagModel.latest_item_select_object(lazy.dag_id))
        if row is None:
            raise channel.Refusal(f"Airflow cannot store the DAG {lazy.dag_id}; see the DAG's warnings.")
        self._dag = row.dag

    def _make_run(self, run_id: str, logical_date: datetime | None, conf: dict[str, Any]) -> None:
        from airflow.utils.types import DagRunTriggeredByType, DagRunType

        now = datetime.now(UTC)
        interval = None
        if logical_date is not None:
            interval = self._dag.timetable.infer_manual_data_interval(run_after=logical_date)
        try:
            self._run = self._dag.create_dagrun(
                run_id=run_id,
                logical_date=logical_date,
                data_interval=interval,
                run_after=now,
                conf=conf,
                run_type=DagRunType.MANUAL,
                state="running",
                triggered_by=DagRunTriggeredByType.TEST,
                triggering_user_name="here",
                start_date=now,
                session=self._session,
            )
        except ValueError as error:  # parameters that the DAG refuses; the schema follows the sentence
            raise channel.Refusal(str(error).partition("\n\nFailed validating")[0]) from error
        self._run.dag = self._dag

    def _adopt(self, run_id: str, logical_date: datetime | None, conf: dict[str, Any]) -> None:
        """Go on with the copied run as if it had just come to our task."""
        from airflow.models.dag_version import DagVersion
        from airflow.models.dagrun import DagRun

        self._run = self._session.query(DagRun).filter_by(dag_id=self._dag.dag_id, run_id=run_id).one()
        self._run.dag = self._dag
        self._run.state = "running"
        self._run.conf = {**(self._run.conf or {}), **conf}
        if logical_date is not None:
            self._run.logical_date = logical_date
            interval = self._dag.timetable.infer_manual_data_interval(run_after=logical_date)
            self._run.data_interval_start, self._run.data_interval_end = interval
        version: Any = DagVersion.get_latest_version(self._dag.dag_id, session=self._session)
        self._run.verify_integrity(session=self._session, dag_version_id=version.id)
        for instance in self._instances():
            instance.dag_version_id = version.id
        self._session.flush()

    def _next_of_one(self) -> dict[str, Any]:
        mine = self._mine()
        unexpanded = mine and all(one.state is None and one.map_index < 0 for one in mine)
        if unexpanded and self._dag.get_task(self._only).is_mapped:
            # It has no instances before its upstream's results are counted. Of other tasks nothing is asked: a branch
            # not taken would skip them once more.
            decision = self._run.task_instance_scheduling_decisions(session=self._session)
            if not any(one.task_id == self._only for one in decision.schedulable_tis):
                raise channel.Refusal(
                    f"{self._only} is mapped over results that no run here has; run the whole DAG first."
                )
            mine = self._mine()
        for one in mine:
            if one.state in {None, "scheduled", "up_for_reschedule"} and _is_due(one, self._session):
                one.try_number += 1
                return self._hand_out(one)
        if any(_is_open(one) for one in mine):
            return {"waiting": sorted({f"{one.task_id} ({one.state})" for one in mine if _is_open(one)})}
        good = all(one.state in {"success", "skipped"} for one in mine)
        return {"ended": "success" if good else "failed", "tasks": _states(mine)}

    def _mine(self) -> list[Any]:
        found = [one for one in self._instances() if one.task_id == self._only]
        return [one for one in found if self._index is None or one.map_index == self._index]

    def _schedule(self, schedulable: list[Any]) -> None:
        for instance in schedulable:
            if instance.state != "up_for_reschedule":
                instance.try_number += 1
            instance.state = "scheduled"
            instance.scheduled_dttm = datetime.now(UTC)
        self._session.flush()

    def _hand_out(self, instance: Any) -> dict[str, Any]:
        """Give a task to the session. It has this one try: whoever looks for an error wants to see it, not wait."""
        instance.state = "queued"
        instance.max_tries = 0
        self._session.flush()
        keys = ("id", "task_id", "dag_id", "run_id", "try_number", "map_index", "dag_version_id")
        found = {key: getattr(instance, key) for key in keys}
        return {
            "run": {key: str(value) if isinstance(value, UUID) else value for key, value in found.items()}
        }

    def _instances(self) -> list[Any]:
        from airflow.models.taskinstance import TaskInstance

        rows = self._session.query(TaskInstance).filter_by(dag_id=self._run.dag_id, run_id=self._run.run_id)
        order = {task_id: number for number, task_id in enumerate(self._dag.task_ids)}
        return sorted(rows, key=lambda one: (order.get(one.task_id, len(order)), one.map_index))

    def _instance(self, number: str) -> Any:
        from airflow.models.taskinstance import TaskInstance

        self._session.expire_all()
        return self._session.query(TaskInstance).filter_by(id=UUID(number)).one()


def _is_open(instance: Any) -> bool:
    return instance.state not in {"success", "failed", "skipped", "upstream_failed", "removed"}


def _is_due(instance: Any, session: Any) -> bool:
    """Tell whether a sensor that asked to be looked at later may be looked at now."""
    if instance.state != "up_for_reschedule":
        return True
    from airflow.models.taskreschedule import TaskReschedule

    row = (
        session.query(TaskReschedule).filter_by(ti_id=instance.id).order_by(TaskReschedule.id.desc()).first()
    )
    return row is None or row.reschedule_date <= datetime.now(UTC) + timedelta(milliseconds=1)


def _states(instances: list[Any]) -> list[tuple[str, int, str]]:
    return [(one.task_id, one.map_index, str(one.state or "")) for one in instances]


def prepare_database(source: str, file: Path) -> bool:
    """Make the private database; True when it holds the platform's history."""
    original = database.sqlite_file(source)
    return original is not None and database.copy_database(original, file)


def fill_database(source: str) -> None:
    """Make the tables; from a database server, bring along what tasks ask for by name."""
    from airflow.models import import_all_models
    from airflow.models.base import Base
    from airflow.models.pool import Pool
    from airflow.utils.db import synchronize_log_template
    from sqlalchemy import create_engine, insert, inspect, select

    settings: Any = importlib.import_module("airflow.settings")
    import_all_models()
    Base.metadata.create_all(settings.engine)
    if database.sqlite_file(source) is None:
        original = create_engine(source)
        known = set(inspect(original).get_table_names())
        with original.connect() as old, settings.engine.begin() as new:
            for name in ("connection", "variable", "slot_pool"):
                table = Base.metadata.tables[name]
                rows = [dict(row) for row in old.execute(select(table)).mappings()] if name in known else []
                if rows:
                    new.execute(insert(table), rows)
        original.dispose()
    session = settings.Session()
    synchronize_log_template(session=session)
    if not session.query(Pool).filter_by(pool="default_pool").count():
        session.add(Pool(pool="default_pool", slots=128, description="", include_deferred=False))
    session.commit()


def main() -> None:
    """Entry point: `FOLDER HANDLE`."""
    # Ctrl-C is for the process at the terminal; and imports leave nothing for the collector to find.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()
    folder, handle = Path(sys.argv[1]), int(sys.argv[2])
    source = os.environ[URL_VARIABLE]
    file = folder / "airflow.db"
    try:
        has_history = prepare_database(source, file)
        os.environ[URL_VARIABLE] = f"{database.SQLITE}{file}"
        if not has_history:
            fill_database(source)
        helper = Helper(file)
        gc.freeze()
        gc.enable()
        channel.serve(handle, helper.answer)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
