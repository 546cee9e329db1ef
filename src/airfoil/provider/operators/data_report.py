"""The task that makes one page of all that was found out about a dataset, and says whether it can be trusted.

What the page shows is drawn in airfoil.steps.report; what checks said comes through XCom, what they found from the work
area. It runs whatever became of the checks: a table that could not be read has a page too, which says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airfoil.clients.claims import Claims
from airfoil.clients.dataset_verdicts import dataset_verdicts, keep_dataset_verdict
from airfoil.clients.object_store import read_text
from airfoil.provider.alert_story import REPORT_KEY
from airfoil.provider.data_check import ERROR
from airfoil.provider.datasets import Dataset
from airfoil.provider.hooks.mlflow import MlflowHook
from airfoil.provider.lineage import Lineage, Place
from airfoil.provider.mover import dag_run_of
from airfoil.provider.record_inputs import plain, record
from airfoil.provider.task_tracking import task_run
from airfoil.provider.verdict_operator import VerdictOperator, written
from airfoil.provider.work_area import work_area_of
from airfoil.records import DataVerdict, QualityReport
from airfoil.steps.anomaly.report import AnomalyReport, AnomalyVerdict
from airfoil.steps.drift.report import DriftReport, DriftVerdict
from airfoil.steps.quality.verdict import join
from airfoil.steps.report import DatasetReport, render_page

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airfoil.clients.task_run import MlflowRun
    from airfoil.provider.work_area import WorkArea

PARTS = ("quality", "drift", "anomalies")
PAGE, RECORD = "report.html", "report.json"
_NOT_RUN = "it was not looked at, because a task before it failed or was skipped"


class DataReportOperator(VerdictOperator):
    """Puts what checks of a dataset found on one HTML page and decides about the dataset; returns a DataVerdict.

    `quality`, `drift` and `anomalies` are verdicts of the operators of these names, `quality` several of them where the
    contract was asked in parts. All that was asked for has to pass; what did not run does not. When it passes, the
    asset `Dataset(dataset)` is updated.
    """

    template_fields = ("quality", "drift", "anomalies", "mlflow_conn_id")
    ui_color = "#f7f3c9"

    def __init__(
        self,
        *,
        dataset: str | Dataset,
        quality: Any = None,
        drift: Any = None,
        anomalies: Any = None,
        trigger_rule: str = "all_done",
        **kwargs: Any,
    ) -> None:
        """Take the dataset's name and the verdicts about it."""
        super().__init__(trigger_rule=trigger_rule, **kwargs)
        made = dataset if isinstance(dataset, Dataset) else Dataset(dataset)
        self.dataset = made.name
        self.quality = plain(quality)
        self.drift = plain(drift)
        self.anomalies = plain(anomalies)
        # What is None later was asked for all the same: its task has said nothing.
        self._asked = [part for part in PARTS if getattr(self, part) is not None]
        self.add_outlets([made])

    def execute(self, context: Context) -> dict[str, Any]:
        """Read what was found, draw the page, keep the verdict, act on it."""
        given = {name: getattr(self, name) for name in self.template_fields}
        with task_run(context, mlflow_conn_id=self.mlflow_conn_id, given=given) as opened:
            found = {part: list(_verdicts(part, getattr(self, part))) for part in self._asked}
            report = self._report(context, found, opened.run)
            with MlflowHook(self.mlflow_conn_id).http() as http:
                history = http.do(dataset_verdicts(Claims(), self.dataset))
                page = render_page(report, history)
                verdict = _write_down(report, page, opened.run, work_area_of(context))
                http.do(keep_dataset_verdict(Claims(), report.verdict(verdict.run_id)))
        context["ti"].xcom_push(key=REPORT_KEY, value=f"{verdict.run_url}/artifacts/{PAGE}")
        self._lineage = Lineage(outputs=[Place.of_dataset(self.dataset)])
        self._act(context, verdict)
        return verdict.to_json()

    def _report(
        self, context: Context, found: Mapping[str, Sequence[DataVerdict | None]], run: MlflowRun
    ) -> DatasetReport:
        """Read the whole records of the checks."""
        whole = {
            part: [_record(one) for one in verdicts if one and one.record] for part, verdicts in found.items()
        }
        quality = [QualityReport.from_json(one["report"]) for one in whole.get("quality", [])]
        drift, anomalies = (next(iter(whole.get(part, [])), None) for part in ("drift", "anomalies"))
        return DatasetReport(
            dataset=self.dataset,
            at=datetime.now(UTC),
            dag_run=dag_run_of(context),
            run_url=run.url,
            quality=join(quality) if quality else None,
            drift=DriftReport.from_json(drift["report"]) if drift else None,
            drift_verdict=DriftVerdict.from_json(drift["verdict"]) if drift else None,
            anomalies=AnomalyReport.from_json(anomalies["report"]) if anomalies else None,
            anomaly_verdict=AnomalyVerdict.from_json(anomalies["verdict"]) if anomalies else None,
            not_measured=_lacks(found),
        )


def _verdicts(part: str, given: Any) -> Iterator[DataVerdict | None]:
    """Give the verdicts of a part; None for one whose task has said nothing."""
    is_several = isinstance(given, Sequence) and not isinstance(given, str | bytes)
    for one in given if is_several else [given]:
        yield None if one is None else record(DataVerdict, one, part)


def _lacks(found: Mapping[str, Sequence[DataVerdict | None]]) -> dict[str, str]:
    """Say why parts were not looked at, or not wholly; what stopped one has kept the tasks after it from running."""
    errors = {
        part: one.reason
        for part, verdicts in found.items()
        for one in verdicts
        if one and one.outcome == ERROR
    }
    first = next(iter(errors.values()), _NOT_RUN)
    gone = {part: first for part, verdicts in found.items() if None in verdicts or not verdicts}
    return gone | errors


def _record(verdict: DataVerdict) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(read_text(verdict.record)) if verdict.record else {}
    return found


def _write_down(report: DatasetReport, page: str, run: MlflowRun, work: WorkArea) -> DataVerdict:
    """Put page and record into the work area and into the task's MLflow run."""
    ref = work.write_text(RECORD, json.dumps(report.to_json(), ensure_ascii=False))
    work.write_text(PAGE, page)
    for name in (PAGE, RECORD):
        run.log_artifact(work.path(name))
    verdict = DataVerdict(
        check="report",
        dataset=report.dataset,
        passed=report.passed,
        outcome="passed" if report.passed else "failed",
        reason=report.reason,
        rows=report.rows,
        numbers=report.numbers,
        record=ref,
    )
    return written(run, verdict)
