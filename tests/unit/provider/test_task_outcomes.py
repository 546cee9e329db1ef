"""Outcomes: what MLflow and Airflow are told, by the exception that a task's work came out with."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from airflow.sdk import timezone
from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSkipException,
    AirflowTaskTerminated,
    AirflowTaskTimeout,
    DownstreamTasksSkipped,
    TaskAwaitingInput,
    TaskDeferred,
)

from airfoil.errors import (
    ConfigurationError,
    InternalError,
    NotFoundError,
    ServiceAnswerError,
    ServiceRefusedError,
    ServiceUnreachableError,
)
from airfoil.provider.task_outcomes import Outcome, for_airflow, outcome_of

pytestmark = pytest.mark.unit

TRIGGER = SimpleNamespace(serialize=lambda: ("a.B", {}))


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (None, "FINISHED", ""),
        (DownstreamTasksSkipped(tasks=["a"]), "FINISHED", ""),
        (AirflowSkipException("no data"), "KILLED", "skipped: no data"),
        (AirflowSkipException(), "KILLED", "skipped"),
        (AirflowTaskTimeout("Timeout, PID: 1"), "KILLED", "it ran longer than its execution_timeout"),
        (AirflowTaskTerminated(), "KILLED", "stopped from outside"),
        (KeyboardInterrupt(), "KILLED", "stopped from outside"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_was_ended_on_purpose_is_killed_with_its_reason(error, status, reason):
    assert outcome_of(error) == Outcome(status, reason)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x"),
        AirflowFailException("no use"),
        SystemExit(3),
        asyncio.CancelledError(),
        MemoryError(),
        ConfigurationError("x"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_broke_failed_with_its_error(error):
    assert outcome_of(error) == Outcome("FAILED", error=error)


@pytest.mark.parametrize(
    "error",
    [
        TaskDeferred(trigger=TRIGGER, method_name="resume"),
        TaskAwaitingInput(method_name="resume"),
        AirflowRescheduleException(timezone.utcnow()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_goes_on_later_has_no_outcome(error):
    assert outcome_of(error) is None


@pytest.mark.parametrize("kind", [ConfigurationError, NotFoundError, ServiceRefusedError])
def test_what_another_try_cannot_mend_is_not_tried_again(kind):
    told = for_airflow(kind("The password is wrong.", "Correct it."))
    assert type(told) is AirflowFailException
    assert str(told) == "The password is wrong. Correct it."


@pytest.mark.parametrize("kind", [ServiceUnreachableError, ServiceAnswerError, InternalError])
def test_what_may_mend_itself_is_tried_again(kind):
    told = for_airflow(kind("It is away", details=["line"]))
    assert type(told) is kind
    assert str(told) == "It is away."
    assert told.details == ("line",)
