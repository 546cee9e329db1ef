"""How many alerts a DAG may send in an hour: people who get a hundred mails read none.

One small file for each alert that was sent, in a folder that all workers of one machine see. What is held back is
counted, and the next alert that goes out says how many there were. Where no file can be made, everything is sent.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from airfoil.errors import AirfoilError
from airfoil.provider.work_area import folder_name, shared_folder
from airfoil.steps.alerts import Alert

MOST_AN_HOUR = 12
"""Unless `[airfoil] alert_most_an_hour` says otherwise."""
_HOUR_SECONDS = 3600.0
_SENT, _HELD = "sent", "held"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Admission:
    """Whether an alert may go out, and how many did not since the last one."""

    allowed: bool
    held_back: int = 0
    mark: Path = Path()


def most_an_hour() -> int:
    """Return how many alerts a DAG may send in an hour; what is no number is as if it were not said."""
    from airflow.sdk.configuration import conf

    given = str(conf.get("airfoil", "alert_most_an_hour", fallback="") or "").strip()
    if given and not (given.isdecimal() and int(given) > 0):
        log.warning("[airfoil] alert_most_an_hour is %r, which is no number from 1: %d", given, MOST_AN_HOUR)
        return MOST_AN_HOUR
    return int(given or MOST_AN_HOUR)


def admit(dag_id: str, *, most: int, clock: Callable[[], float] = time.time) -> Admission:
    """Count an alert of a DAG among those of the last hour, and say whether it may go out."""
    try:
        folder = shared_folder("alerts") / folder_name(dag_id)
        folder.mkdir(parents=True, exist_ok=True)
        now = clock()
        if len(_recent(folder, now)) >= most:
            _mark(folder, _HELD, now)
            return Admission(allowed=False)
        held = list(folder.glob(f"{_HELD}-*"))
        for one in held:
            one.unlink(missing_ok=True)
        return Admission(allowed=True, held_back=len(held), mark=_mark(folder, _SENT, now))
    except (OSError, AirfoilError) as error:
        log.info("How many alerts %s has sent is not known here: %s", dag_id, error)
        return Admission(allowed=True)


def take_back(admission: Admission) -> None:
    """Count an alert no longer that reached nobody."""
    if admission.mark != Path():
        with suppress(OSError):
            admission.mark.unlink()


def with_held_back(alert: Alert, count: int, *, most: int) -> Alert:
    """Return an alert that says how many before it were held back."""
    if not count:
        return alert
    told = f"{count} alerts of this DAG before this one were held back, at most {most} an hour are sent."
    return alert.model_copy(update={"text": f"{alert.text}\n{told}".strip()})


def _recent(folder: Path, now: float) -> list[Path]:
    """Return the marks of the last hour, and remove older ones."""
    found = []
    for mark in folder.glob(f"{_SENT}-*"):
        try:
            at = float(mark.name.split("-")[1])
        except ValueError:
            at = 0.0
        if now - at < _HOUR_SECONDS:
            found.append(mark)
        else:
            mark.unlink(missing_ok=True)
    return found


def _mark(folder: Path, kind: str, now: float) -> Path:
    mark = folder / f"{kind}-{now:.3f}-{uuid.uuid4().hex[:8]}"
    mark.touch()
    return mark
