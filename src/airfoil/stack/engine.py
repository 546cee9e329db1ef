"""How services are started: forked from one pre-loaded parent, or each by itself, and why.

Must not start anything, and must not import what it asks the version of.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal, NamedTuple

from airfoil.stack import machine, versions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airfoil.settings import Settings

AIRFLOW = "apache-airflow-core"


class Choice(NamedTuple):
    """The engine, the reason, and what everybody should be told about it."""

    engine: Literal["preloaded", "plain"]
    reason: str
    notice: str = ""


def choose(settings: Settings, requirements: Iterable[str] | None = None) -> Choice:
    """Choose by the settings, the system, and whether this Airflow is one that was tested."""
    asked = settings.stack.engine
    if asked == "plain":
        return Choice("plain", '[stack] engine = "plain": each component starts by itself, unmodified')
    if settings.airflow.url:
        return Choice("plain", "Airflow is not started here, so there is nothing to share memory with")
    tested = versions.untested(AIRFLOW, machine.own_requirements() if requirements is None else requirements)
    strange = f"Airflow {versions.installed().airflow} is not one this release was tested with ({tested})"
    if asked == "preloaded":
        notice = f'{strange}, and [stack] engine = "preloaded" forces it into one parent.' if tested else ""
        return Choice("preloaded", '[stack] engine = "preloaded"', notice)
    if sys.platform != "linux":
        return Choice("plain", f"forking loaded libraries is not safe on {sys.platform}")
    if tested:
        return Choice(
            "plain",
            f"{strange}, so nothing of ours goes into it",
            f"{strange}: its components run unmodified (slower to start, more memory).",
        )
    return Choice("preloaded", "Linux and a tested Airflow: services are forked from one pre-loaded parent")
