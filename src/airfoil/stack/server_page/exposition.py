"""What the page has heard as Prometheus metrics, on a registry of its own. Alerts of deploy/monitoring stand on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prometheus_client.core import Metric
    from prometheus_client.registry import Collector

    from airfoil.stack.server_page.rounds import Heard


class RoundCollector:
    """One round. Prometheus calls `collect`."""

    def __init__(self, heard: Sequence[Heard], now: float) -> None:
        self._heard = heard
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """Yield every family."""
        up = GaugeMetricFamily(
            "airfoil_service_up", "1 when the service says it is well.", labels=["service"]
        )
        took = GaugeMetricFamily(
            "airfoil_service_answer_seconds", "How long its answer took.", labels=["service"]
        )
        lasts = GaugeMetricFamily(
            "airfoil_service_state_seconds", "Time in the present state, as seen here.", labels=["service"]
        )
        for one in self._heard:
            up.add_metric([one.service.name], one.healthy)
            took.add_metric([one.service.name], one.seconds)
            lasts.add_metric([one.service.name], max(0.0, self._now - one.since))
        yield from (up, took, lasts)


def exposition(heard: Sequence[Heard], now: float, more: Sequence[Collector] = ()) -> bytes:
    """Give the metrics in Prometheus's text format; `more` are collectors of the machine."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(RoundCollector(heard, now))  # a collector is whatever has `collect`
    for collector in more:
        registry.register(collector)
    return generate_latest(registry)
