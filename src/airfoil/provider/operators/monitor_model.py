"""The task that looks at a deployed model and at what it stands on, and writes down what it saw.

Latency and predictions on held-out rows, whether MLflow and Airflow are well, how much disk is left: a record, in the
MLflow run and in `data/model`. What is odd is a line in the log; nothing fails for it.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airfoil.clients.service_health import ask_service
from airfoil.errors import StorageError
from airfoil.provider.deployed_model import deployed_entry, endpoint_of, known_rows
from airfoil.provider.hooks.mlflow import MlflowHook
from airfoil.provider.links.mlflow_run import MlflowRunLink
from airfoil.provider.profiled_operator import ProfiledOperator
from airfoil.provider.record_inputs import plain
from airfoil.provider.task_tracking import task_run
from airfoil.provider.work_area import WorkArea, data_folder, folder_name
from airfoil.steps.lifecycle.monitoring import (
    MonitoringRecord,
    ServiceHealth,
    accuracy_of,
    disk_of,
    latency_of,
    shares_of,
)

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airfoil.clients.mlflow_server import MlflowServer
    from airfoil.clients.model_endpoints import ModelEndpoint

MOST_ROWS, ALONE = 500, 100


class MonitorModelOperator(ProfiledOperator):
    """Asks a deployed model about held-out rows and returns a MonitoringRecord.

    `deployed` is what `promote` returned, `data` a table with the column `target`; `classes` are the names of classes
    that the model knows as numbers from 0 on.
    """

    template_fields = ("deployed", "data", "target", "classes", "mlflow_conn_id")
    operator_extra_links = (MlflowRunLink(),)
    ui_color = "#f3ead0"

    def __init__(
        self,
        *,
        deployed: Any,
        data: Any,
        target: str,
        classes: Any = (),
        trusted_types: Sequence[str] = (),
        mlflow_conn_id: str = MlflowHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        """Take the move of the alias, and rows that the model has not seen."""
        super().__init__(**kwargs)
        self.deployed = plain(deployed)
        self.data = plain(data)
        self.target = target
        self.classes = classes if not isinstance(classes, tuple) else list(classes)
        self.trusted_types = list(trusted_types)
        self.mlflow_conn_id = mlflow_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Ask, count, write down."""
        with task_run(context, mlflow_conn_id=self.mlflow_conn_id) as opened:
            found = self._look(opened.server)
            opened.run.log_metrics(found.metrics())
            opened.run.log_json(found, "monitoring.json")
            kept = WorkArea(data_folder("model") / folder_name(found.model))
            kept.write_text(
                f"v{found.version}/monitoring-{found.at:%Y%m%dT%H%M%SZ}.json", found.model_dump_json()
            )
        for one in found.unhealthy:
            self.log.warning("%s %s", one.name, one.said)
        return found.to_json()

    def endpoint(self, server: MlflowServer) -> ModelEndpoint:
        """Return who is asked."""
        return endpoint_of(server, self.trusted_types)

    def _look(self, server: MlflowServer) -> MonitoringRecord:
        entry = deployed_entry(self.deployed)
        rows, truth = known_rows(self.data, self.target, MOST_ROWS)
        answer = self.endpoint(server).predict(entry.model, entry.alias, rows, alone=ALONE)
        return MonitoringRecord(
            model=answer.model,
            alias=answer.alias,
            version=answer.version,
            at=datetime.now(UTC),
            rows=len(rows),
            accuracy=accuracy_of(answer.predictions, truth),
            latency_ms=latency_of(answer.latency_ms),
            load_seconds=answer.load_seconds,
            predicted=shares_of(answer.predictions, [str(one) for one in self.classes or ()]),
            services=tuple(_health(name, url) for name, url in _services(server).items()),
            **_disk(),
        )


def _services(server: MlflowServer) -> dict[str, str]:
    """Return the addresses of health checks: of the registry, and of the Airflow that runs this task."""
    from airflow.sdk.configuration import conf

    base = str(conf.get("api", "base_url", fallback="") or "http://localhost:8080").rstrip("/")
    return {"MLflow": f"{server.uri}/health", "Airflow": f"{base}/api/v2/monitor/health"}


def _health(name: str, url: str) -> ServiceHealth:
    answer = ask_service(url)
    return ServiceHealth(
        name=name, healthy=answer.healthy, said=answer.said, milliseconds=answer.milliseconds
    )


def _disk() -> dict[str, float]:
    """Return how full the disk is that runs keep their data on."""
    folder = data_folder("model")
    place = next(one for one in (folder, *folder.parents) if one.exists())
    try:
        usage = shutil.disk_usage(place)
    except OSError as error:
        raise StorageError(f"{place} cannot be looked at: {error.strerror or error}") from error
    return disk_of({"free": usage.free, "total": usage.total})
