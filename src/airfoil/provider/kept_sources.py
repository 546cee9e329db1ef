"""Tidies up after a crawled source: its newest versions stay, and those that a deployed model has learned from.

Deployed is what an alias points to, or would after a rollback, so MLflow is asked, when there is something to remove.
Must not fail a run.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from airflow.sdk.exceptions import AirflowNotFoundException

from airfoil.clients.claims import Claims
from airfoil.clients.deployed_runs import deployed_runs
from airfoil.clients.kept_versions import OldVersions, SourceFolders
from airfoil.clients.ledger import Ledger
from airfoil.errors import AirfoilError
from airfoil.provider.hooks.mlflow import MlflowHook
from airfoil.provider.work_area import data_folder

KEPT_VERSIONS = 10
_DAY_SECONDS = 86_400.0
"""What changed since then may belong to a run that is not over."""

log = logging.getLogger(__name__)


def tidy_source(
    raw: Path,
    *,
    keep: int = KEPT_VERSIONS,
    mlflow_conn_id: str = MlflowHook.default_conn_name,
    clock: Callable[[], float] = time.time,
) -> OldVersions:
    """Remove old versions of the source that this file is a version of; return those that went."""
    name, before = raw.parent.name, clock() - _DAY_SECONDS
    folders = SourceFolders(raw.parent, data_folder("processed") / name, data_folder("model") / name)
    folders.remove_unfinished(before=before)
    old = folders.old(keep, before=before, needed={raw.name.partition(".")[0]})
    if old.copies:
        try:
            with MlflowHook(mlflow_conn_id).http() as http:
                old = old.without(http.do(deployed_runs(Ledger(Claims()))))
        except (AirfoilError, AirflowNotFoundException) as error:
            log.warning(
                "Old versions of %s stay for now: which of them are deployed is not known: %s", name, error
            )
            return OldVersions()
    folders.remove(old)
    if old.versions or old.copies:
        log.info(
            "Removed of %s: %d old versions, %d copies of models", name, len(old.versions), len(old.copies)
        )
    return old
