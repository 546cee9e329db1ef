"""What a notebook or another tool needs to work with this project from outside the platform: a few variables.

Addresses, our logins, the project's own code and its feature repository. Names that other tools know, and none that an
`airfoil` in the same shell would take for a setting. Must not change a process; `airfoil env` prints what this gives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airfoil.errors import NeighbourError
from airfoil.stack import authorities, secrets, servers, work_environment
from airfoil.stack.address import reachable
from airfoil.stack.ports import Ports, wishes_of
from airfoil.stack.service import PATH_VARIABLE, join_paths

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airfoil.settings import Settings
    from airfoil.stack.project import Project

MLFLOW_URL = "MLFLOW_TRACKING_URI"
AIRFLOW_URL = "AIRFLOW_API_URL"
AIRFLOW_LOGIN = ("AIRFLOW_API_USERNAME", "AIRFLOW_API_PASSWORD")
FEATURES = "FEAST_FS_YAML_FILE_PATH"
"""Where `feast.FeatureStore()` looks, whatever the current folder is."""
SECRET_NAMES = frozenset({"MLFLOW_TRACKING_PASSWORD", AIRFLOW_LOGIN[1]})
LOGIN_NAMES = SECRET_NAMES | {
    "MLFLOW_TRACKING_USERNAME",
    AIRFLOW_LOGIN[0],
    "MLFLOW_TRACKING_SERVER_CERT_PATH",
}
"""What must go when it is not said any more: a login belongs to one server."""


def variables(project: Project, settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """Return name -> value; what runs need not run now, but must have run once."""
    if not project.secrets.exists():
        raise NeighbourError(f"Nothing was ever started in {project.root}.", "Start it: `airfoil up`.")
    keys = secrets.load(project)
    foreign = servers.resolve(settings, project, environ)
    remembered = Ports(project).remembered()
    urls = {
        name: reachable(wish.host, wish.port if wish.user_set else remembered.get(name, wish.port))
        for name, wish in wishes_of(settings).items()
    } | {name: server.url for name, server in foreign.items()}
    authority = authorities.one_file(project) if "mlflow" in foreign else ""
    found = work_environment.client_environment(
        settings, keys, urls["mlflow"], foreign.get("mlflow"), authority
    )
    airflow = foreign.get("airflow")
    login = airflow.auth if airflow is not None else (secrets.AIRFLOW_ADMIN, keys.admin_password)
    found[AIRFLOW_URL] = urls["airflow"]
    if login is not None:
        found |= zip(AIRFLOW_LOGIN, login, strict=True)
    found[PATH_VARIABLE] = with_sources(project, environ.get(PATH_VARIABLE, ""))
    features = project.root / settings.feast.repo / "feature_store.yaml"
    if features.is_file():
        found[FEATURES] = str(features)
    return found


def with_sources(project: Project, path: str) -> str:
    """Put the project's own code first in a PYTHONPATH, once however often this is asked."""
    sources = str(project.sources)
    others = [part for part in path.split(":") if part and part != sources]
    return join_paths(sources, ":".join(others))
