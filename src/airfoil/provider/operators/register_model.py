"""The task that makes a version of a registered model out of a logged one: once, however often it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from airfoil.clients.champions import gate_tag
from airfoil.clients.claims import Claims
from airfoil.clients.registration import register
from airfoil.provider.hooks.mlflow import MlflowHook
from airfoil.provider.mover import dag_run_of
from airfoil.provider.profiled_operator import ProfiledOperator
from airfoil.provider.record_inputs import model_ref, plain, record
from airfoil.provider.task_tracking import one_sentence
from airfoil.records import GateDecision, ModelRef

if TYPE_CHECKING:
    from airflow.sdk import Context


class RegisterModelOperator(ProfiledOperator):
    """Registers a ModelRef under a name and returns the version as a ModelRef; a refused model is skipped.

    A retry, a clear and a second worker get the same version: it is one for each name and logged model.
    """

    template_fields = ("model", "name", "when", "tags", "mlflow_conn_id")
    ui_color = "#d5e6f5"

    def __init__(
        self,
        *,
        model: Any,
        name: str,
        when: Any = None,
        tags: Mapping[str, str] | None = None,
        mlflow_conn_id: str = MlflowHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        """Take the model, its name, and the decision that has to let it in."""
        super().__init__(**kwargs)
        self.model = plain(model)
        self.name = name
        self.when = plain(when)
        self.tags = dict(tags or {})
        self.mlflow_conn_id = mlflow_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Register, or skip with the gate's reason."""
        with one_sentence(), MlflowHook(self.mlflow_conn_id).http() as http:
            source = model_ref(self.model)
            decision = record(GateDecision, self.when, "when") if self.when is not None else None
            if decision and not decision.passed:
                raise AirflowSkipException(f"Not registered: {decision.reason}")
            tags = {"airfoil.dag_run": dag_run_of(context), **self.tags}
            tags |= gate_tag(decision) if decision else {}
            made = http.do(register(Claims(), self.name, source, tags=tags))
        self.log.info("%s is version %d of %s", source.uri, made.version, made.name)
        uri = f"models:/{made.name}/{made.version}"
        return ModelRef(name=made.name, uri=uri, run_id=source.run_id, version=made.version).to_json()
