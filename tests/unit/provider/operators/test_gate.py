"""The gate as a task: who is compared, where the verdict is written, and what becomes of those who come after."""

from __future__ import annotations

import json

import pytest
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException, DownstreamTasksSkipped
from airflow.serialization.serialized_objects import DagSerialization

from airfoil.clients.champions import gate_tag
from airfoil.clients.claims import Claims
from airfoil.clients.exchange import API, post
from airfoil.clients.verdicts import verdicts
from airfoil.errors import ConfigurationError
from airfoil.provider.assets import Model
from airfoil.provider.hooks.mlflow import MlflowHook
from airfoil.provider.operators.gate import GateOperator
from airfoil.records import Comparison, GainInterval, GateDecision, ModelRef, Scores
from airfoil.steps.gates import Gate

pytestmark = pytest.mark.unit
GOOD, BAD = (Scores(values={"accuracy": value}, rows=45).to_json() for value in (0.95, 0.5))
FLOOR = {"metric": "accuracy", "at_least": 0.9}
CHAMPION = Model("wine").at("champion")


def gate(scores=GOOD, gates=(FLOOR,), **given):
    with DAG("wine_weekly", schedule=None):
        task = GateOperator(task_id="gate", scores=scores, gates=list(gates), **given)
        task >> [EmptyOperator(task_id="register"), EmptyOperator(task_id="retrain")]
    return task


@pytest.fixture
def champion(registry):
    """Version 1 of wine is the champion, let in with an accuracy of 0.9."""
    registry.add_versions("wine", 1)
    decision = GateDecision(passed=True, metric="accuracy", value=0.9, rows=45, reason="good")
    registry.version("wine")["tags"] = gate_tag(decision)
    registry.point("wine", 1)
    return registry


def test_a_good_model_goes_on(registry, run):
    decision = GateDecision.from_json(run(gate()))
    assert (decision.passed, decision.reason) == (True, "accuracy is 0.95 on 45 rows; at least 0.9 is needed")
    assert registry.registered == {}


def test_a_rejected_model_skips_what_comes_next_and_leaves_its_reason(registry, run, context):
    with pytest.raises(DownstreamTasksSkipped) as skipped:
        run(gate(BAD))
    assert set(skipped.value.tasks) == {"register", "retrain"}
    assert "at least 0.9 is needed" in context["ti"].pushed["return_value"]["reason"]


def test_the_verdict_stands_on_the_mlflow_run_of_the_gate_which_ends_well(registry, run):
    run(gate(BAD, when_rejected="continue"))
    child = next(one for one in registry.runs.values() if "airfoil.gate.outcome" in one["tags"])
    assert child["tags"]["airfoil.gate.outcome"] == "failed"
    assert "at least 0.9 is needed" in child["tags"]["airfoil.gate.reason"]
    assert child["info"]["status"] == "FINISHED"


def test_a_rejected_model_may_fail_or_go_on(registry, run, context):
    with pytest.raises(AirflowFailException, match=r"Rejected: accuracy is 0.5 on 45 rows"):
        run(gate(BAD, when_rejected="fail"))
    assert context["ti"].pushed["return_value"]["passed"] is False
    assert run(gate(BAD, when_rejected="continue"))["passed"] is False


@pytest.mark.parametrize(("scores", "skipped"), [(GOOD, "retrain"), (BAD, "register")])
def test_it_branches_where_it_is_told_to(registry, run, scores, skipped):
    with pytest.raises(DownstreamTasksSkipped) as caught:
        run(gate(scores, accepted_task_ids=["register"], rejected_task_ids=["retrain"]))
    assert caught.value.tasks == [(skipped, -1)]


def test_the_champion_has_to_be_beaten(champion, run):
    better = {"metric": "accuracy", "min_gain": 0.04}
    decision = GateDecision.from_json(run(gate(gates=[better], better_than=CHAMPION)))
    assert (decision.baseline, decision.against, decision.against_version) == (0.9, "wine@champion", 1)
    assert decision.reason == (
        "accuracy is 0.95 on 45 rows; at least 0.94 is needed, for wine@champion (version 1) has 0.9"
    )
    with pytest.raises(DownstreamTasksSkipped):
        run(gate(gates=[better | {"min_gain": 0.06}], better_than=CHAMPION))


