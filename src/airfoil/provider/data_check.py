"""The base of operators that look at tables: open them, let a step measure and judge, write everything down.

The whole record goes to the task's work area and to its MLflow run; what travels through Airflow is the verdict. A
table that cannot be read is an error at once, and the verdict says so too. Must not know what is measured.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from airfoil.clients.table_sources import TableSource, open_tables
from airfoil.errors import ConfigurationError
from airfoil.provider.datasets import Dataset
from airfoil.provider.lineage import Claim, Lineage, Place
from airfoil.provider.table_inputs import address_of, assets_in, plain_data, table_source
from airfoil.provider.task_tracking import task_run
from airfoil.provider.verdict_operator import VerdictOperator, written
from airfoil.provider.work_area import work_area_of
from airfoil.records import DataVerdict
from airfoil.steps.scans import Scan

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.sdk import Context

    from airfoil.clients.task_run import MlflowRun
    from airfoil.provider.work_area import WorkArea

ERROR = "error"
"""The outcome of a check that could not look at its table."""


@dataclass(frozen=True)
class Finding:
    """What a check found out about a table, and what it makes of it."""

    passed: bool
    outcome: str
    reason: str
    rows: int
    record: Mapping[str, Any]
    """Everything, as JSON."""
    numbers: Mapping[str, float]
    claims: Sequence[Claim] = ()


class DataCheckOperator(VerdictOperator):
    """Looks at a table, and perhaps at others beside it; returns a DataVerdict.

    `dataset` is what the table is called in reports and verdicts.
    """

    check: ClassVar[Literal["quality", "drift", "anomalies"]]

    def __init__(self, *, data: Any, dataset: str | Dataset = "", **kwargs: Any) -> None:
        """Take the table."""
        super().__init__(**kwargs)
        self.data = plain_data(data)
        self.dataset = dataset.name if isinstance(dataset, Dataset) else dataset
        self.add_inlets(assets_in(data, dataset))

    def execute(self, context: Context) -> dict[str, Any]:
        """Open, measure, judge; write it down; act on it."""
        given = {name: getattr(self, name) for name in self.template_fields}
        with task_run(context, mlflow_conn_id=self.mlflow_conn_id, given=given) as opened:
            try:
                verdict = self._checked(opened.run, work_area_of(context))
            except ConfigurationError as error:
                self._tell(context, self._failure(error, opened.run))
                raise
        self._act(context, verdict)
        return verdict.to_json()

    @property
    def dag_file(self) -> str:
        """The file that the task is written in; relative paths begin there."""
        dag = self.get_dag()
        return dag.fileloc if dag else ""

    @abstractmethod
    def _tables(self) -> Mapping[str, Any]:
        """Return what is given for tables by argument; the first one is the table itself."""

    @abstractmethod
    def _settings(self) -> Any:
        """Return what is checked by; it is read before any table is."""

    @abstractmethod
    def _look(self, scans: Mapping[str, Scan], settings: Any, folder: Path) -> Finding:
        """Measure and judge; temporary files go into the folder."""

    def _checked(self, run: MlflowRun, work: WorkArea) -> DataVerdict:
        settings, sources = self._settings(), self._sources()
        with open_tables(list(sources.values()), folder=work.root) as tables:
            scans = [Scan.of_parquet(one.paths, one.name) for one in tables]
            finding = self._look(dict(zip(sources, scans, strict=True)), settings, work.root)
        self._lineage = Lineage([Place.of(one) for one in sources.values()], finding.claims)
        record = work.write_text(f"{self.check}.json", json.dumps(finding.record, ensure_ascii=False))
        run.log_artifact(work.path(f"{self.check}.json"))
        for argument, source in sources.items():
            use = "validation" if argument == "data" else "reference"
            run.log_dataset(source.called, address_of(source), context=use)
        verdict = DataVerdict(
            check=self.check,
            dataset=next(iter(sources.values())).called,
            passed=finding.passed,
            outcome=finding.outcome,
            reason=finding.reason,
            rows=finding.rows,
            numbers={"rows": finding.rows, **finding.numbers},
            record=record,
        )
        return written(run, verdict)

    def _sources(self) -> dict[str, TableSource]:
        found = {
            argument: table_source(given, argument, dag_file=self.dag_file)
            for argument, given in self._tables().items()
        }
        if self.dataset:
            found["data"] = replace(found["data"], name=self.dataset)
        return found

    def _failure(self, error: ConfigurationError, run: MlflowRun) -> DataVerdict:
        return DataVerdict(
            check=self.check,
            dataset=self.dataset or self.task_id,
            passed=False,
            outcome=ERROR,
            reason=error.in_full,
            run_id=run.id,
            run_url=run.url,
        )
