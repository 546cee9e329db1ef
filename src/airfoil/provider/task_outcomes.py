"""How a task ended, as MLflow and as Airflow are told: from the exception that its work came out with.

MLflow knows FINISHED, FAILED (something broke, or the author says so) and KILLED (it was ended on purpose: skipped,
stopped by a limit or by a person). A task that is put aside and will go on later has no outcome yet.
"""

from __future__ import annotations

from dataclasses import dataclass

from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSkipException,
    AirflowTaskTerminated,
    AirflowTaskTimeout,
    DagRunTriggerException,
    DownstreamTasksSkipped,
    TaskAwaitingInput,
    TaskDeferred,
)

from airfoil.errors import AirfoilError, ConfigurationError, ServiceRefusedError

FINISHED, FAILED, KILLED = "FINISHED", "FAILED", "KILLED"


@dataclass(frozen=True)
class Outcome:
    """The status of a run, with the error of one that failed or the reason of one that was ended on purpose."""

    status: str
    reason: str = ""
    error: BaseException | None = None


def outcome_of(error: BaseException | None) -> Outcome | None:
    """Return what a run is closed with; None when the task will go on later, and its run stays open."""
    if isinstance(error, TaskDeferred | TaskAwaitingInput | AirflowRescheduleException):
        return None
    if error is None or isinstance(error, DownstreamTasksSkipped | DagRunTriggerException):
        return Outcome(FINISHED)
    if isinstance(error, AirflowSkipException):
        return Outcome(KILLED, f"skipped: {error}" if str(error) else "skipped")
    if isinstance(error, AirflowTaskTimeout):
        return Outcome(KILLED, "it ran longer than its execution_timeout")
    if isinstance(error, AirflowTaskTerminated | KeyboardInterrupt):
        return Outcome(KILLED, "stopped from outside")
    # A task that calls sys.exit() is a failed one to Airflow as well.
    return Outcome(FAILED, error=error)


def for_airflow(error: AirfoilError) -> Exception:
    """Return an error of ours as Airflow should see it: one sentence with the next move, retried where that can help.

    A login that is refused stays refused, and so does a request that makes no sense.
    """
    if isinstance(error, ConfigurationError | ServiceRefusedError):
        return AirflowFailException(error.in_full)
    return type(error)(error.in_full, error.next_move, details=error.details)
