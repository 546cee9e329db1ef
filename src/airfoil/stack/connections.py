"""The Airflow connections and variables that follow from the settings, as files `airflow ... import` reads.

Pure but for the two files, which may hold passwords and so are 0600.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airfoil.stack.storage import write_private

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from airfoil.settings import Settings
    from airfoil.stack.project import Project


MANAGED = ("mlflow_default", "feast_default", "aws_default", "smtp_default")
"""The names of `connections`: what Airfoil makes, and keeps up to date until a person changes it."""


def connections(
    settings: Settings, project: Project, environment: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """Name -> connection, for the servers that the stack starts or is told of in its environment."""
    url = environment["MLFLOW_TRACKING_URI"]
    parts = urlsplit(url)
    mlflow: dict[str, Any] = {
        "conn_type": "mlflow",
        "description": "The MLflow server of this project",
        "host": f"{parts.scheme}://{parts.hostname}",
        "port": parts.port,
    }
    if settings.mlflow.url:
        mlflow |= {"host": url, "port": None}
    if "MLFLOW_TRACKING_USERNAME" in environment:
        mlflow["login"] = environment["MLFLOW_TRACKING_USERNAME"]
        mlflow["password"] = environment.get("MLFLOW_TRACKING_PASSWORD", "")
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


def write(settings: Settings, project: Project, environment: Mapping[str, str]) -> None:
    """Write both files."""
    found = connections(settings, project, environment)
    write_private(connections_file(project), json.dumps(found, indent=1, sort_keys=True))
    variables = {"airfoil_project": settings.project.name}
    write_private(variables_file(project), json.dumps(variables, indent=1, sort_keys=True))


def connections_file(project: Project) -> Path:
    """Where `setup` finds the connections."""
    return project.run / "connections.json"


def variables_file(project: Project) -> Path:
    """Where `setup` finds the variables."""
    return project.run / "variables.json"
