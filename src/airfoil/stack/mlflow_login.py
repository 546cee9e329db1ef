"""The file from which MLflow's basic auth reads where its users are kept and what they may do.

It holds no password: the administrator's travels in the environment (see `services`). Written only when asked for.
"""

from __future__ import annotations

import configparser
import io
from typing import TYPE_CHECKING

from airfoil.stack.storage import write_private

if TYPE_CHECKING:
    from pathlib import Path

    from airfoil.settings import Settings
    from airfoil.stack.project import Project

CACHE_SECONDS = 60
"""Each check of a password costs 50 ms of hashing; a changed one is noticed this much later."""


def login_file(project: Project) -> Path:
    """Where the MLflow server looks for it."""
    return project.mlflow_home / "auth.ini"


def database_url(settings: Settings, project: Project) -> str:
    """Say where the logins are kept."""
    return settings.mlflow.auth_database or f"sqlite:///{project.mlflow_home / 'auth.db'}"


def write(settings: Settings, project: Project) -> None:
    """Write the file if the server asks for a login."""
    if not settings.mlflow.auth:
        return
    users = database_url(settings, project)
    parser = configparser.ConfigParser()
    parser["mlflow"] = {
        "default_permission": "READ",
        "database_uri": users.replace("%", "%%"),
        "auth_cache_ttl_seconds": str(CACHE_SECONDS),
    }
    text = io.StringIO()
    parser.write(text)
    write_private(login_file(project), text.getvalue())
