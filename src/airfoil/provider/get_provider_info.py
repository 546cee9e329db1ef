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
                "integration-name": "Airfoil",
                "external-doc-url": "https://airfoil.readthedocs.io/",
                "tags": ["software"],
            },
            {
                "integration-name": "MLflow",
                "external-doc-url": "https://mlflow.org/docs/latest/",
                "tags": ["software"],
            },
            {
                "integration-name": "Feast",
                "external-doc-url": "https://docs.feast.dev/",
                "tags": ["software"],
            },
        ],
        "hooks": [
            {"integration-name": "MLflow", "python-modules": ["airfoil.provider.hooks.mlflow"]},
            {"integration-name": "Feast", "python-modules": ["airfoil.provider.hooks.feast"]},
        ],
        "operators": [
            {
                "integration-name": "Airfoil",
                "python-modules": [
                    "airfoil.provider.operators.anomaly",
                    "airfoil.provider.operators.crawl",
                    "airfoil.provider.operators.data_quality",
                    "airfoil.provider.operators.data_report",
                    "airfoil.provider.operators.drift",
                    "airfoil.provider.operators.finish_source",
                    "airfoil.provider.operators.platform_command",
                    "airfoil.provider.operators.tell_people",
                ],
            },
            {
                "integration-name": "MLflow",
                "python-modules": [
                    "airfoil.provider.operators.evaluate_model",
                    "airfoil.provider.operators.gate",
                    "airfoil.provider.operators.mlflow_function",
                    "airfoil.provider.operators.monitor_model",
                    "airfoil.provider.operators.promote_model",
                    "airfoil.provider.operators.register_model",
                    "airfoil.provider.operators.rollback_model",
                    "airfoil.provider.operators.smoke_test",
                ],
            },
            {
                "integration-name": "Feast",
                "python-modules": [
                    "airfoil.provider.operators.feast_apply",
                    "airfoil.provider.operators.feast_materialize",
                    "airfoil.provider.operators.feast_online_check",
                    "airfoil.provider.operators.feast_validate",
                    "airfoil.provider.operators.training_set",
                ],
            },
        ],
        "sensors": [
            {"integration-name": "MLflow", "python-modules": ["airfoil.provider.sensors.model_alias"]},
            {"integration-name": "Airfoil", "python-modules": ["airfoil.provider.sensors.published_tables"]},
        ],
        "triggers": [
            {
                "integration-name": "MLflow",
                "python-modules": [
                    "airfoil.provider.triggers.model_alias",
                    "airfoil.provider.triggers.model_moves",
                ],
            },
            {"integration-name": "Airfoil", "python-modules": ["airfoil.provider.triggers.published_tables"]},
        ],
        "asset-uris": [
            {"schemes": ["mlflow"], "handler": "airfoil.provider.assets.check_uri"},
            {"schemes": ["airfoil"], "handler": "airfoil.provider.datasets.check_uri"},
            {
                "schemes": ["feast"],
                "handler": "airfoil.provider.feature_assets.check_uri",
                "to_openlineage_converter": "airfoil.provider.feature_assets.lineage_dataset",
            },
        ],
        "task-decorators": [
            {"name": "mlflow", "class-name": "airfoil.provider.decorators.mlflow.mlflow_task"}
        ],
        "extra-links": ["airfoil.provider.links.mlflow_run.MlflowRunLink"],
        "cli": ["airfoil.provider.commands.commands"],
        "notifications": ["airfoil.provider.notifications.alert.AlertNotifier"],
        "config": {
            "airfoil": {
                "description": "What Airfoil's stack writes from airfoil.toml; without a stack, write it here.",
                "options": {
                    "profiles": {
                        "description": "Profiles by name, as a JSON object: where a task with that profile runs, and "
                        "what it may use. A profile that is not here is the profile ``default``.",
                        "version_added": "0.1.0",
                        "type": "string",
                        "example": '{"training": {"queue": "big", "timeout_seconds": 7200}}',
                        "default": "",
                    },
                    "gpu_pool": {
                        "description": "The pool of tasks whose profile asks for a ``gpu`` and that run on the "
                        "scheduler's machine, so that they take turns. It must exist. Empty: none.",
                        "version_added": "0.1.0",
                        "type": "string",
                        "example": "gpu",
                        "default": "",
                    },
                    "webhook_url": {
                        "description": "Where MLflow reaches Airflow's API server, followed by ``/airfoil/events``. "
                        "With ``webhook_secret``, moved aliases are seen at once instead of at the next poll.",
                        "version_added": "0.1.0",
                        "type": "string",
                        "example": "https://airflow.example.com/airfoil/events",
                        "default": "",
                    },
                    "webhook_secret": {
                        "description": "What MLflow signs its webhooks with; the API server and the triggerer need it. "
                        "Empty: no webhooks.",
                        "version_added": "0.1.0",
                        "type": "string",
                        "sensitive": True,
                        "example": None,
                        "default": "",
                    },
                    "experiment": {
                        "description": "The MLflow experiment of tasks that name none. Empty: each DAG has its own, "
                        "called after it.",
                        "version_added": "0.1.0",
                        "type": "string",
                        "example": "churn",
                        "default": "",
                    },
                    "project": {
                        "description": "The project that this Airflow belongs to, for DAGs that back it up or tidy "
                        "it up. Empty: there is none.",
                        "version_added": "0.1.0",
                        "type": "string",
                        "example": "/srv/shop",
                        "default": "",
                    },
                    "backup_schedule": {
                        "description": "When the DAG ``platform_backup`` runs: a cron line, in UTC. Empty: only when "
                        "somebody starts it.",
                        "version_added": "0.1.0",
                        "type": "string",
                        "example": "30 1 * * *",
                        "default": "",
                    },
                    "task_logs": {
                        "description": "The bucket that keeps the logs of tasks. Needs ``[logging] logging_config_class"
                        " = airfoil.provider.task_log_store.LOGGING``. Empty: logs stay on workers.",
                        "version_added": "0.1.0",
                        "type": "string",
                        "example": "s3://airflow-logs",
                        "default": "",
                    },
                    "work_area": {
                        "description": "The folder in which tasks keep their data, one folder below it for each DAG "
                        "run; on a disk that all workers share when there are several. Empty: ``work`` in "
                        "AIRFLOW_HOME.",
                        "version_added": "0.1.0",
                        "type": "string",
                        "example": "/srv/airflow/work",
                        "default": "",
                    },
                    "mlflow_conn_ids": {
                        "description": "Connections of the MLflow servers on which runs that Airflow's work left open "
                        "are closed, separated by commas.",
                        "version_added": "0.1.0",
                        "type": "string",
                        "example": "mlflow_default,mlflow_team",
                        "default": "mlflow_default",
                    },
                    "reaper_seconds": {
                        "description": "How often the scheduler looks for MLflow runs that were left open, by tasks "
                        "that were killed for example. 0: never.",
                        "version_added": "0.1.0",
                        "type": "float",
                        "example": None,
                        "default": "30",
                    },
                    "alert_mail_to": {
                        "description": "Who gets a mail when a DAG with an alert fails or is late, separated by "
                        "commas; sent through the connection ``smtp_default``. Empty: nobody.",
                        "version_added": "0.1.0",
                        "type": "string",
                        "example": "ml-team@example.com, ops@example.com",
                        "default": "",
                    },
                    "alert_most_an_hour": {
                        "description": "How many alerts a DAG sends in an hour at most; what is held back is counted "
                        "in the next one.",
                        "version_added": "0.1.0",
                        "type": "integer",
                        "example": None,
                        "default": "12",
                    },
                    "metrics_token": {
                        "description": "What Prometheus shows as a bearer token to read ``/airfoil/metrics``. Empty: "
                        "a login of Airflow alone opens it.",
                        "version_added": "0.1.0",
                        "type": "string",
                        "sensitive": True,
                        "example": None,
                        "default": "",
                    },
                    "source_folders": {
                        "description": "Folders of code that DAG files import, joined as in ``PATH``; when a file in "
                        "them changes, the DAG processor of Airfoil's stack parses anew.",
                        "version_added": "0.1.0",
                        "type": "string",
                        "example": "/srv/project/src",
                        "default": "",
                    },
                },
            },
        },
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
                        "schema": {"type": ["number", "null"], "default": 10, "exclusiveMinimum": 0},
                    },
                    "tries": {
                        "label": "Tries",
                        "description": "How often a request is sent before the task fails.",
                        "schema": {"type": ["integer", "null"], "default": 3, "minimum": 1, "maximum": 10},
                    },
                    "browser_url": {
                        "label": "Address for browsers",
                        "description": "Where people find MLflow's pages, if that is not the address above.",
                        "schema": {"type": ["string", "null"], "format": "url"},
                    },
                },
            },
            {
                "connection-type": "feast",
                "hook-class-name": "airfoil.provider.hooks.feast.FeastHook",
                "hook-name": "Feast",
                "ui-field-behaviour": {
                    "hidden-fields": ["schema", "login", "password", "port", "extra"],
                    "relabeling": {"host": "Repository folder"},
                    "placeholders": {"host": "/srv/project/features"},
                },
                "conn-fields": {},
            },
        ],
    }
