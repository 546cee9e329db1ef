"""`airfoil.connect()`: the running Python process works with the platform of a project.

For notebooks and scripts. Sets the variables that MLflow and Feast read, and the path of the project's own code, in
this process; it starts nothing. Must not import MLflow: who has imported it already gets its tracking address set.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from airfoil.settings import load
from airfoil.stack import outside
from airfoil.stack.project import Project

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True)
class Platform:
    """Where everything is. Its text form shows no password."""

    project: Path
    mlflow_url: str
    airflow_url: str
    feature_repo: Path
    _login: tuple[str, str] = field(repr=False)

    def airflow(self) -> httpx.Client:
        """Return an HTTP client of Airflow's API, logged in for a day: `platform.airflow().get("/dags").json()`."""
        import httpx

        from airfoil.stack.airflow_rest import AirflowRest
        from airfoil.stack.rest import is_loopback, trusted_authorities

        with AirflowRest(self.airflow_url, *self._login) as airflow:
            token = airflow.token()
        return httpx.Client(
            base_url=f"{self.airflow_url}/api/v2",
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
            trust_env=not is_loopback(self.airflow_url),
            verify=trusted_authorities(self.airflow_url),
        )


def connect(path: str | os.PathLike[str] | None = None) -> Platform:
    """Let this Python process work with the project that `path`, or the current folder, lies in."""
    project = Project.find(Path.cwd() if path is None else Path(path))
    settings = load(project.root, os.environ)
    variables = outside.variables(project, settings, os.environ)
    for name in outside.LOGIN_NAMES - set(variables):
        os.environ.pop(name, None)  # of a project that this process was connected to before
    os.environ.update(variables)
    sources = str(project.sources)
    if sources not in sys.path:
        sys.path.insert(0, sources)
    url = variables[outside.MLFLOW_URL]
    mlflow = sys.modules.get("mlflow")
    if mlflow is not None and hasattr(mlflow, "set_tracking_uri"):
        mlflow.set_tracking_uri(url)  # an address that was set in this process would win over the variable
    return Platform(
        project=project.root,
        mlflow_url=url,
        airflow_url=variables[outside.AIRFLOW_URL],
        feature_repo=project.root / settings.feast.repo,
        _login=(variables.get(outside.AIRFLOW_LOGIN[0], ""), variables.get(outside.AIRFLOW_LOGIN[1], "")),
    )
