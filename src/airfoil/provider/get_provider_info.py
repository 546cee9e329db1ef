"""What this package registers with Airflow: the answer to the `apache_airflow_provider` entry point.

Every `airflow` command calls this, so it is plain data and imports nothing. Tests compare it with the modules that
exist, both ways, and with Airflow's own schema.
"""

from __future__ import annotations

from typing import Any


def get_provider_info() -> dict[str, Any]:
    """Describe the provider in the form Airflow's `provider_info.schema.json` asks for."""
    return {
        "package-name": "airfoil",
        "name": "Airfoil",
        "description": "MLflow runs, models and verdicts as part of Airflow DAGs.",
        "integrations": [
            {
                "integration-name": "MLflow",
                "external-doc-url": "https://mlflow.org/docs/latest/",
                "tags": ["software"],
            },
        ],
        "hooks": [{"integration-name": "MLflow", "python-modules": ["airfoil.provider.hooks.mlflow"]}],
        "connection-types": [
            {
                "connection-type": "mlflow",
                "hook-class-name": "airfoil.provider.hooks.mlflow.MlflowHook",
                "hook-name": "MLflow",
                "ui-field-behaviour": {
                    "hidden-fields": ["schema"],
                    "relabeling": {"host": "Tracking URI", "login": "User name"},
                    "placeholders": {"host": "http://127.0.0.1:5000"},
                },
                "conn-fields": {
                    "token": {
                        "label": "Token",
                        "description": "Bearer token; used instead of user name and password.",
                        "schema": {"type": ["string", "null"], "format": "password"},
                    },
                    "ca_file": {
                        "label": "CA file",
                        "description": "Path, on the worker, of the authority that signed the server's certificate.",
                        "schema": {"type": ["string", "null"]},
                    },
                    "timeout_seconds": {
                        "label": "Timeout (seconds)",
                        "description": "How long one request may take.",
                        "schema": {"type": "number", "default": 10, "exclusiveMinimum": 0},
                    },
                    "tries": {
                        "label": "Tries",
                        "description": "How often a request is sent before the task fails.",
                        "schema": {"type": "integer", "default": 3, "minimum": 1, "maximum": 10},
                    },
                },
            },
        ],
    }
