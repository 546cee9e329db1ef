"""The task that asks a model for predictions right after it was deployed, in a process that knows nothing of its past.

A model that does not answer is taken back: the alias goes to where it was. Whether predictions are good was a gate's
business before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airfoil.clients.claims import Claims
from airfoil.clients.ledger import Ledger
from airfoil.clients.model_endpoints import Predictions
from airfoil.errors import AirfoilError, ConfigurationError, InternalError, MovedMeanwhileError, NotFoundError
from airfoil.provider.deployed_model import deployed_entry, endpoint_of, known_rows
from airfoil.provider.hooks.mlflow import MlflowHook
from airfoil.provider.mover import dag_run_of, key_of, who
from airfoil.provider.profiled_operator import ProfiledOperator
from airfoil.provider.record_inputs import plain
from airfoil.provider.task_tracking import one_sentence

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airfoil.clients.mlflow_http import MlflowHttp
    from airfoil.clients.mlflow_server import MlflowServer
    from airfoil.clients.model_endpoints import ModelEndpoint
    from airfoil.records import LedgerEntry


class SmokeTestOperator(ProfiledOperator):
    """Asks `models:/NAME@ALIAS` about a few rows in a fresh process, and returns what it said.

    `deployed` is what `promote` returned, `data` a table with the column `target`, which is left out. When the model
    cannot be loaded or cannot predict, the alias goes back through the ledger and the task fails.
    """

    template_fields = ("deployed", "data", "target", "mlflow_conn_id")
    ui_color = "#d5e6f5"

    def __init__(
        self,
        *,
        deployed: Any,
        data: Any,
        target: str,
        rows: int = 5,
        trusted_types: Sequence[str] = (),
        mlflow_conn_id: str = MlflowHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        """Take the move of the alias, and rows to ask about."""
        super().__init__(**kwargs)
        self.deployed = plain(deployed)
        self.data = plain(data)
        self.target = target
        self.rows = rows
        self.trusted_types = list(trusted_types)
        self.mlflow_conn_id = mlflow_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Ask; take the model back when there is no usable answer."""
        with one_sentence(), MlflowHook(self.mlflow_conn_id).http() as http:
            entry = deployed_entry(self.deployed)
            rows, _ = known_rows(self.data, self.target, self.rows)
            try:
                answer = self.endpoint(http.server).predict(entry.model, entry.alias, rows)
                _check(answer, entry, len(rows))
            except MovedMeanwhileError:
                raise
            except (ConfigurationError, InternalError) as error:
                self._take_back(http, context, entry, error)
                # It is gone from where it was asked: trying again would ask another one.
                raise ConfigurationError(error.message, error.next_move) from error
        self.log.info(
            "%s@%s is version %d and says %s", answer.model, answer.alias, answer.version, answer.predictions
        )
        return answer.to_json()

    def endpoint(self, server: MlflowServer) -> ModelEndpoint:
        """Return who is asked."""
        return endpoint_of(server, self.trusted_types)

    def _take_back(self, http: MlflowHttp, context: Context, entry: LedgerEntry, error: AirfoilError) -> None:
        """Move the alias back to where it was, unless somebody moved it since; a first one goes away."""
        place = f"{entry.model}@{entry.alias}"
        move = Ledger(Claims()).move(
            entry.model,
            entry.alias,
            entry.from_version,
            expected=entry.to_version,
            who=who(context),
            kind="remove" if entry.from_version is None else "rollback",
            reason=f"the smoke test failed: {error.message}",
            dag_run=dag_run_of(context),
            key=key_of(context, place, entry.number),
        )
        try:
            http.do(move)
        except (MovedMeanwhileError, NotFoundError) as refusal:
            self.log.warning("%s is left where it is: %s", place, refusal)
        else:
            self.log.warning("%s is back at version %s", place, entry.from_version or "none")


def _check(answer: Predictions, entry: LedgerEntry, count: int) -> None:
    place = f"{entry.model}@{entry.alias}"
    if answer.version != entry.to_version:
        raise MovedMeanwhileError(
            f"{place} is version {answer.version} by now, not {entry.to_version}: somebody moved it",
            f"See `airfoil models history {entry.model}`.",
        )
    if len(answer.predictions) != count or any(one is None or one != one for one in answer.predictions):  # noqa: PLR0124 - NaN alone is not itself
        raise ConfigurationError(
            f"{place} (version {answer.version}) was asked about {count} rows and said {answer.predictions!r:.100}",
            "Train it again; the smoke test of the model's own code tells more.",
        )
