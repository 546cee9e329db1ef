"""The services of a server as their neighbours know them: name, address of their health, what it must say.

Host names are those of deploy/compose/compose.yaml; a test compares the two. Must not ask anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from airfoil.stack.service import Probe

Kind = Literal["front", "behind"]
_AIRFLOW = "http://airflow-api-server:8080/api/v2/monitor/health"
WORKERS, MAINTENANCE = "airflow-worker", "maintenance"
"""Both are known by what Flower says of workers."""


@dataclass(frozen=True)
class Watched:
    """One service: `tcp://` addresses are connected to, others asked."""

    name: str
    title: str
    probe: Probe
    kind: Kind = "behind"
    link: str = ""
    """Where people find it, seen from this page's own address."""


def _http(url: str, **expect: object) -> Probe:
    return Probe("http", url, expect=expect)


def _heartbeat(component: str) -> Probe:
    return Probe("heartbeat", _AIRFLOW, component=component)


SERVICES = (
    Watched(
        "airflow-api-server", "Airflow", _http(_AIRFLOW, metadatabase={"status": "healthy"}), "front", "../"
    ),
    Watched("mlflow", "MLflow", _http("http://mlflow:5000/mlflow/health"), "front", "../mlflow/"),
    Watched("feature-server", "Feature server", _http("http://feature-server:6566/health"), "front"),
    Watched("flower", "Flower", _http("http://flower:5555/flower/healthcheck"), "front", "../flower/"),
    Watched(
        "prometheus",
        "Prometheus",
        _http("http://prometheus:9090/prometheus/-/ready"),
        "front",
        "../prometheus/",
    ),
    Watched(
        "alertmanager",
        "Alertmanager",
        _http("http://alertmanager:9093/alertmanager/-/ready"),
        "front",
        "../alertmanager/",
    ),
    Watched("airflow-scheduler", "Scheduler", _heartbeat("scheduler")),
    Watched("airflow-dag-processor", "DAG processor", _heartbeat("dag_processor")),
    Watched("airflow-triggerer", "Triggerer", _heartbeat("triggerer")),
    Watched(WORKERS, "Workers", _http("http://flower:5555/flower/metrics")),
    Watched(MAINTENANCE, "Maintenance", _http("http://flower:5555/flower/metrics")),
    Watched("postgres", "PostgreSQL", _http("tcp://postgres:5432")),
    Watched("redis", "Redis", _http("tcp://redis:6379")),
    Watched("s3", "S3 store", _http("tcp://s3:8333")),
    Watched("proxy", "Proxy", _http("tcp://proxy:443")),
    Watched("statsd-exporter", "StatsD exporter", _http("tcp://statsd-exporter:9102")),
    Watched("postgres-exporter", "PostgreSQL exporter", _http("tcp://postgres-exporter:9187")),
    Watched("redis-exporter", "Redis exporter", _http("tcp://redis-exporter:9121")),
    Watched("grafana", "Grafana", _http("http://grafana:3000/api/health"), "front", "../grafana/"),
)
OPTIONAL = frozenset({"grafana"})
ITSELF = "status"
"""This page. Whoever reads it knows that it runs."""


def chosen(names: str) -> tuple[Watched, ...]:
    """Return the services of a list with commas between; an empty list is all that a server has by default."""
    wanted = {name.strip() for name in names.split(",") if name.strip()}
    if not wanted:
        return tuple(one for one in SERVICES if one.name not in OPTIONAL)
    return tuple(one for one in SERVICES if one.name in wanted)


def unknown(names: str, services: Sequence[Watched] = SERVICES) -> list[str]:
    """Return the names of a list that are none of ours."""
    known = {one.name for one in services} | {ITSELF}
    return [name.strip() for name in names.split(",") if name.strip() and name.strip() not in known]
