"""The Airflow connections and variables that follow from the settings, as files `airflow ... import` reads.

Pure but for the two files, which may hold passwords and so are 0600.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from airfoil.stack.lifecycle_variables import lifecycle_variables
from airfoil.stack.storage import write_private

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from airfoil.settings import Settings
    from airfoil.stack.project import Project


MANAGED = ("mlflow_default", "feast_default", "aws_default", "smtp_default", "alerts_webhook")
"""The names of `connections`: what Airfoil makes, and keeps up to date until a person changes it."""
_MAIL_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


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
        "smtp_default": _mail_server(settings),
        "alerts_webhook": _webhook(settings),
    }


def _mail_server(settings: Settings) -> dict[str, Any]:
    """Return the way of outgoing mail, as Airflow's smtp provider reads it."""
    given, sender = settings.alerts.smtp, settings.alerts.mail_from
    if not given:
        return {
            "conn_type": "smtp",
            "description": "A mail server on this machine; set host, login and password for a real one",
            "host": "localhost",
            "port": 25,
            "extra": {
                "from_email": sender or "airfoil@localhost",
                "disable_ssl": "true",
                "disable_tls": "true",
            },
        }
    parts = urlsplit(given)
    scheme = parts.scheme
    # The provider takes any text for true, "false" too: what is not switched off is not named.
    extra = {"from_email": sender or f"airfoil@{parts.hostname}"}
    extra |= {"disable_ssl": "true"} if scheme != "smtps" else {}
    extra |= {"disable_tls": "true"} if scheme != "smtp+starttls" else {}
    found: dict[str, Any] = {
        "conn_type": "smtp",
        "description": "The mail server of [alerts] smtp",
        "host": parts.hostname,
        "port": parts.port or _MAIL_PORTS[scheme],
        "extra": extra,
    }
    found |= {"login": unquote(parts.username)} if parts.username else {}
    return found | ({"password": unquote(parts.password)} if parts.password else {})


def _webhook(settings: Settings) -> dict[str, Any]:
    """Return where alerts are posted. The address is a secret, and Airflow keeps and masks passwords."""
    found = {"conn_type": "http", "description": "Where alerts are posted; nowhere without [alerts] webhook"}
    return found | ({"password": settings.alerts.webhook} if settings.alerts.webhook else {})


def write(
    settings: Settings, project: Project, environment: Mapping[str, str], *, page_url: str = ""
) -> None:
    """Write both files; `page_url` is where the status page of this start answers."""
    found = connections(settings, project, environment)
    write_private(connections_file(project), json.dumps(found, indent=1, sort_keys=True))
    variables = {"airfoil_project": settings.project.name, **lifecycle_variables(settings, page_url)}
    write_private(variables_file(project), json.dumps(variables, indent=1, sort_keys=True))


def connections_file(project: Project) -> Path:
    """Where `setup` finds the connections."""
    return project.run / "connections.json"


def variables_file(project: Project) -> Path:
    """Where `setup` finds the variables."""
    return project.run / "variables.json"
