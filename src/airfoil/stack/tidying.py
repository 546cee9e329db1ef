"""Starts the process that removes what nobody needs any more, and knows how long each part is kept.

The work is done in airfoil.runtime.tidying, by Airflow's and MLflow's own means.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from airfoil.errors import ConfigurationError, ServiceAnswerError, redact
from airfoil.stack.services import mlflow_database_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airfoil.settings import Settings
    from airfoil.stack.project import Project

KEPT_DAYS = {"airflow": 90, "mlflow": 30, "work": 7, "logs": 30}
"""For how many days each part is kept."""
MODULE = "airfoil.runtime.tidying"


def tidy(
    project: Project,
    settings: Settings,
    environment: Mapping[str, str],
    part: str,
    days: float,
    *,
    dry_run: bool = False,
) -> dict[str, int]:
    """Remove what is older than so many days, and return what went; `environment` is the platform's."""
    _refuse_foreign(settings, part)
    stores = {
        "MLFLOW_BACKEND_STORE_URI": mlflow_database_url(settings, project),
        "MLFLOW_ARTIFACTS_DESTINATION": settings.mlflow.artifacts or str(project.artifacts),
    }
    done = subprocess.run(
        [sys.executable, "-m", MODULE, part, "--days", f"{days:g}", *(["--dry-run"] if dry_run else [])],
        env={**os.environ, **environment, **stores},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise ServiceAnswerError(
            f"Tidying up {part} ended with code {done.returncode}: {redact(last)[:500]}",
            "What was removed is gone, the rest is as it was; try again, or look with `airfoil doctor`.",
        )
    return {str(name): int(count) for name, count in json.loads(done.stdout.splitlines()[-1]).items()}


def _refuse_foreign(settings: Settings, part: str) -> None:
    """Refuse what somebody else looks after."""
    url = settings.mlflow.url if part == "mlflow" else settings.airflow.url
    if url:
        name = "MLflow" if part == "mlflow" else "Airflow"
        raise ConfigurationError(
            f"{name} at {redact(url)} is not ours to tidy up.", "Do it where that server runs."
        )
