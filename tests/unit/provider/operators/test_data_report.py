"""One page of all that was found, whatever became of the checks, and what is decided by it."""

from __future__ import annotations

import json

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException
from airflow.serialization.serialized_objects import DagSerialization
from tests.unit.provider.operators.tables import rides, work, write

from airfoil.clients.claims import Claims
from airfoil.clients.dataset_verdicts import dataset_verdicts
from airfoil.clients.object_store import read_text
from airfoil.errors import StorageError
from airfoil.provider.datasets import Dataset
from airfoil.provider.operators.anomaly import AnomalyOperator
from airfoil.provider.operators.data_quality import DataQualityOperator
from airfoil.provider.operators.data_report import DataReportOperator
from airfoil.provider.operators.drift import DriftOperator
from airfoil.records import DataVerdict
from airfoil.steps.report import DatasetReport

__all__ = ["work", "write"]
pytestmark = pytest.mark.unit
CONTRACT = {"columns": {"fare": {"type": "number", "at_least": 0}}}


@pytest.fixture
def checks(registry, run, write):
    """What the four checks say about a table."""
    january = write("january", rides(1))

    def look(columns):
        table = write("t", columns)
        told = {"data": table, "dataset": "rides", "when_failed": "continue"}
        compared = told | {"reference": january, "plan": {"without": ["id"]}}
        schema, content = (
            run(DataQualityOperator(task_id=part, part=part, contract=CONTRACT, **told))
            for part in ("schema", "content")
        )
        return {
            "quality": [schema, content],
            "drift": run(DriftOperator(task_id="drift", **compared)),
            "anomalies": run(AnomalyOperator(task_id="anomalies", **compared)),
        }

    return look


def report(**given):
    return DataReportOperator(task_id="report", dataset="rides", **given)


def history(registry):
    with registry.http() as http:
        return http.do(dataset_verdicts(Claims(), "rides"))


def test_a_dataset_that_passes_has_its_page_and_tells_those_who_wait(registry, run, context, checks, work):
    verdict = DataVerdict.from_json(run(report(**checks(rides(2)))))
    assert (verdict.check, verdict.dataset, verdict.outcome, verdict.rows) == (
        "report",
        "rides",
        "passed",
        1000,
    )
    assert {"failed_checks", "drifted_columns", "anomaly_rate", "rows"} <= set(verdict.numbers)
    whole = DatasetReport.from_json(read_text(verdict.record))
    assert {one.check for one in whole.quality.checks} == {"rows", "column", "type", "range"}
    assert whole.run_url == verdict.run_url
    (page,) = work.rglob("report.html")
    assert "rides" in page.read_text()
    stored = {name.rpartition("/")[2] for name in registry.artifacts}
    assert {"report.html", "report.json", "drift.json"} <= stored
    assert context["outlet_events"][Dataset("rides")].extra["passed"] is True
    assert context["ti"].pushed["airfoil_report"] == f"{verdict.run_url}/artifacts/report.html"


def test_a_dataset_that_does_not_fails_the_task_with_the_reason(registry, run, context, checks):
    with pytest.raises(AirflowFailException, match="rides failed"):
        run(report(**checks(rides(2, dearer=2.0))))
    verdict = DataVerdict.from_json(context["ti"].pushed["return_value"])
    assert verdict.outcome == "failed"
    (kept,) = history(registry)
    assert (kept.passed, kept.run_id, kept.dag_run) == (False, verdict.run_id, "wine_weekly/manual__1")
    assert kept.outcomes["drift"] == "drifted"


def test_a_task_that_is_tried_again_is_one_verdict_of_the_history(registry, run, checks):
    found = checks(rides(2))
    run(report(**found))
    run(report(**found))
    assert len(history(registry)) == 1


def test_a_table_that_could_not_be_read_has_a_page_that_says_so(
    registry, run, context, write, work, tmp_path
):
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(AirflowFailException):
        run(DataQualityOperator(task_id="schema", data=str(tmp_path / "cut.parquet"), contract=CONTRACT))
    broken = context["ti"].pushed["return_value"]
    task = report(quality=[broken, broken], drift={}, anomalies={})
    task.quality, task.drift, task.anomalies = [broken, None], None, None
    with pytest.raises(AirflowFailException, match=r"cut\.parquet"):
        run(task)
    (page,) = work.rglob("report.html")
    assert "damaged or was cut short" in page.read_text()
    (kept,) = history(registry)
    assert kept.outcomes == {"quality": "error", "drift": "error", "anomalies": "error"}


def test_a_part_that_nobody_asked_for_is_not_missed(registry, run, checks):
    found = checks(rides(2))
    assert run(report(drift=found["drift"]))["passed"]


def test_nothing_at_all_does_not_pass(registry, run):
    with pytest.raises(AirflowFailException, match="nothing was checked"):
        run(report())


def test_a_record_that_somebody_changed_is_not_believed(registry, run, checks, work):
    found = checks(rides(2))
    for file in work.rglob("drift.json"):
        file.write_text("{}")
    with pytest.raises(StorageError, match="is not what was written there"):
        run(report(**found))


def test_what_is_no_verdict_is_said(registry, run):
    with pytest.raises(AirflowFailException, match="'drift' should be DataVerdict"):
        run(report(drift={"passed": True}))


def test_openlineage_sees_the_dataset_come_out(registry, run, checks):
    task = report(**checks(rides(2)))
    run(task)
    assert [one.name for one in task._lineage.outputs] == ["dataset/rides"]


def test_it_survives_serialization_and_always_runs():
    with DAG("one", schedule=None) as dag:
        DataReportOperator(task_id="report", dataset=Dataset("rides", "s3://lake/rides"), quality={})
    back = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag)))).get_task(
        "report"
    )
    assert (back.trigger_rule, back.quality) == ("all_done", {})
    assert dag.get_task("report").outlets == [Dataset("rides", "s3://lake/rides")]
