"""What one try has logged to its run, remembered so that a run which takes over can be given it too.

Points of metrics are not kept in memory: they are read back from the old run. Files are `run_files`'s business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airfoil.clients.exchange import API
from airfoil.clients.log_buffer import LogBuffer, metric_row
from airfoil.clients.logged_models import link_model
from airfoil.clients.metric_curves import metric_points
from airfoil.errors import NotFoundError

if TYPE_CHECKING:
    from airfoil.clients.mlflow_http import MlflowHttp


@dataclass
class TryLog:
    """Parameters, tags, inputs and models of a try, and the highest step of each of its metrics."""

    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)
    inputs: list[dict[str, Any]] = field(default_factory=list)
    models: list[str] = field(default_factory=list)

    def repeat(self, http: MlflowHttp, old_id: str, new_id: str, since_ms: int) -> None:
        """Give the new run what the old one got since then; parameters and tags are the caller's to send."""
        self._copy_metrics(http, old_id, new_id, since_ms)
        if self.inputs:
            log_inputs(http, new_id, self.inputs)
        for model_id in self.models:
            link_model(http, new_id, model_id)

    def _copy_metrics(self, http: MlflowHttp, old_id: str, new_id: str, since_ms: int) -> None:
        copies = LogBuffer()
        for metric in sorted(self.steps):
            try:
                points = http.do(metric_points(old_id, metric))
            except NotFoundError:
                return  # the old run is gone for good
            copies.metrics.extend(
                metric_row(metric, point.value, point.step, point.timestamp_ms)
                for point in points
                if point.timestamp_ms >= since_ms
            )
            while len(copies):
                request = copies.next_request()
                http.post(f"{API}/runs/log-batch", {"run_id": new_id, **request})
                copies.sent(request)


def log_inputs(http: MlflowHttp, run_id: str, rows: Sequence[dict[str, Any]]) -> None:
    """Name data as inputs of a run."""
    http.post(f"{API}/runs/log-inputs", {"run_id": run_id, "datasets": list(rows)})
