"""Alerts as functions for DAG files: `on_failure_callback=alert()`, `deadline=within(minutes=15)`.

Nothing is read or sent while a file is parsed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

# airflow.sdk offers them too, and its types do not say so.
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from airfoil.errors import ConfigurationError
from airfoil.provider.notifications.alert import AlertNotifier

if TYPE_CHECKING:
    from airflow.sdk.definitions.deadline import BaseDeadlineReference


def alert(text: str = "", *, to: str | Sequence[str] = ()) -> AlertNotifier:
    """Return a callback that tells people by mail and in a chat what happened, with `text` added.

    For a DAG (once for each run) or a task (once for each failed run, too). `to` gets the mail instead of those that
    the platform names.
    """
    return AlertNotifier(text, to if isinstance(to, str) else ",".join(to))


def within(
    minutes: float,
    alert: AlertNotifier | None = None,
    *,
    after: BaseDeadlineReference | None = None,
) -> DeadlineAlert:
    """Return a deadline for a DAG: people are told when a run is not done this many minutes after it was queued.

    `after` is another beginning, one of Airflow's DeadlineReference. The run itself goes on.
    """
    if not minutes > 0:
        raise ConfigurationError(f"A run cannot be done within {minutes} minutes", "Give a number above 0.")
    told = alert or AlertNotifier()
    # Airflow hashes these values: text, not lists.
    callback = AsyncCallback(AlertNotifier, kwargs={"text": told.text, "to": told.to})
    return DeadlineAlert(
        reference=after or DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(minutes=minutes),
        callback=callback,
        name=f"within {minutes:g} min",
    )
