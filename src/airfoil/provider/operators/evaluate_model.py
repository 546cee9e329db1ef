"""The task that measures a model on data, and beside it the one it would replace, on the same rows.

Measuring is done in airfoil.steps.measures; whether the numbers are good enough is a gate's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from airfoil.clients.champions import Champion, champion
from airfoil.clients.model_loading import load_model
from airfoil.clients.object_store import FolderStore
from airfoil.errors import ConfigurationError
from airfoil.provider.assets import ModelAlias, model_and_alias
from airfoil.provider.evaluation_log import Evaluation, log_evaluation
from airfoil.provider.hooks.mlflow import MlflowHook
from airfoil.provider.links.mlflow_run import MlflowRunLink
from airfoil.provider.profiled_operator import ProfiledOperator
from airfoil.provider.record_inputs import model_ref, plain, record
from airfoil.provider.task_tracking import task_run
from airfoil.records import Comparison, DataRef, ModelRef, Scores
from airfoil.steps.evaluation import evaluate_classifier, evaluate_regressor
from airfoil.steps.measures import compare

if TYPE_CHECKING:
    import pandas as pd
    from airflow.sdk import Context

    from airfoil.clients.mlflow_http import MlflowHttp


class EvaluateModelOperator(ProfiledOperator):
    """Predicts a column of a table with a logged model, and returns a Comparison: scores, and gains over a champion.

    Every column but the target may be used; a model that knows its features gets those. Models are loaded from safe
    formats only; `trusted_types` widens what a skops file may hold. Charts of the model's errors, and the numbers
    behind them as `evaluation.json`, go to the MLflow run of the task.
    """

    template_fields = ("model", "data", "target", "against", "mlflow_conn_id")
    operator_extra_links = (MlflowRunLink(),)
    ui_color = "#f3ead0"

    def __init__(
        self,
        *,
        model: Any,
        data: Any,
        target: str,
        kind: Literal["classification", "regression"] = "classification",
        against: Any = None,
        confidence: float = 0.95,
        trusted_types: Sequence[str] = (),
        mlflow_conn_id: str = MlflowHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        """Take model, data and the column to be predicted."""
        super().__init__(**kwargs)
        self.model = plain(model)
        self.data = plain(data)
        self.target = target
        self.kind = kind
        self.against = against.uri if isinstance(against, ModelAlias) else against
        self.confidence = confidence
        self.trusted_types = list(trusted_types)
        self.mlflow_conn_id = mlflow_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Load, predict, measure, and log the scores to the MLflow run of this task."""
        with task_run(context, mlflow_conn_id=self.mlflow_conn_id) as opened:
            found, evaluation = self._measure(model_ref(self.model), self._table())
            opened.run.log_metrics(evaluation.scores.values)
            log_evaluation(opened.run, evaluation)
            if found.champion is not None:
                theirs = found.champion.to_json()["values"]
                opened.run.log_metrics({f"champion_{metric}": value for metric, value in theirs.items()})
        return found.to_json()

    def _measure(self, candidate: ModelRef, table: pd.DataFrame) -> tuple[Comparison, Evaluation]:
        features = table.drop(columns=self.target)
        with MlflowHook(self.mlflow_conn_id).http() as http:
            model = load_model(http, candidate.uri, trusted_types=self.trusted_types)
            ours = model.predict(features)
            rival, name = self._champion(http)
            theirs = self._rivals(http, rival, features) if rival else None
        found = compare(
            table[self.target],
            ours,
            theirs,
            task=self.kind,
            against=name,
            confidence=self.confidence,
        )
        if rival:
            # One that cannot predict here is there all the same: nothing is known about it, and nobody passes.
            known = found.champion or Scores(values={}, rows=found.scores.rows)
            found = found.model_copy(update={"champion": known, "against_version": rival.ref.version})
        self.log.info("%s on %d rows: %s", candidate.uri, found.scores.rows, dict(found.scores.values))
        if self.kind == "regression":
            return found, evaluate_regressor(table[self.target], ours)
        labels, shares = model.probabilities(features) or ((), None)
        return found, evaluate_classifier(table[self.target], ours, shares, labels=labels)

    def _table(self) -> pd.DataFrame:
        table = FolderStore(Path()).read(record(DataRef, self.data, "data")).to_pandas()
        if self.target not in table:
            raise ConfigurationError(
                f"The data has no column '{self.target}'", f"There are: {', '.join(map(str, table.columns))}."
            )
        return table

    def _rivals(self, http: MlflowHttp, rival: Champion, features: pd.DataFrame) -> Any:
        """Return what the champion predicts, or None when it was made for other data or cannot be loaded safely."""
        try:
            return load_model(http, rival.ref.uri, trusted_types=self.trusted_types).predict(features)
        except (ConfigurationError, KeyError, ValueError) as error:
            self.log.warning("%s cannot be compared on this data: %s", rival.ref.uri, error)
            return None

    def _champion(self, http: MlflowHttp) -> tuple[Champion | None, str]:
        if self.against is None:
            return None, ""
        name, alias = model_and_alias(self.against)
        return http.do(champion(name, alias)), f"{name}@{alias}"
