"""The environment in which this project is worked on: of services, and of commands that stand in for them.

Airflow's options, the address and login of MLflow (ours or not), and the certificate authority for it. Pure but for
that authority, which people name in their own environment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airfoil.stack import airflow_environment, authorities
from airfoil.stack.address import reachable
from airfoil.stack.secrets import MLFLOW_ADMIN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airfoil.settings import Settings
    from airfoil.stack.project import Project
    from airfoil.stack.secrets import Secrets
    from airfoil.stack.servers import Server, ServerName

# Nobody is told that somebody uses this. Airflow's own switch is among its options.
_SILENCE = {
    "DO_NOT_TRACK": "1",
    "FEAST_USAGE": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "RAY_USAGE_STATS_ENABLED": "0",
    "SCARF_ANALYTICS": "false",
    "SCARF_NO_ANALYTICS": "true",
}


def environment(
    settings: Settings,
    project: Project,
    secrets: Secrets,
    ports: Mapping[str, int],
    foreign: Mapping[ServerName, Server],
    engine: str,
) -> dict[str, str]:
    """What services, and commands that stand in for them, need to work on this project."""
    found: dict[str, str] = {}
    if "airflow" not in foreign:
        options = airflow_environment.options(settings, project, secrets, ports["airflow"], engine)
        found = {"AIRFLOW_HOME": str(project.airflow_home), **airflow_environment.environment(options)}
    if "mlflow" not in foreign:
        return found | client_environment(settings, secrets, reachable(settings.mlflow.host, ports["mlflow"]))
    server = foreign["mlflow"]
    return found | client_environment(settings, secrets, server.url, server, authorities.one_file(project))


def client_environment(
    settings: Settings,
    secrets: Secrets,
    mlflow_url: str,
    server: Server | None = None,
    authority: str = "",
) -> dict[str, str]:
    """What MLflow's client needs in tasks and pass-through commands: the address, patience, and no telemetry."""
    found = {
        "MLFLOW_TRACKING_URI": mlflow_url,
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "5",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        **_SILENCE,
    }
    login = (MLFLOW_ADMIN, secrets.mlflow_admin_password) if settings.mlflow.auth else None
    if server is not None:
        login = server.auth
    if login is not None:
        found["MLFLOW_TRACKING_USERNAME"], found["MLFLOW_TRACKING_PASSWORD"] = login
    if authority and mlflow_url.startswith("https:"):
        # For this server alone: others have other authorities.
        found["MLFLOW_TRACKING_SERVER_CERT_PATH"] = authority
    return found
