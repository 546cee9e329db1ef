"""The batch engine that feature_store.yaml names as `airfoil.clients.feature_store.engine.StreamingEngine`.

Feast calls it inside `materialize` and records the window when it returned without an error. Views that this engine
does not read itself go Feast's own way, and the log says why. The class has the shape of Feast's ComputeEngine and does
not inherit from it, so that importing this module does not import Feast.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airfoil.clients.feature_store import plan, window
from airfoil.clients.feature_store.latest_rows import Limits, Window
from airfoil.clients.feature_store.window import Written

if TYPE_CHECKING:
    from feast.infra.common.materialization_job import MaterializationJob, MaterializationTask
    from feast.infra.common.retrieval_task import HistoricalRetrievalTask
    from feast.infra.online_stores.online_store import OnlineStore
    from feast.infra.registry.base_registry import BaseRegistry
    from feast.repo_config import RepoConfig

_log = logging.getLogger(__name__)
_LIMITS = Limits()
CLASS_PATH = f"{__name__}.StreamingEngine"
"""What `batch_engine.type` says."""


class StreamingEngine:
    """Materializes local Parquet files into Redis, SQLite or Postgres, and leaves everything else to Feast."""

    supports_batch = False
    applies_materialization = False

    def __init__(
        self,
        *,
        repo_config: RepoConfig,
        offline_store: Any,
        online_store: OnlineStore,
        memory_mib: int = _LIMITS.memory_mib,
        threads: int = _LIMITS.threads,
        spill_folder: str | None = None,
        **_others: object,
    ) -> None:
        """Keep what Feast hands in; the last three come from feature_store.yaml."""
        self.repo_config, self.offline_store, self.online_store = repo_config, offline_store, online_store
        self.limits = Limits(memory_mib, threads, Path(spill_folder) if spill_folder else None)
        self.written: list[Written] = []
        """What became of each window, oldest first."""
        self._feast: Any = None

    def update(
        self,
        project: str,
        views_to_delete: Sequence[Any],
        views_to_keep: Sequence[Any],
        entities_to_delete: Sequence[Any],
        entities_to_keep: Sequence[Any],
    ) -> None:
        """Keep no infrastructure of our own."""

    def teardown_infra(self, project: str, fvs: Sequence[Any], entities: Sequence[Any]) -> None:
        """Have nothing to tear down."""

    def materialize(
        self, registry: BaseRegistry, tasks: MaterializationTask | list[MaterializationTask], **options: Any
    ) -> list[MaterializationJob]:
        """Write the window of each task; an error is in the job, where Feast looks for it."""
        return [
            self._materialize(registry, task, options)
            for task in (tasks if isinstance(tasks, list) else [tasks])
        ]

    def get_historical_features(self, registry: BaseRegistry, task: HistoricalRetrievalTask) -> Any:
        """Leave training sets to Feast's local engine."""
        return self._local_engine.get_historical_features(registry, task)

    def _materialize(
        self, registry: BaseRegistry, task: MaterializationTask, options: dict[str, Any]
    ) -> MaterializationJob:
        from feast.infra.common.materialization_job import MaterializationJobStatus
        from feast.infra.compute_engines.local.job import LocalMaterializationJob

        if reason := plan.reason_for_feast(task.feature_view, self.repo_config):
            _log.warning("View %s goes Feast's own way: %s.", task.feature_view.name, reason)
            jobs: list[MaterializationJob] = self._local_engine.materialize(registry, task, **options)
            return jobs[0]
        job_id = f"{task.feature_view.name}-{task.start_time}-{task.end_time}"
        try:
            self.written.append(
                window.write(
                    task.feature_view,
                    Window.between(task.start_time, task.end_time),
                    registry=registry,
                    config=self.repo_config,
                    online_store=self.online_store,
                    limits=self.limits,
                )
            )
        except Exception as error:  # noqa: BLE001 - Feast raises what the job holds
            return LocalMaterializationJob(job_id, MaterializationJobStatus.ERROR, error)
        return LocalMaterializationJob(job_id, MaterializationJobStatus.SUCCEEDED)

    @property
    def _local_engine(self) -> Any:
        from feast.infra.compute_engines.local.compute import LocalComputeEngine

        if self._feast is None:
            self._feast = LocalComputeEngine(
                repo_config=self.repo_config,
                offline_store=self.offline_store,
                online_store=self.online_store,
                backend="pandas",
            )
        return self._feast


def __getattr__(name: str) -> Any:
    """Make the class that Feast checks `batch_engine` with when it asks for it."""
    if name != "StreamingEngineConfig":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from feast.repo_config import FeastConfigBaseModel
    from pydantic import create_model

    return create_model(
        name,
        __base__=FeastConfigBaseModel,
        type=(str, CLASS_PATH),
        memory_mib=(int, _LIMITS.memory_mib),
        threads=(int, _LIMITS.threads),
        spill_folder=(str | None, None),
    )
