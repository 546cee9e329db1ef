"""What a DAG file writes: nothing is read while it is parsed, and Airflow can keep it."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from airflow.sdk import DAG, AsyncCallback, DeadlineReference, task
from airflow.serialization.serialized_objects import DagSerialization

import airfoil
from airfoil.errors import ConfigurationError
from airfoil.provider.notifications.alert import AlertNotifier

pytestmark = pytest.mark.unit


def test_an_alert_is_a_notifier_with_its_words():
    made = airfoil.alert("Ask {{ dag.owner }}", to=["a@example.com", "b@example.com"])
    assert isinstance(made, AlertNotifier)
    assert (made.text, made.to) == ("Ask {{ dag.owner }}", "a@example.com,b@example.com")
    assert airfoil.alert(to="a@example.com").to == "a@example.com"


def test_a_deadline_calls_the_notifier_in_the_triggerer():
    made = airfoil.within(15, airfoil.alert("late!", to=["a@example.com"]))
    assert made.interval == timedelta(minutes=15)
    assert made.reference == DeadlineReference.DAGRUN_QUEUED_AT
    assert isinstance(made.callback, AsyncCallback)
    assert made.callback.path == "airfoil.provider.notifications.alert.AlertNotifier"
    assert made.callback.kwargs == {"text": "late!", "to": "a@example.com"}
    assert hash(made) == hash(airfoil.within(15, airfoil.alert("late!", to="a@example.com")))


def test_a_deadline_after_another_beginning():
    made = airfoil.within(minutes=5, after=DeadlineReference.DAGRUN_LOGICAL_DATE)
    assert made.reference == DeadlineReference.DAGRUN_LOGICAL_DATE
    assert made.callback.kwargs == {"text": "", "to": ""}


@pytest.mark.parametrize("minutes", [0, -1, math.nan])
def test_a_deadline_in_the_past_is_refused(minutes):
    with pytest.raises(ConfigurationError, match="within"):
        airfoil.within(minutes)


def test_a_dag_with_both_survives_serialization():
    alerts = {"on_failure_callback": airfoil.alert(), "deadline": airfoil.within(15)}
    with DAG("churn", schedule=None, **alerts) as dag:

        @task(on_failure_callback=airfoil.alert("{{ ti.task_id }}"))
        def train():
            """Do nothing."""

        train()
    again = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    assert again.task_ids == ["train"]
    assert again.has_on_failure_callback
