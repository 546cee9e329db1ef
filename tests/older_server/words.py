"""What the server of April 2026 held and who could log in there, for those who made it and those who look for it."""

from __future__ import annotations

import base64

AIRFOIL = "0.0.9"
RELEASES = {
    "airflow": ("apache-airflow-core==3.2.0", "apache-airflow-providers-fab==3.6.2"),
    "mlflow": ("mlflow[auth]==3.11.1",),
    "feast": ("feast==0.62.0",),
}
BEFORE = "2026-05-01"
"""No package that is younger was installed beside them."""
DATABASES = ("airflow", "mlflow", "mlflow_auth", "feast")
FERNET_KEY = base64.urlsafe_b64encode(b"an older server that never lived").decode()
DAG = "older_dag"
STATES = ("success", "failed")
"""Of its two runs."""
ANNE, BEN = ("anne", "kept-since-april"), ("ben", "looks-on-since-april")
CONNECTION = ("shop_db", "letters-of-april")
VARIABLE = ("threshold", "0.75")
ADMIN = ("admin", "administers-since-april")
MACHINE = ("airflow", "tracks-since-april")
EXPERIMENT = "older_experiment"
MODEL = "wine"
PARAM, METRIC = ("depth", "4"), ("rmse", 0.25)
FEATURE_VIEW = "customers"
