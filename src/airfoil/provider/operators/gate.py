"""The task that decides whether a model may go on, and acts on it: skip what follows, branch, fail, or only say so.

What is good enough is said by gates and judged in airfoil.steps.gates; here the champion is looked up, the verdict is
written down, and Airflow is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from airflow.sdk import BranchMixIn
from airflow.sdk.exceptions import AirflowFailException
from pydantic import ValidationError

from airfoil.clients.champions import champion, gate_tag
from airfoil.clients.claims import Claims
from airfoil.clients.verdicts import Verdict, keep_verdict
from airfoil.errors import ConfigurationError
from airfoil.provider.assets import ModelAlias, model_and_alias
from airfoil.provider.hooks.mlflow import MlflowHook
from airfoil.provider.links.mlflow_run import MlflowRunLink
from airfoil.provider.mover import dag_run_of
from airfoil.provider.profiled_operator import ProfiledOperator
from airfoil.provider.record_inputs import comparison, model_ref, plain, record
from airfoil.provider.task_tracking import task_run
from airfoil.records import Comparison, GateDecision, Scores
from airfoil.steps.gates import Gate, judge, judge_all

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airfoil.clients.mlflow_http import MlflowHttp

WhenRejected = Literal["skip", "fail", "continue"]


class GateOperator(ProfiledOperator, BranchMixIn):
    """Judges scores by one or several gates, all of which must pass; returns a GateDecision.

    `scores` is Scores, or a Comparison of two models on the same rows. `better_than` is who has to be beaten: the alias
    of a model, whose holder's recorded scores count, or Scores. When the model is rejected, the tasks directly
    downstream are skipped, the task fails, or all goes on (`when_rejected`); with `accepted_task_ids` or
    `rejected_task_ids` it branches instead.
    """

    template_fields = ("scores", "gates", "better_than", "model", "candidate", "mlflow_conn_id")
    inherits_from_skipmixin = True
    operator_extra_links = (MlflowRunLink(),)
    ui_color = "#d7ecd9"

    def __init__(  # noqa: PLR0913 - what an operator takes, each by its name
        self,
        *,
        scores: Any,
        gates: Sequence[Gate | Mapping[str, Any]],
        better_than: Any = None,
        model: str = "",
        candidate: Any = None,
        when_rejected: WhenRejected = "skip",
        accepted_task_ids: Sequence[str] = (),
        rejected_task_ids: Sequence[str] = (),
        mlflow_conn_id: str = MlflowHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        """Check the gates as far as they are known while the DAG file is parsed."""
        super().__init__(**kwargs)
        self.scores = plain(scores)
        self.gates = plain([_checked(gate) for gate in gates])
        self.better_than = better_than.uri if isinstance(better_than, ModelAlias) else plain(better_than)
        self.model = model
        self.candidate = plain(candidate)
        self.when_rejected = when_rejected
        self.accepted_task_ids = list(accepted_task_ids)
        self.rejected_task_ids = list(rejected_task_ids)
        self.mlflow_conn_id = mlflow_conn_id
        if not self.gates:
            raise ConfigurationError(
                "A gate without a condition lets everything through", "Give it a `metric`."
            )

    def execute(self, context: Context) -> dict[str, Any]:
        """Judge, write the verdict down, act on it."""
        with task_run(context, mlflow_conn_id=self.mlflow_conn_id) as opened:
            with MlflowHook(self.mlflow_conn_id).http() as http:
                decision = self._decide(http, comparison(self.scores))
                self._write_down(http, context, decision, opened.run.id)
            opened.run.set_tags(_tags(decision))
        if decision.passed:
            self.log.info("Accepted: %s", decision.reason)
        else:
            self.log.warning("Rejected: %s", decision.reason)
        self._act(context, decision)
        return decision.to_json()

    def _decide(self, http: MlflowHttp, measured: Comparison) -> GateDecision:
        rival, against = measured.champion, measured.against or "the champion"
        version = measured.against_version
        if isinstance(self.better_than, str):
            name, alias = model_and_alias(self.better_than)
            holder = http.do(champion(name, alias))
            against = f"{name}@{alias}"
            version = holder.ref.version if holder else None
            if measured.champion is None:
                rival = holder.scores if holder else None
        elif self.better_than is not None:
            rival, against = (
                record(Scores, self.better_than, "better_than"),
                measured.against or "the baseline",
            )
        gates = [_gate(one) for one in self.gates]
        return judge_all(
            [
                judge(
                    gate,
                    measured.scores,
                    rival,
                    interval=measured.gains.get(gate.metric),
                    against=against,
                    against_version=version,
                )
                for gate in gates
            ]
        )

    def _write_down(self, http: MlflowHttp, context: Context, decision: GateDecision, run_id: str) -> None:
        model = self.model or (
            model_and_alias(self.better_than)[0] if isinstance(self.better_than, str) else ""
        )
        if model:
            verdict = Verdict(
                model=model,
                at=datetime.now(UTC),
                decision=decision,
                candidate=model_ref(self.candidate, "candidate") if self.candidate else None,
                run_id=run_id,
                dag_run=dag_run_of(context),
            )
            http.do(keep_verdict(Claims(), verdict))

    def _act(self, context: Context, decision: GateDecision) -> None:
        # What skips or fails ends the task before Airflow would push what it returns.
        context["ti"].xcom_push("return_value", decision.to_json())
        if self.accepted_task_ids or self.rejected_task_ids:
            self.do_branch(context, self.accepted_task_ids if decision.passed else self.rejected_task_ids)
        elif not decision.passed and self.when_rejected == "fail":
            raise AirflowFailException(f"Rejected: {decision.reason}")
        elif not decision.passed and self.when_rejected == "skip":
            followers = context["task"].get_direct_relatives(upstream=False)
            self.skip(context["ti"], [task for task in followers if not task.is_teardown])


def _tags(decision: GateDecision) -> dict[str, str]:
    """Return what the MLflow run of the gate says, in words and whole."""
    return {
        "airfoil.gate.outcome": decision.outcome,
        "airfoil.gate.reason": decision.reason,
        **gate_tag(decision),
    }


def _checked(gate: Gate | Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a gate as JSON; what a template will fill in is checked when it is filled in."""
    given = gate.model_dump(exclude_defaults=True) if isinstance(gate, Gate) else dict(gate)
    if not any(isinstance(value, str) and "{" in value for value in given.values()):
        _gate(given)
    return given


def _gate(given: Mapping[str, Any]) -> Gate:
    try:
        return Gate.from_json(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise ConfigurationError(
            f"The gate means nothing: {f'{where}: ' if where else ''}{said}",
            "The conditions of a gate are listed in docs/gates.md.",
        ) from error
