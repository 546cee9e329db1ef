"""Read a metric's whole curve from MLflow, page by page. Which points still count is `tries`'s business."""

from __future__ import annotations

from airfoil.clients.exchange import API, Exchange, get
from airfoil.clients.tries import MetricPoint

PAGE = 10_000


def metric_points(run_id: str, metric: str) -> Exchange[list[MetricPoint]]:
    """Return all points of a metric of a run, deleted or not, in the order of their times."""
    points: list[MetricPoint] = []
    query = {"run_id": run_id, "metric_key": metric, "max_results": str(PAGE)}
    while True:
        answer = yield from get(f"{API}/metrics/get-history", **query)
        points += [
            # MLflow leaves out what is zero, and says NaN and infinity in words that Python knows.
            MetricPoint(int(row.get("step", 0)), float(row.get("value", 0.0)), int(row.get("timestamp", 0)))
            for row in answer.get("metrics", [])
        ]
        token = answer.get("next_page_token", "")
        if not token:
            return points
        query["page_token"] = token
