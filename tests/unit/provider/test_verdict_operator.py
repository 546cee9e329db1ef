"""What a verdict does to the tasks around it, and who is told of it."""

from __future__ import annotations

import pytest
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException, DownstreamTasksSkipped
from airflow.sdk.execution_time.context import OutletEventAccessors

from airfoil.clients.testing import fake_mlflow_run
from airfoil.errors import ConfigurationError
from airfoil.provider.datasets import Dataset
from airfoil.provider.verdict_operator import VerdictOperator, written
from airfoil.records import DataVerdict

pytestmark = pytest.mark.unit
GOOD = DataVerdict(check="quality", dataset="trips", passed=True, outcome="passed", reason="fine", rows=3)
BAD = GOOD.model_copy(update={"passed": False, "outcome": "failed", "reason": "3 of 9 broke it"})


class Told(VerdictOperator):
    """Says what it was told to say."""

    def __init__(self, *, verdict, **kwargs):
        super().__init__(**kwargs)
        self.verdict = verdict

    def execute(self, context):
        self._act(context, self.verdict)


@pytest.fixture
def run(make_context):
    """Run one before two others, one of which cleans up; the context it ran in."""

    def execute(verdict, **given):
        with DAG("shop", schedule=None):
            told = Told(task_id="told", verdict=verdict, **given)
            told >> [EmptyOperator(task_id="next"), EmptyOperator(task_id="end").as_teardown()]
        context = make_context(task_id="told")
        context |= {"task": told, "outlet_events": OutletEventAccessors()}
        made.append(context)
        told.execute(context)
        return context

    made = []
    execute.contexts = made
    return execute


def test_a_good_table_goes_on(run):
    assert run(GOOD)["ti"].pushed["return_value"] == GOOD.to_json()


def test_a_bad_table_fails_the_task_and_is_not_tried_again(run):
    with pytest.raises(AirflowFailException, match="3 of 9 broke it"):
        run(BAD)
    assert run.contexts[0]["ti"].pushed["return_value"]["passed"] is False


def test_a_bad_table_skips_what_comes_next_but_not_what_cleans_up(run):
    with pytest.raises(DownstreamTasksSkipped) as skipped:
        run(BAD, when_failed="skip")
    assert skipped.value.tasks == ["next"]


def test_a_bad_table_may_go_on(run):
    assert run(BAD, when_failed="continue")["ti"].pushed["return_value"]["outcome"] == "failed"


def test_the_event_of_a_dataset_has_the_verdict(run):
    trips = Dataset("trips")
    context = run(BAD, when_failed="continue", outlets=[trips])
    assert context["outlet_events"][trips].extra["reason"] == "3 of 9 broke it"


def test_what_no_task_can_do_is_refused_at_once():
    with pytest.raises(ConfigurationError, match="when_failed is 'stop'"):
        Told(task_id="told", verdict=GOOD, when_failed="stop")


def test_the_mlflow_run_has_the_verdict_in_numbers_and_words():
    run = fake_mlflow_run()
    verdict = written(run, BAD.model_copy(update={"numbers": {"failed_checks": 1.0}}))
    assert (verdict.run_id, verdict.run_url, verdict.reason) == (run.id, run.url, BAD.reason)
    assert run.metrics == {"failed_checks": 1.0}
    tags = run.server.runs[run.id]["tags"]
    assert (tags["airfoil.data.dataset"], tags["airfoil.data.outcome"]) == ("trips", "failed")
