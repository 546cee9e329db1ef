"""The sensor that waits for an alias of a model: until it exists, stands at a version, or has left one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator, PokeReturnValue
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowFailException

from airfoil.provider.hooks.mlflow import MlflowHook
from airfoil.provider.task_tracking import one_sentence
from airfoil.provider.triggers.model_alias import AwaitedAlias, ModelAliasTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context


class ModelAliasSensor(BaseSensorOperator):
    """Waits for an alias and returns the version it points to, as a ModelRef.

    Without `version` and `moved_from` it waits until somebody holds the alias. Deferrable: it then holds no worker.
    """

    template_fields = ("model", "alias", "version", "moved_from", "mlflow_conn_id")
    ui_color = "#e8e2f4"

    def __init__(
        self,
        *,
        model: str,
        alias: str,
        version: int | str | None = None,
        moved_from: int | str | None = None,
        mlflow_conn_id: str = MlflowHook.default_conn_name,
        deferrable: bool | None = None,
        **kwargs: Any,
    ) -> None:
        """Take what is waited for; `deferrable` is Airflow's own default unless it is given."""
        super().__init__(**kwargs)
        self.model = model
        self.alias = alias
        self.version = version
        self.moved_from = moved_from
        self.mlflow_conn_id = mlflow_conn_id
        self.deferrable = (
            conf.getboolean("operators", "default_deferrable", fallback=False)
            if deferrable is None
            else deferrable
        )

    def execute(self, context: Context) -> Any:
        """Look once; then wait in the triggerer, or here."""
        if not self.deferrable:
            return super().execute(context)
        found = self.poke(context)
        if found:
            return found.xcom_value
        awaited = self._awaited()
        return self.defer(
            trigger=ModelAliasTrigger(
                model=awaited.model,
                alias=awaited.alias,
                version=awaited.version,
                moved_from=awaited.moved_from,
                mlflow_conn_id=self.mlflow_conn_id,
                poll_seconds=self.poke_interval,
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=self.timeout),
        )

    def poke(self, context: Context) -> PokeReturnValue:
        """Ask once."""
        del context
        with one_sentence(), MlflowHook(self.mlflow_conn_id).http() as http:
            found = http.do(self._awaited().look())
        return PokeReturnValue(is_done=found is not None, xcom_value=found.to_json() if found else None)

    def execute_complete(self, context: Context, event: Mapping[str, Any]) -> Any:
        """Return what the trigger saw; waiting for what can never be is a failure that no retry mends."""
        del context
        if "error" in event:
            raise AirflowFailException(event["error"])
        return event["version"]

    def _awaited(self) -> AwaitedAlias:
        return AwaitedAlias(self.model, self.alias, _number(self.version), _number(self.moved_from))


def _number(value: int | str | None) -> int | None:
    """Return a version that may have come from a template."""
    return None if value is None or value in {"", "None"} else int(value)
