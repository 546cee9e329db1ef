"""What Airfoil adds to Airflow's own processes: listeners, and for the API server apps and views.

Loaded by every Airflow process, each task included: it must import nothing heavy, start nothing and ask nobody.
"""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from airfoil.provider.listeners.dag_runs import DagRunListener
from airfoil.provider.listeners.move_cursor import MoveCursorListener
from airfoil.provider.listeners.task_failures import TaskFailureListener
from airfoil.provider.web import EXTERNAL_VIEWS, PREFIX, LazyApp


class AirfoilPlugin(AirflowPlugin):
    """The plugin, found by its entry point (a provider's own list of plugins is not read by default)."""

    name = "airfoil"
    listeners = [MoveCursorListener(), DagRunListener(), TaskFailureListener()]  # noqa: RUF012 - Airflow's own lists, which it reads from the class
    fastapi_apps = [{"name": "airfoil", "app": LazyApp(), "url_prefix": PREFIX}]  # noqa: RUF012 - as above
    external_views = EXTERNAL_VIEWS
