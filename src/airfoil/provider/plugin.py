"""What Airfoil adds to Airflow's own processes: listeners, and for the API server apps and views.

Loaded by every Airflow process, each task included: it must import nothing heavy, start nothing and ask nobody.
"""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin


class AirfoilPlugin(AirflowPlugin):
    """The plugin, found by its entry point (a provider's own list of plugins is not read by default)."""

    name = "airfoil"
