"""Curves: all points, over all pages, zeroes and words included."""

import httpx
import pytest

from airfoil.clients import metric_curves as module
from airfoil.clients.metric_curves import metric_points
from airfoil.clients.run_keys import RunKey
from airfoil.clients.tries import MetricPoint

pytestmark = pytest.mark.unit


def test_a_curve_is_read_over_all_pages(tracking, http, clock, monkeypatch):
    monkeypatch.setattr(module, "PAGE", 2)
    with tracking.open_dag_run(RunKey("d", "r"), experiment="wine") as run:
        for step in range(5):
            run.log_metrics({"m": step, "other": 1.0}, step=step)
            clock.wait(0.1)
    points = http.do(metric_points(run.id, "m"))
    assert [(one.step, one.value) for one in points] == [(step, float(step)) for step in range(5)]


def test_what_mlflow_leaves_out_is_zero(http, server):
    rows = {"metrics": [{"key": "m"}, {"key": "m", "value": "-Infinity"}]}
    server.fail["mlflow/metrics/get-history"] = httpx.Response(200, json=rows)
    assert http.do(metric_points("r", "m")) == [MetricPoint(0, 0.0, 0), MetricPoint(0, float("-inf"), 0)]


def test_a_metric_that_is_not_there_has_no_points(http):
    assert http.do(metric_points("nobody", "m")) == []
