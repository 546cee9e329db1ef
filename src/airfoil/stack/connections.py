"""The Airflow connections and variables that follow from the settings, as files `airflow ... import` reads.

Pure but for the two files, which may hold passwords and so are 0600.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airfoil.stack.storage import write_private

if TYPE_CHECKING:
    from pathlib import Path

    from airfoil.settings import Settings
    from airfoil.stack.project import Project
    from airfoil.stack.secrets import Secrets


def connections(
    settings: Settings, project: Project, secrets: Secrets, mlflow_url: str
) -> dict[str, dict[str, Any]]:
    """Name -> connection, for the servers this stack starts."""
    parts = urlsplit(mlflow_url)
    mlflow: dict[str, Any] = {
        "conn_type": "mlflow",
        "description": "The MLflow server of this project",
        "host": f"{parts.scheme}://{parts.hostname}",
        "port": parts.port,
    }
    if settings.mlflow.auth:
        mlflow |= {"login": "admin", "password": secrets.mlflow_admin_password}
    return {
        "mlflow_default": mlflow,
        "feast_default": {
            "conn_type": "feast",
            "description": "The feature repository of this project",
            "host": str(project.root / settings.feast.repo),
        },
        "aws_default": {
            "conn_type": "aws",
            "description": "Credentials and region come from the environment until they are set here",
        },
        "smtp_default": {
            "conn_type": "smtp",
            "description": "A mail server on this machine; set host, login and password for a real one",
            "host": "localhost",
            "port": 25,
            "extra": {"from_email": "airfoil@localhost", "disable_ssl": "true", "disable_tls": "true"},
        },
    }


def write(settings: Settings, project: Project, secrets: Secrets, mlflow_url: str) -> None:
    """Write both files."""
    found = connections(settings, project, secrets, mlflow_url)
    write_private(connections_file(project), json.dumps(found, indent=1, sort_keys=True))
    variables = {"airfoil_project": settings.project.name}
    write_private(variables_file(project), json.dumps(variables, indent=1, sort_keys=True))


def connections_file(project: Project) -> Path:
    """Where `setup` finds the connections."""
    return project.run / "connections.json"


def variables_file(project: Project) -> Path:
    """Where `setup` finds the variables."""
    return project.run / "variables.json"
