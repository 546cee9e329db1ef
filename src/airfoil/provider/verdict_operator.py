"""The base of operators that come to a verdict about a dataset, and how Airflow is told of it.

The verdict itself is a value; here alone it becomes a task that fails, what follows being skipped, or neither. Must not
measure or judge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

from airflow.sdk import SkipMixin
from airflow.sdk.exceptions import AirflowFailException

from airfoil.errors import ConfigurationError
from airfoil.provider.datasets import Dataset
from airfoil.provider.hooks.mlflow import MlflowHook
from airfoil.provider.lineage import Lineage, openlineage
from airfoil.provider.links.mlflow_run import MlflowRunLink
from airfoil.provider.profiled_operator import ProfiledOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airfoil.clients.task_run import MlflowRun
    from airfoil.records import DataVerdict

WhenFailed = Literal["fail", "skip", "continue"]


class VerdictOperator(ProfiledOperator, SkipMixin):
    """Acts on a DataVerdict that is no pass: the task fails, what is directly downstream is skipped, or all goes on."""

    inherits_from_skipmixin = True
    operator_extra_links = (MlflowRunLink(),)

    def __init__(
        self,
        *,
        when_failed: WhenFailed = "fail",
        mlflow_conn_id: str = MlflowHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        """Take what becomes of a dataset that does not pass."""
        super().__init__(**kwargs)
        if when_failed not in get_args(WhenFailed):
            raise ConfigurationError(
                f"when_failed is '{when_failed}', which is nothing a task can do",
                f"Take one of {', '.join(get_args(WhenFailed))}.",
            )
        self.when_failed = when_failed
        self.mlflow_conn_id = mlflow_conn_id
        self._lineage: Lineage | None = None

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:  # noqa: ARG002 - Airflow's signature
        """Tell OpenLineage what was read and what holds of it, where Airflow's provider for it is installed."""
        return openlineage(self._lineage)

    def get_openlineage_facets_on_failure(self, task_instance: Any) -> Any:
        """Tell the same when the task fails, which is what a bad table may make it do."""
        return self.get_openlineage_facets_on_complete(task_instance)

    def _tell(self, context: Context, verdict: DataVerdict) -> None:
        """Hand the verdict on, also to the events of datasets that the task updates.

        What skips or fails ends the task before Airflow would push what it returns.
        """
        context["ti"].xcom_push("return_value", verdict.to_json())
        for dataset in (one for one in self.outlets if isinstance(one, Dataset)):
            context["outlet_events"][dataset].extra |= verdict.to_json()

    def _act(self, context: Context, verdict: DataVerdict) -> None:
        self._tell(context, verdict)
        if verdict.passed:
            self.log.info("Passed: %s", verdict.reason)
            return
        self.log.warning("Not passed: %s", verdict.reason)
        if self.when_failed == "fail":
            raise AirflowFailException(verdict.reason)
        if self.when_failed == "skip":
            followers = context["task"].get_direct_relatives(upstream=False)
            self.skip(context["ti"], [task for task in followers if not task.is_teardown])


def written(run: MlflowRun, verdict: DataVerdict) -> DataVerdict:
    """Write a verdict on the MLflow run of its task; return it with the run that holds it."""
    run.log_metrics(verdict.numbers)
    run.set_tags(
        {f"airfoil.data.{name}": getattr(verdict, name) for name in ("dataset", "outcome", "reason")}
    )
    run.flush()  # the run may be superseded meanwhile
    return verdict.model_copy(update={"run_id": run.id, "run_url": run.url})
