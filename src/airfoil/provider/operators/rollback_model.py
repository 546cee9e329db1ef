"""The task that moves an alias back to the version that held it before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airfoil.clients.claims import Claims
from airfoil.clients.ledger import Ledger
from airfoil.provider.hooks.mlflow import MlflowHook
from airfoil.provider.mover import approver_of, dag_run_of, key_of, who
from airfoil.provider.profiled_operator import ProfiledOperator
from airfoil.provider.task_tracking import one_sentence

if TYPE_CHECKING:
    from airflow.sdk import Context


class RollbackModelOperator(ProfiledOperator):
    """Moves an alias back to the nearest earlier version that still exists, and returns the entry of the ledger."""

    template_fields = ("model", "alias", "reason", "approval", "mlflow_conn_id")
    ui_color = "#f5dcd5"

    def __init__(
        self,
        *,
        model: str,
        alias: str,
        reason: str,
        approval: Any = None,
        mlflow_conn_id: str = MlflowHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        """Take the alias, and why it goes back."""
        super().__init__(**kwargs)
        self.model = model
        self.alias = alias
        self.reason = reason
        self.approval = approval
        self.mlflow_conn_id = mlflow_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Move it back; a retry finds its own entry."""
        with one_sentence(), MlflowHook(self.mlflow_conn_id).http() as http:
            entry = http.do(
                Ledger(Claims()).rollback(
                    self.model,
                    self.alias,
                    reason=self.reason,
                    approver=approver_of(self.approval),
                    key=key_of(context, self.model, self.alias),
                    who=who(context),
                    dag_run=dag_run_of(context),
                )
            )
        self.log.info("%s@%s is back at version %s", entry.model, entry.alias, entry.to_version)
        return entry.to_json()
