"""The task that moves an alias to a version, through the ledger, and only from where the gate saw it."""

from __future__ import annotations

from types import EllipsisType
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from airfoil.clients.claims import Claims
from airfoil.clients.exchange import Exchange
from airfoil.clients.ledger import Ledger
from airfoil.errors import ConfigurationError
from airfoil.provider.hooks.mlflow import MlflowHook
from airfoil.provider.mover import approver_of, dag_run_of, is_refused, key_of, who
from airfoil.provider.profiled_operator import ProfiledOperator
from airfoil.provider.record_inputs import model_ref, plain, record
from airfoil.provider.task_tracking import one_sentence
from airfoil.records import GateDecision, LedgerEntry

if TYPE_CHECKING:
    from airflow.sdk import Context


class PromoteModelOperator(ProfiledOperator):
    """Points an alias to a version and returns the entry of the ledger; a refused model is skipped.

    Where the decision was made against the holder of the same alias, the alias is moved only while that version holds
    it: who was compared is who is replaced. A retry finds its own entry and moves nothing twice.
    """

    template_fields = ("version", "alias", "because", "approval", "reason", "mlflow_conn_id")
    ui_color = "#d5e6f5"

    def __init__(
        self,
        *,
        version: Any,
        alias: str,
        because: Any = None,
        approval: Any = None,
        reason: str = "",
        mlflow_conn_id: str = MlflowHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        """Take the version, the alias, and why: a decision, a person's approval, words."""
        super().__init__(**kwargs)
        self.version = plain(version)
        self.alias = alias
        self.because = plain(because)
        self.approval = approval
        self.reason = reason
        self.mlflow_conn_id = mlflow_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Move the alias, or skip with the reason of whoever said no."""
        with one_sentence(), MlflowHook(self.mlflow_conn_id).http() as http:
            entry = http.do(self._move(context))
        self.log.info("%s@%s is version %s", entry.model, entry.alias, entry.to_version)
        return entry.to_json()

    def _move(self, context: Context) -> Exchange[LedgerEntry]:
        version = model_ref(self.version, "version")
        if version.version is None:
            raise ConfigurationError(
                f"{version.uri} is not registered, so no alias can point to it",
                "Hand on what `register` returns.",
            )
        decision = record(GateDecision, self.because, "because") if self.because is not None else None
        if decision and not decision.passed:
            raise AirflowSkipException(f"Not promoted: {decision.reason}")
        if is_refused(self.approval):
            raise AirflowSkipException(f"Not promoted: {approver_of(self.approval)} said no")
        return Ledger(Claims()).move(
            version.name,
            self.alias,
            version.version,
            expected=_expected(decision, f"{version.name}@{self.alias}"),
            who=who(context),
            reason=self.reason or (decision.reason if decision else ""),
            gate=decision,
            approver=approver_of(self.approval),
            dag_run=dag_run_of(context),
            key=key_of(context, version.name, self.alias, version.version),
        )


def _expected(decision: GateDecision | None, place: str) -> int | EllipsisType | None:
    """Return the version that was compared with; anything will do when none was."""
    for one in (decision, *decision.parts) if decision else ():
        if one.against == place:
            return one.against_version
    return ...
