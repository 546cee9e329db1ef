"""The button from a task instance to its MLflow run, there while the task still runs.

Airflow asks for links when a task has ended; this one is written to XCom under Airflow's own key as soon as the run is
open. Must not ask MLflow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator


LINK_ATTRIBUTE = "mlflow_run_url"
"""Where an operator keeps the address of its run."""


class MlflowRunLink(BaseOperatorLink):
    """Leads from a task instance to its MLflow run."""

    @property
    def name(self) -> str:
        """What stands on the button."""
        return "MLflow run"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:
        """Return the address, which the operator knows once it has opened the run."""
        del ti_key
        return str(getattr(operator, LINK_ATTRIBUTE, "") or "")
