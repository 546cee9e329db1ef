"""What a task does with a verdict about features: says it, hands it on, and fails when it is told to."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Literal

from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airfoil.steps.feature_checks import OnlineVerdict, StoreVerdict

log = logging.getLogger(__name__)


def act_on(
    context: Context, verdict: StoreVerdict | OnlineVerdict, when_failed: Literal["fail", "continue"]
) -> dict[str, Any]:
    """Return a verdict as JSON, or fail for good with its reason: trying again would find the same."""
    found = verdict.to_json()
    if verdict.passed:
        log.info("Passed: %s", verdict.reason)
        return found
    log.warning("Failed: %s", verdict.reason)
    if when_failed == "fail":
        # What fails ends the task before Airflow would push what it returns.
        context["ti"].xcom_push("return_value", found)
        raise AirflowFailException(verdict.reason)
    return found
