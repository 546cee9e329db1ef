"""What the page has heard, as Prometheus reads it."""

from __future__ import annotations

import pytest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families

from airfoil.stack.server_page.exposition import exposition
from airfoil.stack.server_page.rounds import Heard
from airfoil.stack.server_page.watched import SERVICES

pytestmark = pytest.mark.unit

HEARD = (Heard(SERVICES[0], True, "", 90.0, 0.25), Heard(SERVICES[1], False, "gone", 95.0, 4.0))


def samples(content: bytes) -> dict[tuple[str, str], float]:
    return {
        (sample.name, sample.labels.get("service", "")): sample.value
        for family in text_string_to_metric_families(content.decode())
        for sample in family.samples
    }


def test_each_service_is_up_or_down():
    found = samples(exposition(HEARD, 100.0))
    first, second = SERVICES[0].name, SERVICES[1].name
    assert found["airfoil_service_up", first] == 1
    assert found["airfoil_service_up", second] == 0
    assert found["airfoil_service_state_seconds", first] == 10
    assert found["airfoil_service_answer_seconds", second] == 4


class Disk:
    def collect(self):
        yield GaugeMetricFamily("airfoil_disk", "x", value=7)


def test_collectors_of_the_machine_stand_beside_it():
    assert samples(exposition((), 0.0, [Disk()]))["airfoil_disk", ""] == 7
