"""A task leaves its reason where an alert will ask for it, nowhere else, and never fails over it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import airfoil
from airfoil.provider.alert_story import FAILURE_KEY
from airfoil.provider.listeners.task_failures import TaskFailureListener, is_asked_for

pytestmark = pytest.mark.unit


def instance(callbacks, push=None):
    pushed = {}
    task = SimpleNamespace(dag=SimpleNamespace(on_failure_callback=callbacks))
    return SimpleNamespace(
        task=task, pushed=pushed, xcom_push=push or (lambda key, value: pushed.update({key: value}))
    )


def hear(ti, error):
    TaskFailureListener().on_task_instance_failed("running", ti, error)
    return ti.pushed


@pytest.mark.parametrize("callbacks", [airfoil.alert(), [print, airfoil.alert()]])
def test_the_reason_is_left_for_an_alert(callbacks):
    assert hear(instance(callbacks), ValueError("no rows")) == {FAILURE_KEY: "ValueError: no rows"}


@pytest.mark.parametrize("callbacks", [None, [], print, [print]])
def test_nobody_asks(callbacks):
    assert not is_asked_for(SimpleNamespace(on_failure_callback=callbacks))
    assert hear(instance(callbacks), ValueError("no rows")) == {}


def test_nothing_is_left_of_nothing():
    assert hear(instance(airfoil.alert()), None) == {}
    assert hear(SimpleNamespace(pushed={}), ValueError("a task instance of the ORM has no task")) == {}


def test_an_airflow_that_does_not_answer_changes_nothing():
    def push(key, value):
        raise RuntimeError("API_SERVER_ERROR")

    assert hear(instance(airfoil.alert(), push), ValueError("no rows")) == {}