def test_the_first_model_has_nobody_to_beat(registry, run):
    decision = GateDecision.from_json(run(gate(gates=[{**FLOOR, "min_gain": 0}], better_than=CHAMPION)))
    assert (decision.outcome, decision.against_version) == ("no_champion", None)


def test_a_champion_is_known_by_what_its_run_logged_too(champion, run):
    version = champion.version("wine")
    version["tags"] = {}
    metric = {"run_id": version["run_id"], "key": "accuracy", "value": 0.93, "timestamp": 1, "step": 0}
    with champion.http() as http:
        http.do(post(f"{API}/runs/log-metric", metric))
    decision = run(gate(gates=[{"metric": "accuracy", "min_gain": 0}], better_than=CHAMPION))
    assert decision["baseline"] == 0.93


def test_two_models_on_the_same_rows_are_compared_without_asking_anybody(registry, run):
    measured = Comparison(
        scores=Scores.from_json(GOOD),
        champion=Scores(values={"accuracy": 0.94}, rows=45),
        against="wine@champion",
        against_version=3,
        gains={"accuracy": GainInterval(low=-0.02, high=0.04, confidence=0.95)},
    )
    decision = run(gate(measured, [{"metric": "accuracy", "confidence": 0.95}], when_rejected="continue"))
    assert decision["outcome"] == "failed"
    assert decision["against_version"] == 3
    assert "between -0.02 and 0.04" in decision["reason"]


def test_any_other_scores_may_be_what_has_to_be_beaten(registry, run):
    decision = run(gate(gates=[{"metric": "accuracy", "fewer_errors": "0.5"}], better_than=BAD))
    assert decision["needed"] == 0.75
    assert decision["against"] == "the baseline"


def test_verdicts_are_kept_by_model_and_a_retry_adds_none(champion, run):
    candidate = ModelRef(name="forest", uri="models:/m-1", run_id="r1")
    for _ in range(2):
        run(gate(gates=[FLOOR], better_than=None, model="wine", candidate=candidate))
    run(gate(BAD, gates=[FLOOR], model="wine", when_rejected="continue"))
    with MlflowHook().http() as http:
        bad, good = http.do(verdicts(Claims(), "wine"))
    assert (bad.decision.passed, good.decision.passed) == (False, True)
    assert (good.candidate, good.dag_run) == (candidate, "wine_weekly/manual__1")


@pytest.mark.parametrize(
    ("gates", "said"),
    [
        ([], "lets everything through"),
        ([{"metric": "accuracy"}], "asks nothing of accuracy"),
        ([{"metric": "accuracy", "at_leest": 1}], "at_leest"),
        ([{"metric": "speed", "min_gain": 0}], "higher_is_better"),
        ([{"at_least": 1}], "metric"),
    ],
)
def test_a_gate_that_means_nothing_is_refused_while_parsing(gates, said):
    with pytest.raises(ConfigurationError, match=said):
        gate(gates=gates)


def test_what_a_template_fills_in_is_checked_when_it_runs(registry, run):
    task = gate(gates=[{"metric": "accuracy", "at_least": "{{ params.floor }}"}])
    task.gates[0]["at_least"] = "a lot"
    with pytest.raises(AirflowFailException, match="at_least"):
        run(task)


@pytest.mark.parametrize("scores", [None, 3, "good", {"values": {}}, {"scores": {}}, []])
def test_what_is_no_scores_is_said(registry, run, scores):
    with pytest.raises(AirflowFailException, match="'scores'"):
        run(gate(scores))


def test_it_survives_serialization():
    made = gate(gates=[Gate(metric="accuracy", at_least=0.9)], better_than=CHAMPION)
    stored = json.loads(json.dumps(DagSerialization.to_dict(made.dag)))
    back = DagSerialization.from_dict(stored).get_task("gate")
    assert (back.gates, back.better_than) == ([{"metric": "accuracy", "at_least": 0.9}], CHAMPION.uri)
